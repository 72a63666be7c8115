// The solvers on the compact linear program: static and synchronous placements.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

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

/// What the relaxation says of tensors that return, before it is decided where to.
struct ReturningRelaxation {
  double bound_seconds = 0;  ///< proven, whatever is decided
  /// Per tensor: how much of it lies in fast memory at its last use, 0..1.
  std::vector<double> fast_at_end;
};
/// `overlapped`: for placements whose moves may travel beside kernels. `unsupported` if nothing
/// satisfies the limit.
Result<ReturningRelaxation> relax_returning(const Problem& problem, const SolveRequest& request,
                                            bool overlapped);

}  // namespace mete
