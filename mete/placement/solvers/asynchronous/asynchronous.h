// Moves that travel in chunks while kernels run, each direction on an engine of its own.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/placement/solver.h"

namespace mete {

/// The best of several synchronous plans, made for moves that cost less and less, with as much of
/// their moves hidden behind kernels as room and engines allow. The bound is that of moves which
/// cost nothing wherever a kernel runs between two uses, so the gap is wider than `synchronous`
/// has.
Result<Outcome> solve_asynchronous(const Problem& problem, const SolveRequest& request);

}  // namespace mete
