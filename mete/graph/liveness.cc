// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/liveness.h"

#include <algorithm>

namespace mete {
namespace {

class Grouping {
 public:
  Grouping(const Graph& graph, std::size_t nodes, const std::vector<bool>& copied_views)
      : graph_(graph), copied_views_(copied_views), last_use_(graph.tensors.size(), 0) {
    live_.group_of.assign(graph.tensors.size(), kNoGroup);
    for (NodeId n = 0; n < nodes; ++n) {
      for (const auto id : graph.nodes[n].inputs) last_use_[id] = n;
      for (const auto id : graph.nodes[n].outputs) last_use_[id] = n;
    }
    end_ = nodes == 0 ? 0 : static_cast<NodeId>(nodes - 1);
    for (const auto id : graph.results) last_use_[id] = end_;
    for (TensorId id = 0; id < graph.tensors.size(); ++id) {
      const Tensor& tensor = graph.tensors[id];
      if (tensor.producer != kNoNode) continue;
      open(id, 0);
      MemoryGroup& group = live_.groups.back();
      group.persistent = true;
      group.last = end_;
      live_.persistent_bytes += group.bytes;
    }
  }

  void place_results(NodeId n, bool in_place) {
    const GraphNode& node = graph_.nodes[n];
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (i == 0 && shares(node, n, in_place)) {
        join(node.outputs[0], live_.group_of[node.inputs[node.op->reused]]);
      } else {
        open(node.outputs[i], n);
      }
    }
  }

  Liveness take() { return std::move(live_); }

 private:
  void open(TensorId id, NodeId n) {
    live_.group_of[id] = static_cast<std::uint32_t>(live_.groups.size());
    live_.groups.push_back(MemoryGroup{graph_.tensors[id].bytes(), false, n, last_use_[id], {id}});
  }

  void join(TensorId id, std::uint32_t index) {
    MemoryGroup& group = live_.groups[index];
    live_.group_of[id] = index;
    group.last = std::max(group.last, last_use_[id]);
    group.tensors.push_back(id);
  }

  [[nodiscard]] bool shares(const GraphNode& node, NodeId n, bool in_place) const {
    if (node.op->reuse == Reuse::none) return false;
    if (n < copied_views_.size() && copied_views_[n]) return false;
    if (node.op->reuse != Reuse::may) return true;
    const TensorId reused = node.inputs[node.op->reused];
    const MemoryGroup& group = live_.groups[live_.group_of[reused]];
    if (!in_place || group.persistent || group.last > n) return false;
    if (group.bytes != graph_.tensors[node.outputs[0]].bytes()) return false;
    // The op must not read through another input what it has just overwritten.
    for (const auto id : node.inputs) {
      if (id != reused && live_.group_of[id] == live_.group_of[reused]) return false;
    }
    return true;
  }

  const Graph& graph_;
  const std::vector<bool>& copied_views_;
  std::vector<NodeId> last_use_;
  NodeId end_ = 0;
  Liveness live_;
};

}  // namespace

Liveness liveness_of(const Graph& graph, std::size_t nodes, bool in_place,
                     const std::vector<bool>& copied_views) {
  nodes = std::min(nodes, graph.nodes.size());
  Grouping grouping(graph, nodes, copied_views);
  for (NodeId n = 0; n < nodes; ++n) grouping.place_results(n, in_place);
  Liveness live = grouping.take();
  std::vector<std::uint64_t> born(nodes, 0);
  std::vector<std::uint64_t> freed(nodes + 1, 0);
  for (const auto& group : live.groups) {
    if (group.persistent) continue;
    born[group.first] += group.bytes;
    freed[group.last + 1] += group.bytes;
  }
  live.peak_bytes = live.persistent_bytes;
  std::uint64_t now = live.persistent_bytes;
  for (NodeId n = 0; n < nodes; ++n) {
    now = now - freed[n] + born[n];
    live.bytes_at.push_back(now);
    if (now > live.peak_bytes) {
      live.peak_bytes = now;
      live.peak_node = n;
    }
  }
  return live;
}

}  // namespace mete
