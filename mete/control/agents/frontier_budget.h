// How the frontier agent spends a slowdown that is allowed for a whole program on the pieces of
// work that it is made of: where a second lost saves the most energy. Pure; allocates nothing.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>

#include "mete/learn/response_estimate.h"

namespace mete {

/// No piece of work is slowed by more than this many times the bound, however little of the program
/// it is: what comes next is not known.
inline constexpr double kMostOfBound = 2;

inline constexpr std::size_t kMostShares = 8;

struct BudgetShare {
  const ResponseEstimate* estimate = nullptr;
  double work = 0;        ///< seconds that it would have taken at the highest clock
  double watts = 0;       ///< at the highest clock
  std::size_t clock = 0;  ///< the answer: a place among the clocks that were seen
};

/// Fills in the clocks (of more than kMostShares shares, the highest): of the least energy for
/// which the whole takes at most 1 + bound times as long as at the highest clock, times being
/// believed with kBoundCaution standard deviations added. One share alone gets its clock of least
/// energy within the bound. Exact but for the time being counted in 256 parts of what is allowed.
void spend_budget(std::span<BudgetShare> shares, double bound) noexcept;

}  // namespace mete
