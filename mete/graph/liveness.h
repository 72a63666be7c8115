// Which tensors share memory, from when until when each piece of memory is needed, and the most
// that is needed at once. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

#include "mete/graph/graph.h"

namespace mete {

/// Tensors that share memory: a view and its source; an in-place result and what it overwrites.
struct MemoryGroup {
  std::uint64_t bytes = 0;
  bool persistent = false;  ///< inputs and parameters: needed for the whole step
  NodeId first = 0;         ///< needed from this node ..
  NodeId last = 0;          ///< .. to this one, both included
  std::vector<TensorId> tensors;
};

struct Liveness {
  std::vector<std::uint32_t> group_of;  ///< per tensor; kNoGroup if these nodes do not touch it
  std::vector<MemoryGroup> groups;
  std::vector<std::uint64_t> bytes_at;  ///< per node: all memory needed while it runs
  std::uint64_t persistent_bytes = 0;
  std::uint64_t peak_bytes = 0;  ///< the most of bytes_at
  NodeId peak_node = 0;
};
inline constexpr std::uint32_t kNoGroup = kNoTensor;

/// For the first `nodes` nodes of a graph. A result overwrites an input only where its op may, and
/// nothing needs that input, nor anything that shares its memory, afterwards. Without `in_place`
/// only views and updates of parameters share. `copied_views`: per node, true where what the op
/// calls a view must be a copy, because the two lie in memory in different orders; empty: nowhere.
Liveness liveness_of(const Graph& graph, std::size_t nodes, bool in_place = true,
                     const std::vector<bool>& copied_views = {});

}  // namespace mete
