// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_search.h"

#include <algorithm>
#include <limits>

namespace mete {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Clocks nearer to each other than this, as a share of the highest, are not told apart.
constexpr double kFineStep = 0.02;

/// A phi asks for the best mean, but a time that is in more doubt than this counts as longer by the
/// rest of it.
constexpr double kUsualDoubt = 0.02;

}  // namespace

FrontierSearch::FrontierSearch(const std::vector<double>& shares, const FrontierGoal& goal)
    : shares_(shares), goal_(goal) {
  const bool all = shares.size() <= kFewClocks;
  // Wide enough to reach the lowest clock, should it come to that.
  const double step =
      std::min(kCoarseStep, std::pow(shares.front(), 1 / static_cast<double>(kMostCoarse)));
  double last = 1;
  for (std::size_t i = shares.size(); i-- > 0;) {
    if (i + 1 == shares.size()) continue;
    if (!all && i > 0 && shares[i] > last * step) continue;
    if (!all && coarse_.size() >= kMostCoarse) break;
    coarse_.push_back(i);
    last = shares[i];
  }
}

double FrontierSearch::cost(const ResponseAnswer& answer, bool highest) const noexcept {
  const double energy = std::exp(answer.log_time + answer.log_power);
  if (!goal_.bounded()) {
    const double unsure = std::exp(std::max(0.0, answer.doubt - kUsualDoubt));
    return ((1 - goal_.phi) * std::exp(answer.log_time) + goal_.phi * energy) * unsure;
  }
  const double surely = std::exp(answer.log_time + kBoundCaution * answer.doubt);
  return highest || surely <= 1 + goal_.max_slowdown ? energy : kInfinity;
}

std::size_t FrontierSearch::best(const ResponseEstimate& estimate) const noexcept {
  const std::size_t top = shares_.size() - 1;
  std::size_t best = top;
  double least = cost(estimate.at(top), true);
  for (std::size_t i = top; i-- > 0;) {
    if (!estimate.at(i).seen) continue;
    const double here = cost(estimate.at(i), false);
    if (here < least) {
      least = here;
      best = i;
    }
  }
  return best;
}

bool FrontierSearch::much_worse(const ResponseEstimate& estimate, std::size_t clock,
                                double least) const noexcept {
  const ResponseAnswer& answer = estimate.at(clock);
  if (goal_.bounded()) {
    return std::exp(answer.log_time - answer.doubt) > 1 + goal_.max_slowdown;
  }
  return cost(answer, false) > (1 + kWorse) * least;
}

std::size_t FrontierSearch::next(const ResponseEstimate& estimate, const std::vector<bool>& skip,
                                 std::size_t tried) const noexcept {
  if (tried >= kMostTrials) return none();
  const std::size_t chosen = best(estimate);
  const double least = cost(estimate.at(chosen), chosen + 1 == shares_.size());
  int worse = 0;
  for (const std::size_t clock : coarse_) {
    if (skip[clock]) continue;
    if (!estimate.at(clock).seen) return clock;
    worse = clock < chosen && much_worse(estimate, clock, least) ? worse + 1 : 0;
    if (worse == 2) break;
  }
  return refine(estimate, skip);
}

std::size_t FrontierSearch::refine(const ResponseEstimate& estimate,
                                   const std::vector<bool>& skip) const noexcept {
  // Half-way into the wider of the two gaps beside the best clock, until both are narrow.
  const std::size_t chosen = best(estimate);
  std::size_t above = chosen;
  while (above + 1 < shares_.size() && (above == chosen || !estimate.at(above).seen)) ++above;
  std::size_t below = chosen;
  while (below > 0 && (below == chosen || !estimate.at(below).seen)) --below;
  if (!estimate.at(below).seen) below = chosen;  // nothing below was tried, and nothing shall be
  const double up = shares_[above] - shares_[chosen];
  const double down = shares_[chosen] - shares_[below];
  const std::size_t low = up >= down ? chosen : below;
  const std::size_t high = up >= down ? above : chosen;
  if (high - low < 2 || shares_[high] - shares_[low] < 2 * kFineStep) return none();
  const std::size_t middle = low + (high - low) / 2;
  return skip[middle] || estimate.at(middle).seen ? none() : middle;
}

}  // namespace mete
