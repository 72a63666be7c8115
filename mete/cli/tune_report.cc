// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/tune_report.h"

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

Json clock_json(const SweptClock& clock) {
  return Json::object({{"clock", clock.clock},
                       {"runtime", clock.seconds},
                       {"energy", clock.joules},
                       {"slowdown", clock.slowdown},
                       {"energy_change", clock.energy_change},
                       {"runs", clock.runs}});
}

Json goal_json(const Goal& goal) {
  Json out = Json::object();
  if (goal.phi) {
    out.set("phi", *goal.phi);
  } else {
    out.set("max_slowdown", goal.max_slowdown);
  }
  out.set("words", goal.describe());
  return out;
}

Json model_json(const ModelStep& model) {
  if (model.path.empty()) return Json::object({{"path", Json()}, {"absent", model.absent}});
  Json out = Json::object({{"path", model.path}, {"given", model.given}});
  if (!model.given) {
    out.set("epochs", model.epochs);
    out.set("epochs_chosen_by_mete", model.epochs_chosen);
    out.set("examples", model.examples);
    out.set("mean_error", model.mean_error);
    out.set("guess_error", model.guess_error);
  }
  return out;
}

Json arms_json(const TuneResult& result) {
  Json out = Json::array();
  for (const ArmRuns& arm : result.verification.arms) {
    Json one = Json::object({{"name", arm.name},
                             {"runtime", Json::array_of(arm.seconds)},
                             {"energy", Json::array_of(arm.joules)}});
    for (const ArmChange& change : result.changes) {
      if (change.name != arm.name) continue;
      one.set("time_change", interval_to_json(change.time));
      one.set("energy_change", interval_to_json(change.energy));
    }
    out.push(std::move(one));
  }
  return out;
}

Json records_json(const Verification& verification) {
  Json out = Json::array();
  for (const ArmRecord& r : verification.records) {
    out.push(Json::object({{"arm", r.arm},
                           {"repeat", r.repeat},
                           {"order", r.order},
                           {"runtime", r.seconds},
                           {"energy", r.joules},
                           {"report", r.report},
                           {"trace", r.trace}}));
  }
  return out;
}

std::string model_words(const ModelStep& model) {
  if (model.path.empty()) return "no model: " + model.absent;
  if (model.given) return fmt::format("model: {} (given)", model.path);
  return fmt::format(
      "model: {} after {} epochs{} on {} examples; its clocks are {} off on average (a constant "
      "guess: {})",
      model.path, model.epochs,
      model.epochs_chosen && model.epochs > 5
          ? " (the tutorial's 5 are too few for a sweep this short)"
          : "",
      model.examples, format_quantity(model.mean_error, "Hz"),
      format_quantity(model.guess_error, "Hz"));
}

std::string arm_line(const TuneResult& result, const ArmChange& change) {
  const std::string setting =
      change.name == "torch" ? fmt::format("the model at phi {:g}", result.choice.phi)
      : change.name == "agent"
          ? fmt::format("{}{}{}", result.agent, result.agent_policy.empty() ? "" : ", ",
                        result.agent_policy)
          : "one clock, " + setting_text(result.choice.fixed.clock, "Hz");
  return fmt::format("  {:<6} ({}): {}; {}\n", change.name, setting,
                     change_words(change.energy, "energy"), change_words(change.time, "time"));
}

}  // namespace

std::string recommended_command(const TuneResult& result, const TuneOptions& options) {
  std::string how;
  if (result.verdict.arm == "fixed") {
    how = fmt::format("--set GPU_CORE_FREQUENCY_MAX_CONTROL={:g}MHz ",
                      result.choice.fixed.clock / 1e6);
  } else if (result.verdict.arm == "agent") {
    how = fmt::format("--agent {} ", result.agent);
    if (!options.model.empty()) how += fmt::format("--model {} ", options.model);
    if (!result.agent_policy.empty()) how += fmt::format("--policy {} ", result.agent_policy);
  } else if (result.verdict.arm == "torch") {
    how = fmt::format("--agent torch --model {} --policy GPU_PHI={:g} ", result.model.path,
                      result.choice.phi);
  }
  std::string board;
  if (!options.target.board.empty()) {
    board = fmt::format("--board {} ", options.target.board);
    if (options.target.gpus != 1) board += fmt::format("--gpus {} ", options.target.gpus);
    if (!options.target.board_options.empty()) {
      board += fmt::format("--board-option {} ", options.target.board_options);
    }
  }
  return fmt::format("mete run {}{}-- {}", board, how, join(options.command, " "));
}

std::string tune_text(const TuneResult& result, const TuneOptions& options) {
  const SweptClock& top = result.choice.top;
  std::string out =
      fmt::format("{} on {}; energy is {} ({})\n", result.plan.app, result.plan.target,
                  join(result.plan.energy_signals, " + "), source_name(result.verification.source));
  out += fmt::format("goal: {}\n", result.goal.describe());
  out += fmt::format("sweep: {} clocks, {} to {}, {} runs each; at the top clock {} and {}\n",
                     result.clocks.size(), format_quantity(result.clocks.front().clock, "Hz", 4),
                     format_quantity(top.clock, "Hz", 4), top.runs,
                     format_quantity(top.seconds, "s", 4), format_quantity(top.joules, "J", 4));
  for (const std::string& line : drift_lines(result.drift)) out += "  " + line + "\n";
  out += model_words(result.model) + "\n";
  out += fmt::format("choice: {}\n", result.choice.why);
  out += fmt::format("against the top clock, {} interleaved repeats:\n",
                     result.verification.arms.front().seconds.size());
  for (const ArmChange& change : result.changes) out += arm_line(result, change);
  for (const std::string& caution : result.verdict.cautions) {
    out += fmt::format("  caution: {}\n", caution);
  }
  out += fmt::format("recommended: {}: {}\n", result.verdict.arm, result.verdict.why);
  out += fmt::format("  {}\n", recommended_command(result, options));
  out += fmt::format("page: {0}/tune.html   figures: {0}/tune.json\n", result.directory);
  return out;
}

Json tune_json(const TuneResult& result, const TuneOptions& options) {
  Json clocks = Json::array();
  for (const SweptClock& clock : result.clocks) clocks.push(clock_json(clock));
  return Json::object(
      {{"format", "mete.tune/1"},
       {"app", result.plan.app},
       {"command", Json::array_of(result.plan.command)},
       {"node", result.plan.node},
       {"target", result.plan.target},
       {"replayed", result.replayed},
       {"source", source_name(result.verification.source)},
       {"energy_signals", Json::array_of(result.plan.energy_signals)},
       {"seed", static_cast<std::int64_t>(result.plan.seed)},
       {"goal", goal_json(result.goal)},
       {"trials", result.plan.trials},
       {"sweep", clocks},
       {"drift", drift_to_json(result.drift)},
       {"learned_from", Json::array_of(result.learned_from)},
       {"model", model_json(result.model)},
       {"agent", result.agent.empty() ? std::string("torch") : result.agent},
       {"agent_policy", result.agent_policy},
       {"choice", Json::object({{"phi", result.choice.phi},
                                {"phi_clock", result.choice.at_phi.clock},
                                {"fixed_clock", result.choice.fixed.clock},
                                {"predicted", clock_json(result.choice.fixed)},
                                {"why", result.choice.why}})},
       {"arms", arms_json(result)},
       {"runs", records_json(result.verification)},
       {"recommended", Json::object({{"arm", result.verdict.arm},
                                     {"why", result.verdict.why},
                                     {"command", recommended_command(result, options)}})},
       {"cautions", Json::array_of(result.verdict.cautions)},
       {"notes", Json::array_of(result.notes)},
       {"directory", result.directory}});
}

}  // namespace mete
