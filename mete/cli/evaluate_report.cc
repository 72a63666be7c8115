// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/evaluate_report.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/study/summary.h"

namespace mete {
namespace {

void add_summary(Json& out, const ScoreSummary& s) {
  out.set("objective_regret",
          Json::object({{"mean", s.regret_mean}, {"p95", s.regret_p95}, {"max", s.regret_max}}));
  out.set("energy_saved", s.energy_saved);
  out.set("slowdown", s.slowdown);
  out.set("over_bound", Json::object({{"cases", s.over_bound_cases},
                                      {"tolerance", kBoundTolerance},
                                      {"beyond_by_anything", s.beyond_bound},
                                      {"worst", s.over_bound_worst}}));
  out.set("saving_kept", s.saving_kept);
  out.set("oracle",
          Json::object({{"energy_saved", s.oracle_energy_saved}, {"slowdown", s.oracle_slowdown}}));
}

void add_goal(Json& out, const EvaluationGoal& goal) {
  if (goal.phi) {
    out.set("phi", *goal.phi);
  } else {
    out.set("max_slowdown", goal.max_slowdown);
  }
}

Json kernel_json(const ScoredTrial& one, bool repeats) {
  Json out = Json::object({{"kernel", one.score.kernel}});
  add_goal(out, one.score.goal);
  if (repeats) out.set("repeat", one.repeat + 1);
  out.set("clock", one.score.clock);
  out.set("oracle_clock", one.score.oracle);
  out.set("objective_regret", one.score.regret);
  out.set("energy_saved", 1 - one.score.cost.energy);
  out.set("slowdown", one.score.cost.time - 1);
  if (!one.score.goal.phi) out.set("over_bound", one.score.over_bound);
  out.set("settled", one.trial.settled);
  out.set("probing", Json::object({{"steps", one.trial.steps},
                                   {"seconds", one.trial.probing.seconds},
                                   {"joules", one.trial.probing.joules},
                                   {"extra_seconds", one.probing_seconds},
                                   {"extra_joules", one.probing_joules}}));
  out.set("run",
          Json::object({{"slowdown", one.run.time - 1}, {"energy_saved", 1 - one.run.energy}}));
  if (!one.trial.report.empty()) {
    Json report = Json::object();
    for (const auto& [key, value] : one.trial.report) report.set(key, value);
    out.set("report", std::move(report));
  }
  return out;
}

Json heading_json(const EvaluateHeading& h) {
  Json goals = Json::array();
  for (const EvaluationGoal& goal : h.goals) {
    Json one = Json::object();
    add_goal(one, goal);
    goals.push(std::move(one));
  }
  return Json::object({{"board", h.board},
                       {"source", "replayed"},
                       {"agent", h.agent},
                       {"train", h.train},
                       {"train_kernels", h.train_kernels},
                       {"test", h.test},
                       {"test_kernels", h.test_kernels},
                       {"sensor", h.sensor},
                       {"hidden_signals", Json::array_of(h.hidden)},
                       {"repeats", h.repeats},
                       {"goals", std::move(goals)}});
}

Json probing_json(const ProbingSummary& p) {
  return Json::object({{"steps", p.steps},
                       {"steps_most", p.steps_most},
                       {"seconds", p.seconds},
                       {"joules", p.joules},
                       {"extra_seconds", p.extra_seconds},
                       {"extra_joules", p.extra_joules},
                       {"unsettled", p.unsettled}});
}

std::string line(std::string_view name, const ScoreSummary& s, bool bounded) {
  std::string out =
      fmt::format("{:<18} {:>7} {:>7} {:>7}   {:>7} {:>8}", name, format_percent(s.regret_mean, 2),
                  format_percent(s.regret_p95, 2), format_percent(s.regret_max, 1),
                  format_percent(s.energy_saved), format_percent(s.slowdown));
  if (bounded) {
    out += fmt::format("  {:>7}  {:>4} of {}",
                       std::isnan(s.saving_kept) ? "-" : format_percent(s.saving_kept),
                       s.over_bound_cases, s.cases);
    if (s.over_bound_worst > 0) {
      out += fmt::format(" (worst {} over)", format_percent(s.over_bound_worst, 2));
    }
  }
  return out + "\n";
}

std::string goals_words(const std::vector<EvaluationGoal>& goals) {
  if (goals.size() == 1) return goals.front().words();
  return fmt::format("{} to {}, {} values", goals.front().words(), goals.back().words(),
                     goals.size());
}

std::string interval_words(const Interval& interval) {
  return fmt::format("{} ({} to {})", format_percent(interval.estimate, 2),
                     format_percent(interval.low, 2), format_percent(interval.high, 2));
}

}  // namespace

Json evaluation_json(const EvaluateHeading& heading, const EvaluationResult& result) {
  Json out = heading_json(heading);
  add_summary(out, result.summary);
  if (heading.repeats > 1) {
    out.set("intervals", Json::object({{"objective_regret_mean", interval_to_json(result.regret)},
                                       {"energy_saved", interval_to_json(result.energy_saved)},
                                       {"slowdown", interval_to_json(result.slowdown)}}));
  }
  out.set("probing", probing_json(result.probing));
  out.set("run", Json::object({{"slowdown", result.probing.run.time - 1},
                               {"energy_saved", 1 - result.probing.run.energy}}));
  Json baselines = Json::object();
  for (const Baseline& baseline : result.baselines) {
    Json one = Json::object({{"words", baseline.words}});
    add_summary(one, summarise_scores(baseline.scores));
    baselines.set(baseline.name, std::move(one));
  }
  out.set("baselines", std::move(baselines));
  Json kernels = Json::array();
  for (const ScoredTrial& one : result.trials) kernels.push(kernel_json(one, heading.repeats > 1));
  out.set("kernels", std::move(kernels));
  return out;
}

std::string evaluation_text(const EvaluateHeading& h, const EvaluationResult& result) {
  const bool bounded = !h.goals.front().phi;
  const ProbingSummary& p = result.probing;
  std::string out = fmt::format(
      "{} on board {} (replayed), {}: trained on {} ({} kernels), tested on {} ({} kernels), {} "
      "sensor{}\n",
      h.agent, h.board, goals_words(h.goals), h.train, h.train_kernels, h.test, h.test_kernels,
      h.sensor, h.repeats > 1 ? fmt::format(", {} repeats", h.repeats) : "");
  out += fmt::format("{:<18} {:>23}   {:>7} {:>8}{}\n", "", "regret: mean  p95  max", "energy",
                     "slowdown", bounded ? "   saving   over the bound" : "");
  out += fmt::format("{:<18} {:>23}   {:>7} {:>8}{}\n", "", "", "saved", "",
                     bounded ? "     kept   by > 1 point" : "");
  out += line(h.agent, result.summary, bounded);
  for (const Baseline& baseline : result.baselines) {
    out += line(baseline.name, summarise_scores(baseline.scores), bounded);
  }
  const ScoreSummary& s = result.summary;
  out += fmt::format("{:<18} {:>23}   {:>7} {:>8}\n", "oracle", "",
                     format_percent(s.oracle_energy_saved), format_percent(s.oracle_slowdown));
  if (h.repeats > 1) {
    out += fmt::format("over the repeats, 95 %: mean regret {}, energy saved {}, slowdown {}\n",
                       interval_words(result.regret), interval_words(result.energy_saved),
                       interval_words(result.slowdown));
  }
  out += fmt::format(
      "probing: {:.1f} steps of 50 ms (at most {}), {} and {} on average; against the same work at "
      "the top clock {:+.2f} s and {:+.1f} J\n",
      p.steps, p.steps_most, format_quantity(p.seconds, "s"), format_quantity(p.joules, "J"),
      p.extra_seconds, p.extra_joules);
  out += fmt::format("first {} with probing counted: energy saved {}, slowdown {}\n",
                     format_quantity(static_cast<double>(kTrialSteps) * kTrialPeriod, "s"),
                     format_percent(1 - p.run.energy), format_percent(p.run.time - 1));
  if (p.unsettled > 0) {
    out += fmt::format("{} of {} trials had not settled after {} steps\n", p.unsettled, s.cases,
                       kTrialSteps);
  }
  return out;
}

namespace {

/// The place of the best fixed clock for the goal, among arms[1..].
std::size_t best_fixed(const EvaluationGoal& goal, const std::vector<ProgramArm>& arms) {
  std::size_t best = 1;
  for (std::size_t i = 2; i < arms.size(); ++i) {
    if (!goal.phi && arms[i].cost.time > 1 + goal.max_slowdown) continue;
    if (objective(goal, arms[i].cost) < objective(goal, arms[best].cost)) best = i;
  }
  return best;
}

}  // namespace

Json program_json(const EvaluateHeading& heading, const std::string& program,
                  const std::vector<ProgramArm>& arms) {
  Json out = heading_json(heading);
  out.set("program", program);
  const EvaluationGoal& goal = heading.goals.front();
  const auto arm_json = [&](const ProgramArm& arm) {
    return Json::object({{"name", arm.name},
                         {"seconds", arm.spent.seconds},
                         {"joules", arm.spent.joules},
                         {"slowdown", arm.cost.time - 1},
                         {"energy_saved", 1 - arm.cost.energy},
                         {"objective", objective(goal, arm.cost)},
                         {"requests", arm.requests}});
  };
  Json own = arm_json(arms.front());
  Json report = Json::object();
  for (const auto& [key, value] : arms.front().report) report.set(key, value);
  own.set("report", std::move(report));
  out.set("run", std::move(own));
  out.set("best_fixed_clock", arm_json(arms[best_fixed(goal, arms)]));
  Json fixed = Json::array();
  for (std::size_t i = 1; i < arms.size(); ++i) fixed.push(arm_json(arms[i]));
  out.set("fixed_clocks", std::move(fixed));
  return out;
}

std::string program_text(const EvaluateHeading& h, const std::string& program,
                         const std::vector<ProgramArm>& arms) {
  const EvaluationGoal& goal = h.goals.front();
  const std::size_t best = best_fixed(goal, arms);
  std::string out = fmt::format("{} on board {} (replayed), program {}, {}, {} sensor\n", h.agent,
                                h.board, program, goal.words(), h.sensor);
  out += fmt::format("{:<18} {:>10} {:>10} {:>9} {:>13} {:>10}\n", "", "time", "energy", "slowdown",
                     "energy saved", "objective");
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const ProgramArm& arm = arms[i];
    out += fmt::format("{:<18} {:>10} {:>10} {:>9} {:>13} {:>10.4f}{}\n", arm.name,
                       format_quantity(arm.spent.seconds, "s", 4),
                       format_quantity(arm.spent.joules, "J", 4), format_percent(arm.cost.time - 1),
                       format_percent(1 - arm.cost.energy, 2), objective(goal, arm.cost),
                       i == best ? "   best single clock" : "");
  }
  for (const auto& [key, value] : arms.front().report) out += fmt::format("{}: {}\n", key, value);
  return out;
}

}  // namespace mete
