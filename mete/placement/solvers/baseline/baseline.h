// Placements made by a rule, without looking at any time: what plans are compared with.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/placement/solver.h"

namespace mete {

Result<Outcome> solve_all_fast(const Problem& problem, const SolveRequest& request);
Result<Outcome> solve_all_slow(const Problem& problem, const SolveRequest& request);
Result<Outcome> solve_numa(const Problem& problem, const SolveRequest& request);

}  // namespace mete
