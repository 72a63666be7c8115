// Evaluation: how good was the clock that an agent settled on, beside the best one that was
// measured? Pure arithmetic over measured tables.
//
//   kernel     what was measured at every clock: the truth
//   goal       phi: the least (1-phi)·T/T0 + phi·E/E0; or the least energy with T/T0 within a bound
//   T0, E0     time and energy at the highest clock
//   regret     objective minus that of the best measured clock: in shares of what the top clock
//   costs
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mete/base/stats.h"

namespace mete {

struct MeasuredKernel {
  std::string name;
  std::vector<double> clocks;   ///< Hz, ascending, at least two
  std::vector<double> seconds;  ///< one per clock, > 0
  std::vector<double> watts;    ///< one per clock, > 0
};

/// Exactly one of the two counts: the phi if there is one.
struct EvaluationGoal {
  std::optional<double> phi;
  double max_slowdown = 0.10;  ///< fraction

  [[nodiscard]] std::string words() const;
};

/// T/T0 and E/E0.
struct RelativeCost {
  double time = 1;
  double energy = 1;
};
/// At one of the kernel's clocks.
RelativeCost relative_cost(const MeasuredKernel& kernel, std::size_t clock);
/// (1-phi)·T/T0 + phi·E/E0 for a phi, else E/E0.
double objective(const EvaluationGoal& goal, const RelativeCost& cost);
/// The best measured clock; the higher one of equals. With a bound the top clock is always within.
std::size_t oracle_clock(const MeasuredKernel& kernel, const EvaluationGoal& goal);
/// The kernel's clock nearest to `hertz`.
std::size_t nearest_clock(const MeasuredKernel& kernel, double hertz);

/// The one clock, as a fraction of the highest, that serves a set of kernels best: the least mean
/// objective; with a bound, the least mean energy among those whose mean time is within it. Chosen
/// among the first kernel's clocks; 1 without kernels.
double best_single_clock(std::span<const MeasuredKernel> kernels, const EvaluationGoal& goal);

/// One settled clock, judged.
struct Score {
  std::string kernel;
  EvaluationGoal goal;
  double clock = 0;   ///< Hz
  double oracle = 0;  ///< Hz
  RelativeCost cost;
  RelativeCost oracle_cost;
  /// Objective minus the oracle's. It may be negative: a clock over a bound, or between two
  /// measured ones, can do better than the oracle.
  double regret = 0;
  /// T/T0 - 1 - bound; negative within. 0 for a phi.
  double over_bound = 0;
};
/// `cost`: of running at `hertz`, which need not be a measured clock.
Score score_clock(const MeasuredKernel& kernel, const EvaluationGoal& goal, double hertz,
                  const RelativeCost& cost);
/// At the measured clock nearest to `hertz`.
Score score_clock(const MeasuredKernel& kernel, const EvaluationGoal& goal, double hertz);

/// More than this over a bound counts as a case.
inline constexpr double kBoundTolerance = 0.01;

struct ScoreSummary {
  std::size_t cases = 0;
  double regret_mean = 0;
  double regret_p95 = 0;
  double regret_max = 0;
  double energy_saved = 0;         ///< mean of 1 - E/E0
  double slowdown = 0;             ///< mean of T/T0 - 1
  double oracle_energy_saved = 0;  ///< the same of the oracle
  double oracle_slowdown = 0;
  double saving_kept = 0;  ///< energy_saved over the oracle's; NaN where that saves nothing
  std::size_t over_bound_cases = 0;  ///< more than kBoundTolerance over
  std::size_t beyond_bound = 0;      ///< over by anything
  double over_bound_worst = 0;       ///< the largest excess, 0 if none
};
ScoreSummary summarise_scores(std::span<const Score> scores);

}  // namespace mete
