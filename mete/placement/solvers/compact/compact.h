// The solvers on the compact linear program: static and synchronous placements.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/placement/solver.h"

namespace mete {

Result<Outcome> solve_static(const Problem& problem, const SolveRequest& request);
Result<Outcome> solve_synchronous(const Problem& problem, const SolveRequest& request);

}  // namespace mete
