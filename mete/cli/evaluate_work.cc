// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/evaluate_work.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mete/base/progress.h"
#include "mete/base/rng.h"
#include "mete/base/text.h"
#include "mete/control/policy.h"

namespace mete {
namespace {

constexpr std::string_view kPhiField = "GPU_PHI";
constexpr std::string_view kBoundField = "MAX_SLOWDOWN";

bool has_field(const AgentInfo& info, std::string_view name) {
  return std::any_of(info.policy.begin(), info.policy.end(),
                     [&](const PolicyField& field) { return field.name == name; });
}

Result<std::unique_ptr<Controller>> make_one(const EvaluatePlan& plan, NamedValues values) {
  METE_TRY(auto agent, make_agent(plan.agent, plan.context));
  METE_TRY(auto named, parse_policy(plan.policy, agent->info()));
  for (auto& value : values) named.push_back(std::move(value));
  METE_TRY(auto resolved, resolve_policy(named, agent->info()));
  return std::make_unique<Controller>(std::move(agent), std::move(resolved));
}

/// `at` is the truth at the settled clock: measured, or interpolated as the board replays it.
ScoredTrial judge(const MeasuredKernel& kernel, const OperatingPoint& at,
                  const EvaluationGoal& goal, Trial trial, std::size_t repeat) {
  ScoredTrial out;
  const double time = at.seconds / kernel.seconds.back();
  out.score = score_clock(kernel, goal, trial.clock, {time, time * at.watts / kernel.watts.back()});
  out.repeat = repeat;
  const double top_seconds = kernel.seconds.back();
  const double top_joules = top_seconds * kernel.watts.back();
  out.run = {trial.run.seconds / (trial.run.kernels * top_seconds),
             trial.run.joules / (trial.run.kernels * top_joules)};
  out.probing_seconds = trial.probing.seconds - trial.probing.kernels * top_seconds;
  out.probing_joules = trial.probing.joules - trial.probing.kernels * top_joules;
  out.trial = std::move(trial);
  return out;
}

ProbingSummary sum_up_probing(const std::vector<ScoredTrial>& trials) {
  ProbingSummary out;
  out.run = {0, 0};
  const double n = static_cast<double>(trials.size());
  for (const ScoredTrial& one : trials) {
    out.steps += static_cast<double>(one.trial.steps) / n;
    out.steps_most = std::max(out.steps_most, one.trial.steps);
    out.seconds += one.trial.probing.seconds / n;
    out.joules += one.trial.probing.joules / n;
    out.extra_seconds += one.probing_seconds / n;
    out.extra_joules += one.probing_joules / n;
    out.run.time += one.run.time / n;
    out.run.energy += one.run.energy / n;
    if (!one.trial.settled) ++out.unsettled;
  }
  return out;
}

void sum_up(EvaluationResult& result, std::size_t repeats) {
  std::vector<Score> all;
  std::vector<std::vector<Score>> by_repeat(repeats);
  for (const ScoredTrial& one : result.trials) {
    all.push_back(one.score);
    by_repeat[one.repeat].push_back(one.score);
  }
  result.summary = summarise_scores(all);
  result.probing = sum_up_probing(result.trials);
  std::vector<double> regrets;
  std::vector<double> saved;
  std::vector<double> slower;
  for (const auto& scores : by_repeat) {
    const ScoreSummary one = summarise_scores(scores);
    regrets.push_back(one.regret_mean);
    saved.push_back(one.energy_saved);
    slower.push_back(one.slowdown);
  }
  result.regret = mean_interval(regrets);
  result.energy_saved = mean_interval(saved);
  result.slowdown = mean_interval(slower);
}

std::vector<Baseline> baselines_of(const EvaluationData& data,
                                   const std::vector<EvaluationGoal>& goals) {
  const auto train = measured_kernels(data.train);
  const auto test = measured_kernels(data.test);
  Baseline top{"always_top", "the top clock, always", {}};
  Baseline fixed{"best_fixed_clock", "one clock per goal, the best one for the training rows", {}};
  for (const EvaluationGoal& goal : goals) {
    const double share = best_single_clock(train, goal);
    for (const MeasuredKernel& kernel : test) {
      top.scores.push_back(score_clock(kernel, goal, kernel.clocks.back()));
      fixed.scores.push_back(score_clock(kernel, goal, share * kernel.clocks.back()));
    }
  }
  return {std::move(top), std::move(fixed)};
}

}  // namespace

Result<ControllerMaker> controller_maker(const EvaluatePlan& plan, const EvaluationGoal& goal) {
  METE_TRY(const auto agent, make_agent(plan.agent, plan.context));
  const AgentInfo info = agent->info();
  const std::string field(goal.phi ? kPhiField : kBoundField);
  NamedValues values;
  if (has_field(info, field)) {
    values.emplace_back(field, goal.phi ? *goal.phi : goal.max_slowdown);
  } else if (has_field(info, kPhiField) || has_field(info, kBoundField)) {
    return fail(Errc::invalid, "the agent {} takes no {}; give {}", info.name, field,
                goal.phi ? "--max-slowdown" : "--phi");
  }
  return ControllerMaker([plan, values] { return make_one(plan, values); });
}

Result<EvaluationResult> evaluate_agent(const EvaluationData& data, const EvaluatePlan& plan,
                                        const Context& context) {
  const auto kernels = measured_kernels(data.test);
  const double total = static_cast<double>(plan.repeats * plan.goals.size() * kernels.size());
  Progress bar("evaluate", total, context.clock);
  EvaluationResult result;
  const Rng seeds(plan.trial.seed);
  std::uint64_t stream = 0;
  for (std::size_t repeat = 0; repeat < plan.repeats; ++repeat) {
    for (const EvaluationGoal& goal : plan.goals) {
      METE_TRY(const auto maker, controller_maker(plan, goal));
      for (std::size_t k = 0; k < kernels.size(); ++k) {
        if (context.interrupt.signal() != 0) return fail(Errc::failed, "interrupted");
        TrialOptions options = plan.trial;
        options.seed = seeds.fork(stream++).next();
        auto trial = run_trial(data.test, k, maker, options);
        if (!trial) return trial.error();
        result.trials.push_back(
            judge(kernels[k], data.test.at(k, trial->clock), goal, std::move(*trial), repeat));
      }
      bar.update(static_cast<double>(result.trials.size()), goal.words());
    }
  }
  bar.finish();
  sum_up(result, plan.repeats);
  result.baselines = baselines_of(data, plan.goals);
  return result;
}

Result<std::vector<ProgramArm>> evaluate_program(const Board& board, const std::string& program,
                                                 const EvaluatePlan& plan) {
  std::vector<ProgramArm> arms;
  METE_TRY(const auto maker, controller_maker(plan, plan.goals.front()));
  METE_TRY(auto own, run_program(board, program, maker, plan.trial));
  arms.push_back({plan.agent, own.spent, {}, own.requests, std::move(own.report)});
  for (std::size_t i = board.clocks.size(); i-- > 0;) {
    EvaluatePlan fixed;
    fixed.agent = "fixed";
    fixed.policy = fmt::format("GPU_FREQ={}", board.clocks[i]);
    METE_TRY(const auto holder, controller_maker(fixed, plan.goals.front()));
    METE_TRY(const auto run, run_program(board, program, holder, plan.trial));
    arms.push_back({format_quantity(board.clocks[i], "Hz", 4), run.spent, {}, run.requests, {}});
  }
  const Spent& top = arms[1].spent;
  for (ProgramArm& arm : arms) {
    arm.cost = {arm.spent.seconds / top.seconds, arm.spent.joules / top.joules};
  }
  return arms;
}

}  // namespace mete
