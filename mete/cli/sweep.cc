// mete sweep: a command at every setting of its controls, several times, in an order that does not
// confound setting with time. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/options.h"
#include "mete/cli/run_options.h"
#include "mete/cli/sweep_setup.h"
#include "mete/study/summary.h"

namespace mete {
namespace {

struct Options {
  SweepOptions sweep;
  std::string engine = "local";
  bool json = false;
};

std::string with_interval(const Interval& value, const std::string& unit) {
  if (std::isnan(value.estimate)) return "-";
  const std::string mean = format_quantity(value.estimate, unit, 4);
  if (!value.bounded()) return mean;
  return fmt::format("{} ± {}", mean,
                     format_percent((value.high - value.low) / 2 / value.estimate));
}

void print_table(const Manifest& manifest) {
  const auto settings = summarise(manifest);
  std::string heading;
  for (const StudyAxis& axis : manifest.plan.axes) heading += fmt::format("{:<32}", axis.control);
  fmt::print("{}{:>5}  {:<22}{}\n", heading, "runs", "time", "energy");
  for (const SettingSummary& setting : settings) {
    for (std::size_t a = 0; a < setting.values.size(); ++a) {
      fmt::print("{:<32}", setting_text(setting.values[a], manifest.plan.axes[a].unit));
    }
    fmt::print("{:>5}  {:<22}{}\n", setting.seconds.size(), with_interval(setting.time, "s"),
               with_interval(setting.energy, "J"));
  }
}

void print_text(const SweepDone& done) {
  const Manifest& manifest = done.study.manifest;
  fmt::print("{}: {} points of {} on {} (energy: {}, {})\n", done.study.directory,
             manifest.count(PointStatus::done), manifest.plan.app, manifest.plan.target,
             manifest.plan.energy_signals.empty() ? "not measurable here"
                                                  : join(manifest.plan.energy_signals, " + "),
             source_name(manifest.source));
  print_table(manifest);
  for (const std::string& line : drift_lines(drift_of(manifest))) fmt::print("{}\n", line);
  fmt::print("next: mete process {} -o training.h5\n", done.study.directory);
}

Json rows_of(const Table& table) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < table.rows(); ++i) {
    Json row = Json::object();
    for (const Column& column : table.columns()) row.set(column.name, column.numbers()[i]);
    rows.push(std::move(row));
  }
  return rows;
}

void print_json(const SweepDone& done, const std::vector<std::string>& notes) {
  const Manifest& manifest = done.study.manifest;
  Json out = Json::object({{"directory", done.study.directory},
                           {"app", manifest.plan.app},
                           {"target", manifest.plan.target},
                           {"source", source_name(manifest.source)},
                           {"points", manifest.points.size()},
                           {"done", manifest.count(PointStatus::done)},
                           {"failed", manifest.count(PointStatus::failed)},
                           {"ran", done.outcome.ran},
                           {"resumed", done.study.resumed},
                           {"interrupted", done.outcome.interrupted}});
  out.set("settings", rows_of(summary_table(manifest)));
  out.set("drift", drift_to_json(drift_of(manifest)));
  out.set("notes", Json::array_of(notes));
  out.set("warnings", Json::array_of(done.outcome.warnings));
  fmt::print("{}\n", out.dump());
}

Result<ExitCode> run(Options& options, const Context& context) {
  if (options.engine != "local") {
    return fail(Errc::invalid, "--engine {}: this version runs points with 'local' only",
                options.engine);
  }
  if (options.sweep.open.force && !options.sweep.open.fresh) {
    return fail(Errc::invalid,
                "--force belongs to --fresh: it allows to start over in a folder "
                "that is not empty");
  }
  std::vector<std::string> notes;
  METE_TRY(const StudyPlan plan, plan_sweep(options.sweep, context, notes));
  for (const std::string& note : notes) say(fmt::format("note: {}", note));
  if (options.sweep.runner.pause > 0 && !options.sweep.target.board.empty()) {
    say("note: --pause is left out: a board needs no rest");
    options.sweep.runner.pause = 0;
  }
  METE_TRY(const SweepDone done, run_sweep(plan, options.sweep, context, "sweep " + plan.app));
  for (const std::string& warning : done.outcome.warnings) {
    say(fmt::format("warning: {}", warning));
  }
  if (options.json) {
    print_json(done, notes);
  } else if (done.study.manifest.count(PointStatus::done) > 0) {
    print_text(done);
  }
  METE_TRY_VOID(check_complete(done));
  return 0;
}

}  // namespace

Runner add_sweep(OptionSet& app) {
  auto options = std::make_shared<Options>();
  SweepOptions& sweep = options->sweep;
  app.add_option("--control", sweep.controls,
                 "NAME=VALUE,.. or NAME=all or NAME=FROM:TO:STEP; repeat for a grid. 'all' takes "
                 "every supported value, or evenly spaced ones where any value is taken")
      ->allow_extra_args(false);
  app.add_option("--points", sweep.continuous_points,
                 "With NAME=all where any value is taken: how many")
      ->capture_default_str()
      ->range(2, 1000);
  app.add_option("--trials", sweep.trials, "Runs of every setting")
      ->range(1, static_cast<int>(kMaxPoints))
      ->capture_default_str();
  app.add_option("--out", sweep.out, "Folder for reports, traces and sweep.json")->required();
  app.add_option("--reference-every", sweep.reference_every,
                 "Run the highest setting after every so many points, to see drift; 0: never")
      ->range(0, static_cast<int>(kMaxPoints))
      ->capture_default_str();
  app.add_option("--agent", sweep.agent, "Agent that runs beside it")->capture_default_str();
  app.add_option("--policy", sweep.policy, "Its policy");
  app.add_option("--model", sweep.model, "Its model");
  app.add_option("--signals", sweep.signals,
                 "NAME[@domain],.. to sample besides the defaults, which `mete process` needs")
      ->allow_extra_args(false);
  app.add_option("--period", sweep.period, "Time between samples")->capture_default_str();
  app.add_option("--app", sweep.app, "Name of the application; from the command if not given");
  app.add_option("--app-config", sweep.app_config,
                 "Name of the application with these inputs; --app if not given");
  app.add_option("--engine", options->engine, "Where points are run: local")->capture_default_str();
  app.add_option("--pause", sweep.runner.pause, "Seconds between points, for a device to cool")
      ->range(0.0, 86400.0);
  app.add_flag("--keep-going", sweep.runner.keep_going, "Go on past points that fail");
  app.add_flag("--fresh", sweep.open.fresh, "Do not resume: refuse a folder that is not empty");
  app.add_flag("--force", sweep.open.force,
               "With --fresh: remove the runs of the earlier sweep and start over");
  app.add_flag("--json", options->json, "Print the result as JSON");
  add_target_options(app, sweep.target);
  add_command_words(app, sweep.command);
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
