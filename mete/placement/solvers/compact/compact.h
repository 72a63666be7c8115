// The solvers on the compact linear program: static and synchronous placements.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/placement/solver.h"

namespace mete {

Result<Outcome> solve_static(const Problem& problem, const SolveRequest& request);
Result<Outcome> solve_synchronous(const Problem& problem, const SolveRequest& request);

/// With less fast memory than this, no placement of the kind takes `seconds` or less: proven by the
/// relaxation. 0 if it proves nothing.
Result<std::uint64_t> least_static_memory(const Problem& problem, double seconds,
                                          LpRuntime& runtime, const Interrupt& interrupt);
Result<std::uint64_t> least_synchronous_memory(const Problem& problem, double seconds,
                                               LpRuntime& runtime, const Interrupt& interrupt);

}  // namespace mete
