// mete process: reports and traces of sweeps into one training table.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>

#include "mete/base/json.h"
#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/dataset/training_table.h"

namespace mete {
namespace {

constexpr std::size_t kMostProblemsShown = 20;

struct Settings {
  ProcessOptions process;
  bool json = false;
};

Json summary_json(const ProcessSummary& summary, const std::string& output, double seconds) {
  Json apps = Json::array();
  for (const auto& app : summary.app_configs) {
    std::vector<double> phis;
    std::vector<double> clocks;
    for (const auto& choice : app.choices) {
      phis.push_back(choice.phi);
      clocks.push_back(choice.frequency);
    }
    apps.push(Json::object(
        {{"app_config", app.name},
         {"runs", app.runs},
         {"rows", app.rows},
         {"roi_rows", app.roi_rows},
         {summary.kind->domain == Domain::package ? "cpu_frequencies" : "gpu_frequencies",
          Json::array_of(app.frequencies)},
         {"phi", Json::array_of(phis)},
         {"phi_freq", Json::array_of(clocks)}}));
  }
  return Json::object({{"output", output},
                       {"node", summary.node},
                       {"source", summary.replayed ? "replayed" : "measured"},
                       {"runs", summary.runs},
                       {"trace_rows", summary.trace_rows},
                       {"rows", summary.rows},
                       {"bytes_read", static_cast<std::int64_t>(summary.bytes_read)},
                       {"bytes_written", static_cast<std::int64_t>(summary.bytes_written)},
                       {"seconds", seconds},
                       {"app_configs", std::move(apps)},
                       {"problems", Json::array_of(summary.problems)},
                       {"notes", Json::array_of(summary.notes)}});
}

std::string choice_text(const AppConfigSummary& app) {
  if (app.choices.empty()) return "no choice";
  return fmt::format("{} (phi 0) to {} (phi 1)",
                     format_quantity(app.choices.front().frequency, "Hz", 4),
                     format_quantity(app.choices.back().frequency, "Hz", 4));
}

void print_summary(const ProcessSummary& summary, const std::string& output, double seconds) {
  fmt::print("{}: node {}, {} runs, {} rows in {}_training_data; {} of traces read in {:.2f} s\n",
             output, summary.node, summary.runs, summary.rows, summary.node,
             format_quantity(static_cast<double>(summary.bytes_read), "B"), seconds);
  std::size_t width = 10;
  for (const auto& app : summary.app_configs) width = std::max(width, app.name.size());
  fmt::print("  {:{}}  {:>5} {:>7} {:>9} {:>9}  {}\n", "app-config", width, "runs", "clocks",
             "rows", "active", "clock chosen");
  for (const auto& app : summary.app_configs) {
    fmt::print("  {:{}}  {:>5} {:>7} {:>9} {:>9}  {}\n", app.name, width, app.runs,
               app.frequencies.size(), app.rows, app.roi_rows, choice_text(app));
  }
  for (const auto& note : summary.notes) fmt::print("note: {}\n", note);
}

ExitCode report(const ProcessSummary& summary, const Settings& settings, double seconds) {
  const auto& output = settings.process.output;
  if (settings.json) {
    fmt::print("{}\n", summary_json(summary, output, seconds).dump());
  } else {
    print_summary(summary, output, seconds);
  }
  std::fflush(stdout);
  const auto& problems = summary.problems;
  for (std::size_t i = 0; i < std::min(problems.size(), kMostProblemsShown); ++i) {
    say(fmt::format("mete process: {}", problems[i]));
  }
  if (problems.size() > kMostProblemsShown) {
    say(fmt::format("mete process: and {} more; --json lists them all",
                    problems.size() - kMostProblemsShown));
  }
  if (!problems.empty()) {
    say("mete process: the rest was processed");
    return 1;
  }
  if (!settings.json) fmt::print("next: mete train {} -o MODEL.pt\n", output);
  return 0;
}

Result<ExitCode> run(const Settings& settings, const Context& context) {
  const Nanoseconds start = context.clock.now();
  Progress bar("process", 1, context.clock);
  const auto progress = [&](double done, double total, const std::string& note) {
    bar.update(total > 0 ? done / total : 0, note);
  };
  auto summary = process_sweeps(settings.process, progress, &context.interrupt);
  bar.finish();
  if (!summary) return summary.error();
  return report(*summary, settings, to_seconds(context.clock.now() - start));
}

}  // namespace

Runner add_process(OptionSet& app) {
  auto settings = std::make_shared<Settings>();
  auto& options = settings->process;
  app.add_option("DIR", options.directories, "Folders of one or more sweeps")->required();
  app.add_option("-o,--output", options.output, "HDF5 file to write")->required();
  app.add_option("--node", options.node, "Use this node's traces (default: the only node)");
  app.add_flag("--compat", options.compat,
               "The tutorial's own rule (luckiest trial wins) and its eleven-fold rows");
  app.add_flag("--with-reference", options.with_reference,
               "Use the sweep's reference points as runs of their setting");
  app.add_option("--compress", options.compression, "Deflate level, 0 (none) to 9")->range(0, 9);
  app.add_option("--jobs", options.jobs, "Threads that read (default: one per core)")
      ->range(0, 1024);
  app.add_flag("--json", settings->json, "Print the summary as JSON");
  return [settings](const Context& context) { return run(*settings, context); };
}

}  // namespace mete
