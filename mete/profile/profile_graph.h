// From a graph to the kernels that must be measured. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "mete/profile/kernel_timer.h"
#include "mete/profile/profile.h"

namespace mete {

/// Nodes that differ in nothing that matters share one kernel.
struct GraphKernels {
  std::vector<TimedKernel> kernels;    ///< in the order in which the graph first runs them
  std::vector<std::uint32_t> of_node;  ///< kNoProfile for free views
  std::vector<NodeId> first_node;      ///< per kernel
};
/// `unsupported` for a node with more slots than a mask has bits.
Result<GraphKernels> kernels_of(const Graph& graph, const Liveness& liveness,
                                std::span<const Layout> layouts, int threads,
                                std::uint64_t cache_bytes);

}  // namespace mete
