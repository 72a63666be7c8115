// The integer program of AutoTM (Hildebrand et al., ASPLOS 2020), synchronous form, as its program
// wrote it, on CBC: for auditing other solvers on small graphs. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include "mete/placement/solver.h"

namespace mete {

/// Ends at request.target_gap, or after a minute × effort with what it has.
Result<Outcome> solve_autotm(const Problem& problem, const SolveRequest& request);

}  // namespace mete
