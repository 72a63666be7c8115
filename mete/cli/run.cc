// mete run: any command, or a board's program, under observation. Its options are those of the
// Python tutorial's agent (base_agent.py) and of geopmlaunch, under both names where they differ.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/run_options.h"
#include "mete/cli/target.h"
#include "mete/control/controller.h"
#include "mete/measure/session.h"

namespace mete {
namespace {

struct RunOptions {
  TargetOptions target;
  std::string agent = "monitor";
  std::string policy;
  std::string model;
  std::string frequency_map;
  std::vector<std::string> words;  ///< the command
  std::vector<std::string> settings;
  std::vector<std::string> signals;
  std::string period;
  std::string grace = "5s";
  std::string report;
  std::string trace;
  bool append_trace = false;
  std::string profile;
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
  fmt::print(stderr, "mete: {} ran for {}, {}; {}{}{}\n", shortened(command),
             format_quantity(result.seconds, "s", 4), ended, energy_sentence(result),
             loop_sentence(result, options.replayed), files);
}

Json loop_json(const LoopCost& loop) {
  return Json::object({{"periods", static_cast<std::int64_t>(loop.periods)},
                       {"overruns", static_cast<std::int64_t>(loop.overruns)},
                       {"period_mean", loop.period_mean},
                       {"period_p99", loop.period_p99},
                       {"period_worst", loop.period_worst},
                       {"lateness_p99", loop.lateness_p99},
                       {"lateness_worst", loop.lateness_worst},
                       {"cpu_share", loop.cpu_share}});
}

Json result_json(const RunResult& result, const SessionOptions& options,
                 const std::string& command) {
  Json totals = Json::object();
  for (const auto& one : result.totals) {
    totals.set(report_name(one.request),
               Json::object({{"value", one.value},
                             {"unit", one.unit},
                             {"source", source_name(one.source)},
                             {"faults", static_cast<std::int64_t>(one.faults)}}));
  }
  return Json::object({{"command", command},
                       {"seconds", result.seconds},
                       {"exit_code", result.exit.code},
                       {"exit_signal", result.exit.signal},
                       {"interrupted", result.interrupted},
                       {"replayed", options.replayed},
                       {"outputs_complete", result.outputs_complete},
                       {"report", options.report_path},
                       {"trace", options.trace_path},
                       {"totals", totals},
                       {"loop", loop_json(result.loop)},
                       {"warnings", Json::array_of(result.warnings)}});
}

Result<SessionOptions> session_options(const RunOptions& options, Target& target,
                                       const Context& context, double agent_period) {
  SessionOptions out;
  out.profile = options.profile;
  out.node = context.node;
  out.report_path = options.report;
  out.trace_path = options.trace;
  out.append_trace = options.append_trace;
  out.replayed = target.replayed();
  out.period = from_seconds(agent_period);
  if (!options.period.empty()) {
    METE_TRY(out.period, parse_period(options.period));
  }
  METE_TRY(out.stop_grace, parse_period(options.grace));
  for (const auto& list : options.signals) {
    METE_TRY(const auto requests, parse_signal_list(list, target.platform()));
    out.signals.insert(out.signals.end(), requests.begin(), requests.end());
  }
  for (const auto& text : options.settings) {
    METE_TRY(const auto settings, parse_control_setting(text, target.platform()));
    out.initial.insert(out.initial.end(), settings.begin(), settings.end());
  }
  return out;
}

Result<ExitCode> run(const RunOptions& options, const Context& context) {
  if (options.words.empty()) {
    return fail(Errc::invalid,
                "nothing to run; put a command, or with --board a program, after --");
  }
  if (options.append_trace && options.trace.empty()) {
    return fail(Errc::invalid, "--append-trace needs --trace FILE");
  }
  std::vector<std::string> notices;
  METE_TRY(const auto target, make_target(options.target, context, 0, notices));
  for (const auto& notice : notices) fmt::print(stderr, "mete: {}\n", notice);

  std::unique_ptr<Controller> controller;
  double period = to_seconds(SessionOptions().period);
  if (options.agent != "monitor" || !options.policy.empty()) {
    AgentContext agent;
    agent.model_path = options.model;
    agent.frequency_map_path = options.frequency_map;
    METE_TRY(controller, make_controller(options.agent, options.policy, agent));
    period = controller->period_seconds();
  }
  METE_TRY(const auto session_settings, session_options(options, *target, context, period));
  METE_TRY(const auto workload, target->make_workload(options.words));

  Session session(target->platform(), target->clock(), context.interrupt,
                  target->state_directory());
  METE_TRY(const RunResult result, session.run(*workload, controller.get(), session_settings));

  const std::string command = workload->describe();
  for (const auto& warning : result.warnings) fmt::print(stderr, "mete: warning: {}\n", warning);
  if (options.json) {
    // The last line of standard output, which the command may have used too.
    fmt::print("{}\n", result_json(result, session_settings, command).dump(-1));
  } else if (!options.quiet) {
    print_summary(result, session_settings, command);
  }
  if (result.exit.code != 0) return result.exit.code;
  return result.outputs_complete ? 0 : 1;
}

void add_options(OptionSet& app, RunOptions& o) {
  app.add_option("-a,--agent", o.agent, "Who steers: see `mete list agents`")
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
  app.add_flag("--append-trace", o.append_trace, "Add to the trace of an earlier run")
      ->group("Observation");
  app.add_option("--profile", o.profile, "Name of the run in report and trace; else the command")
      ->group("Observation");
  app.add_option("--grace", o.grace,
                 "After Ctrl-C or SIGTERM: time to end before the next, stronger signal")
      ->capture_default_str();
  app.add_flag("--json", o.json, "The result as JSON, the last line of standard output");
  app.add_flag("-q,--quiet", o.quiet, "No summary at the end");
  add_target_options(app, o.target);
}

}  // namespace

Runner add_run(OptionSet& app) {
  auto options = std::make_shared<RunOptions>();
  add_options(app, *options);
  add_command_words(app, options->words);
  app.add_description(
      "\n  mete run [OPTIONS] -- COMMAND [ARGUMENTS]"
      "\n  mete run --board NAME [OPTIONS] -- KERNEL|PROGRAM");
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
