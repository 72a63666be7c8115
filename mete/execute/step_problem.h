// The placement problem of a training step: from a graph, the memory it needs, and what each of its
// kernels takes. docs/execution.md has the rules for what lives from step to step.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/graph.h"
#include "mete/graph/liveness.h"
#include "mete/placement/problem.h"
#include "mete/profile/profile.h"

namespace mete {

/// Where a parameter lies between two steps. It must end a step where the next one looks for it.
enum class Home : std::uint8_t {
  none,   ///< lives within the step only; inputs too: they are delivered to where the step begins
  still,  ///< stays where it is put, for good: placements without moves
  open,   ///< not decided: for the relaxation that decides it; its placements cannot be run
  slow,   ///< in slow memory: the step reads it from there and writes its update back
  fast,   ///< in fast memory: it may leave and come back, but begins, is updated and ends there
};

/// What a kernel of the problem stands for.
struct KernelOrigin {
  enum class Kind : std::uint8_t {
    start,    ///< what is there when the step begins
    node,     ///< a node of the graph
    updated,  ///< a parameter has just been updated: its new version begins
    end,      ///< what must be there when the step ends
  };
  Kind kind = Kind::node;
  NodeId node = kNoNode;  ///< node, updated
  std::uint32_t profile = kNoProfile;
};

/// What a tensor of the problem stands for. Tensors do not change, so each update of a parameter
/// makes a new one: a version of the same memory.
struct TensorOrigin {
  std::uint32_t group = kNoGroup;
  std::uint32_t version = 0;
  bool first_version = false;
  bool last_version = false;  ///< with Home::slow the version after the last update has no tensor
};

struct StepProblem {
  Problem problem;  ///< sizes rounded up to what packing aligns to, so that peaks can be met
  std::vector<KernelOrigin> kernels;  ///< per kernel of the problem
  std::vector<TensorOrigin> tensors;  ///< per tensor of the problem
  std::vector<Home> homes;            ///< per group
};

/// `liveness`: without in-place reuse, with the views that are copies. `homes`: one per group, none
/// for groups that are not parameters. `invalid` if the profile is not of this graph.
Result<StepProblem> problem_of(const Graph& graph, const Liveness& liveness,
                               const GraphProfile& profile, std::span<const Home> homes);

/// The same home for every parameter, none for the rest.
std::vector<Home> homes_of(const Graph& graph, const Liveness& liveness, Home home);

/// What is left to pay for an update, made in fast memory, of a parameter that lives in slow
/// memory: the copy back. It is part of the updating kernel's time in the problem.
double write_back_seconds(std::uint64_t bytes, const MoveRates& rates);

}  // namespace mete
