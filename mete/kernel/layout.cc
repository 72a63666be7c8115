// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/layout.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <numeric>

#include "mete/graph/ops.h"
#include "mete/kernel/blocked_layout.h"

namespace mete {
namespace {

/// Which operands of an op must agree, beside the one whose memory the result may take.
enum class Ties : std::uint8_t {
  none,
  all,     ///< every operand with four axes
  axis_1,  ///< the same, if the op works along axis 1: channels stay channels
};

struct LayoutRule {
  const Op* op;
  unsigned image_inputs = 0;  ///< bit i: input i is an image, if it has four axes
  bool image_result = false;  ///< the first result is one
  Ties ties = Ties::none;
};

// Ops that are not listed (matrix multiply, transpose, ..) tie nothing.
constexpr std::array kRules{
    LayoutRule{&kConvOp, 0b01, true},
    LayoutRule{&kConvBackwardDataOp, 0b01, true},
    LayoutRule{&kConvBackwardFilterOp, 0b11, false},
    LayoutRule{&kMaxPoolOp, 0b01, true},
    LayoutRule{&kMaxPoolBackwardOp, 0b11, true},
    LayoutRule{&kAveragePoolOp, 0b01, true},
    LayoutRule{&kAveragePoolBackwardOp, 0b01, true},
    LayoutRule{&kBatchNormOp, 0b001, true},
    LayoutRule{&kBatchNormBackwardOp, 0b00011, true},
    LayoutRule{&kFixedNormOp, 0b00001, true},
    LayoutRule{&kFixedNormBackwardOp, 0b00011, true},
    LayoutRule{&kBiasOp, 0, false, Ties::all},
    LayoutRule{&kReluOp, 0, false, Ties::all},
    LayoutRule{&kReluBackwardOp, 0, false, Ties::all},
    LayoutRule{&kGeluOp, 0, false, Ties::all},
    LayoutRule{&kGeluBackwardOp, 0, false, Ties::all},
    LayoutRule{&kAddOp, 0, false, Ties::all},
    LayoutRule{&kMultiplyOp, 0, false, Ties::all},
    LayoutRule{&kSoftmaxBackwardOp, 0, false, Ties::all},
    LayoutRule{&kLogisticLossOp, 0, false, Ties::all},
    LayoutRule{&kLogisticLossBackwardOp, 0, false, Ties::all},
    LayoutRule{&kSigmoidOp, 0, false, Ties::all},
    LayoutRule{&kSigmoidBackwardOp, 0, false, Ties::all},
    LayoutRule{&kTanhOp, 0, false, Ties::all},
    LayoutRule{&kTanhBackwardOp, 0, false, Ties::all},
    LayoutRule{&kClipOp, 0, false, Ties::all},
    LayoutRule{&kClipBackwardOp, 0, false, Ties::all},
    LayoutRule{&kAffineOp, 0, false, Ties::all},
    LayoutRule{&kScaleOp, 0, false, Ties::all},
    LayoutRule{&kBroadcastOp, 0, false, Ties::all},
    LayoutRule{&kReduceSumOp, 0, false, Ties::all},
    LayoutRule{&kSgdOp, 0, false, Ties::all},
    LayoutRule{&kConcatOp, 0, false, Ties::axis_1},
    LayoutRule{&kSliceOp, 0, false, Ties::axis_1},
    LayoutRule{&kSliceBackwardOp, 0, false, Ties::axis_1},
};

const LayoutRule* rule_of(const Op& op) {
  for (const auto& rule : kRules) {
    // By name: a graph that a plugin made has that plugin's copies of the ops.
    if (rule.op->name == op.name) return &rule;
  }
  return nullptr;
}

/// Tensors that must have one layout, as a union-find.
class Families {
 public:
  explicit Families(const Graph& graph)
      : graph_(graph), parent_(graph.tensors.size()), image_(graph.tensors.size(), false) {
    std::iota(parent_.begin(), parent_.end(), TensorId{0});
  }

  void add(const GraphNode& node) {
    const bool shares = node.op->reuse == Reuse::may || node.op->reuse == Reuse::must;
    if (shares) tie(node.inputs[node.op->reused], node.outputs[0]);
    const LayoutRule* rule = rule_of(*node.op);
    if (rule == nullptr) return;
    for (std::size_t i = 0; i < node.inputs.size() && i < 8; ++i) {
      if ((rule->image_inputs >> i & 1U) != 0) mark_image(node.inputs[i]);
    }
    if (rule->image_result) mark_image(node.outputs[0]);
    if (rule->ties == Ties::all || (rule->ties == Ties::axis_1 && node.attributes.axis == 1)) {
      for (const auto id : node.inputs) tie(id, node.outputs[0]);
    }
  }

  [[nodiscard]] bool is_image(TensorId id) { return has_four_axes(id) && image_[root(id)]; }

 private:
  [[nodiscard]] bool has_four_axes(TensorId id) const {
    return graph_.tensors[id].type.shape.rank() == 4;
  }

  TensorId root(TensorId id) {
    while (parent_[id] != id) {
      parent_[id] = parent_[parent_[id]];
      id = parent_[id];
    }
    return id;
  }

  void tie(TensorId a, TensorId b) {
    if (!has_four_axes(a) || !has_four_axes(b)) return;
    a = root(a);
    b = root(b);
    parent_[a] = b;
    image_[b] = image_[a] || image_[b];
  }

  void mark_image(TensorId id) {
    if (has_four_axes(id)) image_[root(id)] = true;
  }

  const Graph& graph_;
  std::vector<TensorId> parent_;
  std::vector<bool> image_;  ///< of roots
};

/// How the elements of images lie, apart from the shape: in runs of so many channels, which stand
/// side by side at each of so many positions (rows x columns). Row-major order is {1, 1}.
struct ChannelRuns {
  std::int64_t channels = 1;
  std::uint64_t positions = 1;

  bool operator==(const ChannelRuns&) const = default;
};

ChannelRuns runs_of(const Shape& shape, Layout layout) {
  if (layout != Layout::channels_last && layout != Layout::blocked) return {};
  const std::int64_t channels = layout == Layout::blocked ? kLayoutBlock : shape[1];
  const std::uint64_t positions = Shape{shape[2], shape[3]}.elements();
  return channels == 1 || positions == 1 ? ChannelRuns{} : ChannelRuns{channels, positions};
}

}  // namespace

std::string_view layout_name(Layout layout) {
  switch (layout) {
    case Layout::plain:
      return "plain";
    case Layout::channels_last:
      return "channels-last";
    case Layout::blocked:
      return "blocked";
    default:
      return "filter-blocked";
  }
}

std::vector<Layout> assign_layouts(const Graph& graph) {
  Families families(graph);
  for (const auto& node : graph.nodes) families.add(node);
  std::vector<Layout> layouts(graph.tensors.size(), Layout::plain);
  for (TensorId id = 0; id < layouts.size(); ++id) {
    if (families.is_image(id)) layouts[id] = Layout::channels_last;
  }
  return layouts;
}

bool is_free_view(const Graph& graph, NodeId node, std::span<const Layout> layouts) {
  const GraphNode& of = graph.nodes[node];
  if (of.op->reuse != Reuse::view) return false;
  const TensorId from = of.inputs[of.op->reused];
  const TensorId to = of.outputs[0];
  if (layouts[from] == Layout::filter_blocked || layouts[to] == Layout::filter_blocked)
    return false;
  return runs_of(graph.tensors[from].type.shape, layouts[from]) ==
         runs_of(graph.tensors[to].type.shape, layouts[to]);
}

void convert_layout(const TensorType& type, const void* from, Layout from_layout, void* to,
                    Layout to_layout) {
  const Shape& shape = type.shape;
  if (from_layout == to_layout) {
    std::memcpy(to, from, type.bytes());
    return;
  }
  const std::size_t size = bytes_of(type.type);
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  // Two layouts that differ have four axes.
  std::array<std::int64_t, 4> at{};
  for (at[0] = 0; at[0] < shape[0]; ++at[0]) {
    for (at[1] = 0; at[1] < shape[1]; ++at[1]) {
      for (at[2] = 0; at[2] < shape[2]; ++at[2]) {
        for (at[3] = 0; at[3] < shape[3]; ++at[3]) {
          std::memcpy(target + layout_offset(shape, to_layout, at) * size,
                      source + layout_offset(shape, from_layout, at) * size, size);
        }
      }
    }
  }
}

}  // namespace mete
