// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {

std::string EvaluationGoal::words() const {
  if (phi) return fmt::format("phi {:.4g}", *phi);
  return fmt::format("at most {} slower", format_percent(max_slowdown));
}

RelativeCost relative_cost(const MeasuredKernel& kernel, std::size_t clock) {
  const double time = kernel.seconds[clock] / kernel.seconds.back();
  return {time, time * kernel.watts[clock] / kernel.watts.back()};
}

double objective(const EvaluationGoal& goal, const RelativeCost& cost) {
  return goal.phi ? (1 - *goal.phi) * cost.time + *goal.phi * cost.energy : cost.energy;
}

std::size_t oracle_clock(const MeasuredKernel& kernel, const EvaluationGoal& goal) {
  std::size_t best = kernel.clocks.size() - 1;
  double least = objective(goal, relative_cost(kernel, best));
  for (std::size_t i = best; i-- > 0;) {
    const RelativeCost cost = relative_cost(kernel, i);
    if (!goal.phi && cost.time > 1 + goal.max_slowdown) continue;
    if (objective(goal, cost) < least) {
      least = objective(goal, cost);
      best = i;
    }
  }
  return best;
}

std::size_t nearest_clock(const MeasuredKernel& kernel, double hertz) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < kernel.clocks.size(); ++i) {
    if (std::abs(kernel.clocks[i] - hertz) < std::abs(kernel.clocks[best] - hertz)) best = i;
  }
  return best;
}

double best_single_clock(std::span<const MeasuredKernel> kernels, const EvaluationGoal& goal) {
  if (kernels.empty()) return 1;
  const MeasuredKernel& first = kernels.front();
  double best = 1;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = first.clocks.size(); i-- > 0;) {
    const double share = first.clocks[i] / first.clocks.back();
    double time = 0;
    double value = 0;
    for (const MeasuredKernel& kernel : kernels) {
      const RelativeCost cost =
          relative_cost(kernel, nearest_clock(kernel, share * kernel.clocks.back()));
      time += cost.time / static_cast<double>(kernels.size());
      value += objective(goal, cost) / static_cast<double>(kernels.size());
    }
    if (!goal.phi && time > 1 + goal.max_slowdown) continue;
    if (value < least) {
      least = value;
      best = share;
    }
  }
  return best;
}

Score score_clock(const MeasuredKernel& kernel, const EvaluationGoal& goal, double hertz,
                  const RelativeCost& cost) {
  const std::size_t oracle = oracle_clock(kernel, goal);
  Score score;
  score.kernel = kernel.name;
  score.goal = goal;
  score.clock = hertz;
  score.oracle = kernel.clocks[oracle];
  score.cost = cost;
  score.oracle_cost = relative_cost(kernel, oracle);
  score.regret = objective(goal, score.cost) - objective(goal, score.oracle_cost);
  if (!goal.phi) score.over_bound = score.cost.time - 1 - goal.max_slowdown;
  return score;
}

Score score_clock(const MeasuredKernel& kernel, const EvaluationGoal& goal, double hertz) {
  const std::size_t at = nearest_clock(kernel, hertz);
  return score_clock(kernel, goal, kernel.clocks[at], relative_cost(kernel, at));
}

ScoreSummary summarise_scores(std::span<const Score> scores) {
  ScoreSummary out;
  out.cases = scores.size();
  if (scores.empty()) return out;
  std::vector<double> regrets;
  const double n = static_cast<double>(scores.size());
  for (const Score& score : scores) {
    regrets.push_back(score.regret);
    out.energy_saved += (1 - score.cost.energy) / n;
    out.slowdown += (score.cost.time - 1) / n;
    out.oracle_energy_saved += (1 - score.oracle_cost.energy) / n;
    out.oracle_slowdown += (score.oracle_cost.time - 1) / n;
    if (score.over_bound > 0) ++out.beyond_bound;
    if (score.over_bound > kBoundTolerance) ++out.over_bound_cases;
    out.over_bound_worst = std::max(out.over_bound_worst, score.over_bound);
  }
  out.regret_mean = mean_of(regrets);
  out.regret_p95 = quantile_of(regrets, 0.95);
  out.regret_max = quantile_of(regrets, 1);
  out.saving_kept = out.oracle_energy_saved > 0 ? out.energy_saved / out.oracle_energy_saved
                                                : std::numeric_limits<double>::quiet_NaN();
  return out;
}

}  // namespace mete
