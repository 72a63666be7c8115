// Dives into the branch-and-bound tree: each decides what the relaxation leaves open, one decision
// at a time, solves again from the last basis, and rounds at every step. The first takes the
// likeliest side of the clearest decision, later ones draw by the relaxation's fractions. What they
// find is where local search starts. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "mete/base/interrupt.h"
#include "mete/base/rng.h"
#include "mete/placement/compact_lp.h"
#include "mete/placement/search_state.h"

namespace mete {

struct DiveGoal {
  double stop_gap = 0;          ///< (seconds - bound) / bound: good enough
  std::int64_t iterations = 0;  ///< of the simplex method, at most
  int solves = 0;               ///< at most
};

/// Keeps in `best`, which holds a placement already, the fastest one met. `clear` holds nothing
/// that can be slow. Errors: those of solve(), but for branches that nothing satisfies.
Result<void> dive(CompactLp& lp, const UseIndex& index, std::uint64_t limit, const Relaxation& root,
                  const SearchState& clear, SearchState& best, Rng& rng, const DiveGoal& goal,
                  const Interrupt& interrupt);

/// Best first: branches where the bound is lowest, on the largest and least clear decision. Keeps
/// the fastest placement in `best`; returns the bound that the tree as far as it was grown proves.
Result<double> branch(CompactLp& lp, const UseIndex& index, std::uint64_t limit,
                      const Relaxation& root, const SearchState& clear, SearchState& best,
                      const DiveGoal& goal, const Interrupt& interrupt);

}  // namespace mete
