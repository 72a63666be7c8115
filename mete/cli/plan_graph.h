// `mete plan GRAPH`: the problem made from a model and its profile. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mete/cli/memory_setup.h"
#include "mete/placement/problem.h"
#include "mete/placement/solver.h"

namespace mete {

/// "zoo:resnet50", "model.onnx": what is no file of a placement problem.
bool names_a_graph(std::string_view argument);

struct GraphPlanRequest {
  std::string graph;
  MemoryOptions memory;
  std::string ratio;
  std::string fast_memory;
  std::optional<double> max_slowdown;  ///< the least fast memory that keeps this; not both
  std::string optimizer;
  SolveRequest solve;  ///< without its limit
};

struct GraphPlan {
  Problem problem;
  SolvedPlan solved;  ///< its bound holds for any choice of where parameters live
  double solve_seconds = 0;
};
/// Profiles what the store does not know yet, with progress; then plans and packs, as `mete fit`
/// does.
Result<GraphPlan> plan_graph(const GraphPlanRequest& request, const Context& context);

}  // namespace mete
