// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "mete/profile/profile.h"

namespace mete {
namespace {

std::uint32_t slot_of(std::vector<std::uint32_t>& groups, std::uint32_t group) {
  const auto found = std::find(groups.begin(), groups.end(), group);
  if (found == groups.end()) {
    groups.push_back(group);
    return static_cast<std::uint32_t>(groups.size() - 1);
  }
  return static_cast<std::uint32_t>(found - groups.begin());
}

}  // namespace

NodeSlots slots_of(const Graph& graph, const Liveness& liveness, NodeId node) {
  const GraphNode& n = graph.nodes[node];
  NodeSlots slots;
  for (const TensorId id : n.inputs) {
    slots.of_input.push_back(slot_of(slots.groups, liveness.group_of[id]));
  }
  for (const TensorId id : n.outputs) {
    slots.of_output.push_back(slot_of(slots.groups, liveness.group_of[id]));
  }
  return slots;
}

double KernelProfile::seconds(std::uint32_t slow_mask) const {
  const auto timing_of = [this](std::uint32_t mask) {
    const auto at = std::lower_bound(
        timings.begin(), timings.end(), mask,
        [](const PlacementTiming& timing, std::uint32_t m) { return timing.slow_mask < m; });
    return at != timings.end() && at->slow_mask == mask ? &*at : nullptr;
  };
  if (const auto* measured = timing_of(slow_mask)) return measured->median_seconds;
  const double fast = timings.empty() ? 0 : timings.front().median_seconds;
  double sum = fast;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    if ((slow_mask >> slot & 1U) == 0) continue;
    // What a tensor adds in slow memory is never less than nothing: below it is noise, and noise
    // of many slots would add up.
    if (const auto* single = timing_of(std::uint32_t{1} << slot)) {
      sum += std::max(0.0, single->median_seconds - fast);
    }
  }
  return sum;
}

double GraphProfile::all_fast_seconds() const {
  double sum = 0;
  for (const auto index : of_node) sum += index == kNoProfile ? 0 : kernels[index].seconds(0);
  return sum;
}

double GraphProfile::all_slow_seconds() const {
  double sum = 0;
  for (const auto index : of_node) {
    sum += index == kNoProfile ? 0 : kernels[index].seconds(kernels[index].all_slow());
  }
  return sum;
}

}  // namespace mete
