// A short walk down the branch-and-bound tree: decides what the relaxation leaves open, one
// decision at a time, solves again from the last basis, and rounds at every step. What it finds is
// where local search starts. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "mete/placement/compact_lp.h"
#include "mete/placement/search_state.h"

namespace mete {

struct BranchGoal {
  double stop_seconds = 0;       ///< good enough
  std::int64_t iterations = 0;   ///< of the simplex method, at most
  int solves = 0;                ///< at most
};

/// Keeps in `best` the fastest placement met, which it starts from. Errors: those of solve(), but
/// for branches that nothing satisfies.
Result<void> branch(CompactLp& lp, const UseIndex& index, std::uint64_t limit,
                    const Relaxation& root, const SearchState& clear, SearchState& best,
                    const BranchGoal& goal, const Interrupt& interrupt);

}  // namespace mete
