// From the relaxation's fractions to a placement, and on from there: repair, then large
// neighbourhoods. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/base/interrupt.h"
#include "mete/base/rng.h"
#include "mete/placement/compact_lp.h"
#include "mete/placement/search_state.h"

namespace mete {

struct SearchGoal {
  double stop_seconds = 0;  ///< good enough
  std::uint64_t work = 0;   ///< steps of dynamic programming, at most
  const Interrupt* interrupt = nullptr;
};

/// Puts what the relaxation placed in whole numbers, then every other tensor on its best path, then
/// all tensors again until nothing changes.
void round_and_repair(SearchState& state, const UseIndex& index, const Relaxation& relaxation);

/// Puts what a placement of more room holds wherever there still is room for it, and every other
/// tensor on its best path; then all tensors again until nothing changes.
void take_and_repair(SearchState& state, const UseIndex& index, const Placement& placement,
                     std::span<const double> memory_price);

/// Takes out a few tensors that live together and puts each back on its best path, in another order
/// and under other prices; keeps what is faster.
void search(SearchState& state, const UseIndex& index, const Relaxation& relaxation, Rng& rng,
            const SearchGoal& goal);

}  // namespace mete
