// Which clock next, and which clock at last: the search of the frontier agent, for one piece of
// work whose answers come from an estimate. Pure; allocates nothing.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "mete/learn/response_estimate.h"

namespace mete {

struct FrontierGoal {
  double phi = 0.5;           ///< NaN: the bound counts
  double max_slowdown = 0.1;  ///< fraction

  [[nodiscard]] bool bounded() const { return std::isnan(phi); }
};

/// With a bound, a clock must keep it by this many standard deviations of what is believed.
inline constexpr double kBoundCaution = 1.5;
/// At most so many clocks are tried for one piece of work, the highest not counted.
inline constexpr std::size_t kMostTrials = 14;
/// Up to so many clocks, each may be tried; of more, those about kCoarseStep apart first, or
/// farther apart if more than kMostCoarse would be needed.
inline constexpr std::size_t kFewClocks = 15;
inline constexpr double kCoarseStep = 0.92;
inline constexpr std::size_t kMostCoarse = 11;
/// Two clocks running worse than the best one by this share of the objective: lower ones are not
/// tried.
inline constexpr double kWorse = 0.04;

class FrontierSearch {
 public:
  /// `shares`: clocks over the highest, ascending.
  FrontierSearch(const std::vector<double>& shares, const FrontierGoal& goal);

  /// The seen clock that serves the goal best.
  [[nodiscard]] std::size_t best(const ResponseEstimate& estimate) const noexcept;
  /// The next clock to try, or `none()`. `skip` marks clocks that cannot be had; `tried` is how
  /// many were tried already.
  [[nodiscard]] std::size_t next(const ResponseEstimate& estimate, const std::vector<bool>& skip,
                                 std::size_t tried) const noexcept;
  [[nodiscard]] std::size_t none() const noexcept { return shares_.size(); }
  /// What is to be small; infinite for a clock that breaks the bound.
  [[nodiscard]] double cost(const ResponseAnswer& answer, bool highest) const noexcept;

 private:
  [[nodiscard]] bool much_worse(const ResponseEstimate& estimate, std::size_t clock,
                                double least) const noexcept;
  [[nodiscard]] std::size_t refine(const ResponseEstimate& estimate,
                                   const std::vector<bool>& skip) const noexcept;

  std::vector<double> shares_;
  std::vector<std::size_t> coarse_;  ///< descending, without the highest
  FrontierGoal goal_;
};

}  // namespace mete
