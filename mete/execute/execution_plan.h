// A placement as steps that a machine can run: kernels with the addresses of their operands, copies
// between the pools, copies beside kernels. Made from a placement, judged by verify() before it
// runs. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/execute/step_problem.h"
#include "mete/graph/graph.h"
#include "mete/graph/liveness.h"
#include "mete/kernel/layout.h"
#include "mete/placement/placement.h"
#include "mete/profile/profile.h"

namespace mete {

/// A place in one of the two pools: bytes from its first.
struct PoolPlace {
  bool fast = false;
  std::uint64_t offset = 0;
  bool operator==(const PoolPlace&) const = default;
};

enum class StepKind : std::uint8_t {
  run,    ///< a node's kernel
  copy,   ///< and wait for it
  begin,  ///< a copy beside what follows
  wait,   ///< for all copies that have begun
};

struct PlanStep {
  StepKind kind = StepKind::run;
  NodeId node = kNoNode;           ///< run
  std::vector<PoolPlace> inputs;   ///< run: per input of the node
  std::vector<PoolPlace> outputs;  ///< run: per output
  TensorId tensor = kNoTensor;     ///< copy, begin: what moves, for people
  PoolPlace from = {};             ///< copy, begin
  PoolPlace to = {};
  std::uint64_t bytes = 0;
  double predicted_seconds = 0;  ///< begin: 0; wait: what the copies take longer than their kernel
};

struct HeldTensor {
  TensorId tensor = kNoTensor;
  PoolPlace place = {};
};

struct ExecutionPlan {
  std::string graph;         ///< its name
  std::uint64_t shapes = 0;  ///< shape_digest() of it
  std::string solver;        ///< what made the placement
  std::uint64_t fast_bytes = 0;
  std::uint64_t slow_bytes = 0;
  double predicted_seconds = 0;
  /// What it was predicted for; without a machine where that is not known.
  ProfileEnvironment predicted_in;
  std::vector<PlanStep> steps;
  /// Parameters and inputs: where each step finds them. Parameters are there again, updated, when
  /// it ends; inputs are delivered anew for every step.
  std::vector<HeldTensor> begins;
  std::vector<HeldTensor> results;  ///< where the graph's results are when it ends
};

/// How full the pools are over the step.
struct PoolFigures {
  std::uint64_t fast_peak_bytes = 0;  ///< most that lives at once
  std::uint64_t slow_peak_bytes = 0;
  std::vector<std::uint64_t> fast_over;  ///< per kernel of the problem: packed above the limit
};

struct PlanDraft {
  ExecutionPlan plan;
  PoolFigures pools;
};

struct DraftRequest {
  std::uint64_t limit_bytes = kNoLimit;  ///< a fast pool of this size is good enough
  std::uint64_t seed = 1;
  double pack_effort = 1;
};

/// From a placement that validate() accepts; a pool above the limit is no error here, see
/// PoolFigures. `internal` if packing went wrong. Homes must be decided.
Result<PlanDraft> draft_plan(const Graph& graph, const Liveness& liveness, const StepProblem& step,
                             const Placement& placement, const DraftRequest& request);

/// The judge. It knows the graph, and follows which bytes hold which tensor as the steps run; it
/// shares no code with draft_plan(), and asks nothing of it. Refused, naming the step: reading what
/// is not there (never written, overwritten, old, still on its way), writing what is being copied,
/// addresses outside of the pools, a node left out or run twice or too early, parameters that are
/// not where the next step looks for them, a fast pool above the limit.
Result<void> verify(const ExecutionPlan& plan, const Graph& graph, std::span<const Layout> layouts,
                    std::uint64_t limit_bytes = kNoLimit);

/// Of every node's op and every tensor's type: another batch, another digest.
std::uint64_t shape_digest(const Graph& graph);

/// `mete.execution/1` (docs/formats/execution.md).
std::string execution_text(const ExecutionPlan& plan);
/// Errors start with `where`. What it returns must go through verify().
Result<ExecutionPlan> parse_execution(std::string_view text, const std::string& where);

}  // namespace mete
