// From a profile and a limit to a plan that fits: the homes of parameters, the placement, the
// packing, and rounds of tightening where packing needs more than there is.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/execute/execution_plan.h"
#include "mete/execute/step_problem.h"
#include "mete/placement/solver.h"

namespace mete {

struct FitRequest {
  const Solver* solver = nullptr;
  /// With its limit: what the fast pool may hold.
  SolveRequest solve;
  std::size_t most_rounds = 8;  ///< of solving again with less at the kernels that overflow
  double pack_effort = 1;
  const Clock* clock = nullptr;
};

struct FittedPlan {
  StepProblem step;
  SolvedPlan solved;  ///< figures of this problem, for the original limit
  PlanDraft draft;
  /// Proven for any choice of homes and any packing: no plan of this kind is faster.
  double lower_bound_seconds = 0;
  double gap = 0;          ///< to it
  std::size_t rounds = 0;  ///< of tightening
  /// Of making the problem and of solving it: first to find homes, then once for each round.
  std::vector<double> make_seconds;
  std::vector<double> solve_seconds;
  double pack_seconds = 0;
};

/// Verified against the limit. `invalid` if the limit is below what works, saying the least where
/// that is known; `unsupported` if packing stayed above it in every round, saying by how much.
Result<FittedPlan> fit_plan(const Graph& graph, const Liveness& liveness,
                            std::span<const Layout> layouts, const GraphProfile& profile,
                            const FitRequest& request);

/// True for solvers whose tensors stay where they are put.
bool places_for_good(std::string_view solver);

/// Homes for the parameters of an open problem: fast for those of which the relaxation keeps more
/// than `threshold` in fast memory when the step ends.
std::vector<Home> decided_homes(const StepProblem& open, std::span<const double> fast_at_end,
                                double threshold);

}  // namespace mete
