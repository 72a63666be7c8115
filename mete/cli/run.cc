// mete run: any command, or a board's program, under observation. Its options are those of the
// Python tutorial's agent (base_agent.py) and of geopmlaunch, under both names where they differ.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/base/text.h"
#include "mete/cli/agent_page.h"
#include "mete/cli/board_truth.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/run_options.h"
#include "mete/cli/run_work.h"
#include "mete/measure/session.h"

namespace mete {
namespace {

struct Options {
  RunOptions run;
  std::string page;
  bool json = false;
  bool quiet = false;
};

struct Energy {
  std::string_view signal;
  std::string_view what;
};
constexpr std::array<Energy, 3> kEnergies{
    {{"GPU_ENERGY", "GPU"}, {"CPU_ENERGY", "CPU"}, {"DRAM_ENERGY", "DRAM"}}};

std::string energy_sentence(const RunResult& result) {
  std::vector<std::string> parts;
  for (const auto& energy : kEnergies) {
    const double joules = result.total(energy.signal);
    if (std::isnan(joules)) continue;
    Source source = Source::counter;
    for (const auto& one : result.totals) {
      if (one.request.name == energy.signal) source = weakest(source, one.source);
    }
    parts.push_back(fmt::format("{} {} ({})", energy.what, format_quantity(joules, "J", 4),
                                source_name(source)));
  }
  if (parts.empty()) return "no energy was measured: nothing here tells it (see `mete doctor`)";
  return "energy " + join(parts, ", ");
}

/// Only if it is worth a word.
std::string loop_sentence(const RunResult& result, bool replayed) {
  const LoopCost& loop = result.loop;
  const auto all = loop.periods + loop.overruns;
  if (replayed || all == 0) return "";
  if (static_cast<double>(loop.overruns) > 0.01 * static_cast<double>(all)) {
    return fmt::format(
        "; {} of {} samples came too late and were skipped: a longer --period would help",
        loop.overruns, all);
  }
  if (loop.cpu_share > 0.05 && result.seconds > 1) {
    return fmt::format("; observing took {} of a core", format_percent(loop.cpu_share));
  }
  return "";
}

/// One line, and not a long one: the whole command is in the report.
std::string shortened(std::string command) {
  constexpr std::size_t kLongest = 60;
  std::replace(command.begin(), command.end(), '\n', ' ');
  if (command.size() <= kLongest) return command;
  command.resize(kLongest);
  return command + "..";
}

void print_summary(const RunResult& result, const SessionOptions& options,
                   const std::string& command) {
  std::string ended = fmt::format("exit code {}", result.exit.code);
  if (result.exit.signal != 0) ended = fmt::format("ended by signal {}", result.exit.signal);
  std::string files;
  if (!options.report_path.empty()) files += fmt::format("; report: {}", options.report_path);
  if (!options.trace_path.empty()) files += fmt::format("; trace: {}", options.trace_path);
  if (!files.empty() && !result.outputs_complete) files += " (not complete: see the warning above)";
  say(fmt::format("mete: {} ran for {}, {}; {}{}{}", shortened(command),
                  format_quantity(result.seconds, "s", 4), ended, energy_sentence(result),
                  loop_sentence(result, options.replayed), files));
}

/// "out/a.html" → "out/a": the page's report and trace lie beside it unless they were named.
std::string beside(const std::string& page) {
  return page.ends_with(".html") ? page.substr(0, page.size() - 5) : page;
}

Result<void> prepare_page(Options& options) {
  if (options.page.empty()) return {};
  if (options.run.append_trace) {
    return fail(Errc::invalid, "--page draws one run, and --append-trace joins several: give one");
  }
  // Before the run, which may be long.
  if (is_directory(options.page)) {
    return fail(Errc::invalid, "--page {}: is a folder, expected a file: {}/run.html, say",
                options.page, options.page);
  }
  if (options.run.report.empty()) options.run.report = beside(options.page) + ".report";
  if (options.run.trace.empty()) options.run.trace = beside(options.page) + ".trace";
  return {};
}

Result<void> write_page(const Options& options, const Context& context, const RunDone& done) {
  if (options.page.empty()) return {};
  if (!done.result.outputs_complete) {
    return fail(Errc::failed, "{}: not drawn, for the report or the trace is not complete",
                options.page);
  }
  const TargetOptions& target = options.run.target;
  RunPage page;
  page.command = join(options.run.words, " ");
  page.replayed = done.session.replayed;
  page.gpus = target.gpus;
  page.result = &done.result;
  page.report = options.run.report;
  page.trace = options.run.trace;
  page.target = context.node;
  if (!target.board.empty()) {
    page.target = fmt::format("board {} (replayed), {} GPU{}", target.board, target.gpus,
                              target.gpus == 1 ? "" : "s");
    METE_TRY(page.truth, load_truth(target, options.run.words.front()));
  }
  METE_TRY(const std::string html, run_html(page));
  return write_file_atomically(options.page, html);
}

/// A report written over the program that it is of, a trace over the report: said before the run.
Result<void> check_files(const Options& options) {
  const RunOptions& o = options.run;
  std::vector<std::string> inputs{o.policy, o.model, o.frequency_map, o.target.board};
  if (!o.words.empty()) inputs.push_back(o.words.front());
  return check_outputs(inputs, {o.report, o.trace, options.page});
}

Result<ExitCode> run(Options options, const Context& context) {
  METE_TRY_VOID(prepare_page(options));
  METE_TRY_VOID(check_files(options));
  std::vector<std::string> notices;
  options.run.abandon = [](const std::string& why) {
    say(fmt::format("mete run: {}", why));
    std::fflush(stderr);
    // No destructor may wait for the step that hangs.
    ::_exit(1);
  };
  const auto done = run_workload(options.run, nullptr, context, notices);
  for (const auto& notice : notices) say(fmt::format("mete: {}", notice));
  if (!done) return done.error();
  const RunResult& result = done->result;
  for (const auto& warning : result.warnings) say(fmt::format("mete: warning: {}", warning));
  if (options.json) {
    // The last line of standard output, which the command may have used too.
    fmt::print("{}\n", run_json(*done).dump(-1));
  } else if (!options.quiet) {
    print_summary(result, done->session, done->command);
  }
  METE_TRY_VOID(write_page(options, context, *done));
  if (result.exit.code != 0) return result.exit.code;
  return result.outputs_complete ? 0 : 1;
}

void add_options(OptionSet& app, Options& options) {
  RunOptions& o = options.run;
  app.add_option("-a,--agent", o.agent,
                 "Who steers: see `mete list agents`; or FILE.py:CLASS, or FILE.so")
      ->capture_default_str()
      ->group("Control");
  app.add_option("--policy", o.policy, "The agent's policy: NAME=VALUE,.. or a JSON file")
      ->group("Control");
  app.add_option("--model", o.model, "The agent's model: a .pt file; ffnet: a network in JSON")
      ->group("Control");
  app.add_option("--frequency-map,--fmap", o.frequency_map,
                 "ffnet: the clocks of the network's regions, in JSON")
      ->group("Control");
  app.add_option("--set,--initialize-control", o.settings,
                 "CONTROL[@domain[-index]]=VALUE, set before the start and given back after the "
                 "end; may be repeated")
      ->allow_extra_args(false)
      ->group("Control");
  app.add_option("--signals,--signal-list", o.signals,
                 "NAME[@domain],..: sampled besides the usual ones; see `mete list signals`")
      ->allow_extra_args(false)
      ->group("Observation");
  app.add_option("-p,--period,--control-period", o.period,
                 "Time between samples: 50ms, or seconds; the agent's own if not given")
      ->group("Observation");
  app.add_option("-r,--report", o.report, "Write the report here (GEOPM's YAML)")
      ->group("Observation");
  app.add_option("-t,--trace", o.trace, "Write the trace here, as the run goes (GEOPM's format)")
      ->group("Observation");
  app.add_option("--page", options.page,
                 "Write a page of the run here (HTML): what was decided, when and why; its report "
                 "and trace lie beside it")
      ->group("Observation");
  app.add_flag("--append-trace", o.append_trace, "Add to the trace of an earlier run")
      ->group("Observation");
  app.add_option("--profile", o.profile, "Name of the run in report and trace; else the command")
      ->group("Observation");
  app.add_option("--grace", o.grace,
                 "After Ctrl-C or SIGTERM: time to end before the next, stronger signal")
      ->capture_default_str();
  app.add_flag("--json", options.json, "The result as JSON, the last line of standard output");
  app.add_flag("-q,--quiet", options.quiet, "No summary at the end");
  add_record_options(app, o.record);
  app.add_option("--estimate", o.target.estimate,
                 "Where nothing measures power: estimate the CPUs' from their load, as "
                 "CPU_POWER_ESTIMATE; auto, or watts IDLE:FULL")
      ->group("Recording");
  add_target_options(app, o.target);
}

}  // namespace

Runner add_run(OptionSet& app) {
  auto options = std::make_shared<Options>();
  add_options(app, *options);
  add_command_words(app, options->run.words);
  app.add_description(
      "\n  mete run [OPTIONS] -- COMMAND [ARGUMENTS]"
      "\n  mete run --board NAME [OPTIONS] -- KERNEL|PROGRAM");
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
