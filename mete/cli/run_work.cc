// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/run_work.h"

#include <utility>

#include "mete/cli/run_options.h"
#include "mete/control/controller.h"
#include "mete/control/policy.h"

namespace mete {
namespace {

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
  const auto grace = parse_period(options.grace);
  if (!grace) return grace.error().within("--grace");
  out.stop_grace = *grace;
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

Result<std::unique_ptr<Controller>> controller_of(const RunOptions& options,
                                                  std::unique_ptr<Agent> agent) {
  if (agent != nullptr) {
    METE_TRY(const auto named, parse_policy(options.policy, agent->info()));
    METE_TRY(auto resolved, resolve_policy(named, agent->info()));
    return std::make_unique<Controller>(std::move(agent), std::move(resolved));
  }
  if (options.agent == "monitor" && options.policy.empty()) return std::unique_ptr<Controller>();
  AgentContext context;
  context.model_path = options.model;
  context.frequency_map_path = options.frequency_map;
  return make_controller(options.agent, options.policy, context);
}

}  // namespace

Result<RunDone> run_workload(const RunOptions& options, std::unique_ptr<Agent> agent,
                             const Context& context, std::vector<std::string>& notices) {
  if (!options.words.empty() && options.record.attaches()) {
    return fail(Errc::invalid, "a command, or --pid or --cgroup; not both");
  }
  if (options.words.empty() && !options.record.attaches()) {
    return fail(Errc::invalid,
                "nothing to run; put a command, or with --board a program, after --");
  }
  if (options.append_trace && options.trace.empty()) {
    return fail(Errc::invalid, "--append-trace needs --trace FILE");
  }
  TargetOptions where = options.target;
  // What runs already was started without us, so that it does not know where to mark.
  where.listens = !options.record.attaches();
  METE_TRY(const auto target, make_target(where, context, 0, notices));
  METE_TRY(const auto controller, controller_of(options, std::move(agent)));
  const double period =
      controller ? controller->period_seconds() : to_seconds(SessionOptions().period);
  RunDone done;
  METE_TRY(done.session, session_options(options, *target, context, period));
  METE_TRY(const auto record, RunRecord::make(options.record, options.target.estimate, done.session,
                                              *target, context));
  done.session.observer = record->observer();
  done.session.abandon = options.abandon;
  std::unique_ptr<Workload> workload;
  if (options.record.attaches()) {
    METE_TRY(workload, RunRecord::attach(options.record, context));
  } else {
    METE_TRY(workload, target->make_workload(options.words));
  }
  Session session(target->platform(), target->clock(), context.interrupt,
                  target->state_directory());
  METE_TRY(done.result, session.run(*workload, controller.get(), done.session));
  done.session.observer = nullptr;
  done.command = workload->describe();
  return done;
}

Json run_json(const RunDone& done) {
  const RunResult& result = done.result;
  Json totals = Json::object();
  for (const auto& one : result.totals) {
    totals.set(report_name(one.request),
               Json::object({{"value", one.value},
                             {"unit", one.unit},
                             {"source", source_name(one.source)},
                             {"faults", static_cast<std::int64_t>(one.faults)}}));
  }
  Json out = Json::object({{"command", done.command},
                           {"seconds", result.seconds},
                           {"exit_code", result.exit.code},
                           {"exit_signal", result.exit.signal},
                           {"interrupted", result.interrupted},
                           {"replayed", done.session.replayed},
                           {"outputs_complete", result.outputs_complete},
                           {"report", done.session.report_path},
                           {"trace", done.session.trace_path},
                           {"totals", totals},
                           {"loop", loop_json(result.loop)},
                           {"warnings", Json::array_of(result.warnings)}});
  add_record_json(result, out);
  return out;
}

}  // namespace mete
