// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/blocked_layout.h"

#include <array>
#include <utility>

#include "mete/graph/ops.h"
#include "mete/kernel/kernel.h"

namespace mete {
namespace {

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// By name: a graph that a plugin made has that plugin's copies of the ops.
bool is(const GraphNode& node, const Op& op) { return node.op->name == op.name; }

/// Filters stay plain where anything but a convolution of one group, its gradients or a plain
/// update touches them.
bool keeps_filters(const GraphNode& node, std::size_t operand, bool is_output) {
  const bool one_group = node.attributes.groups == 1;
  if (is(node, kSgdOp)) return true;
  if (is(node, kConvOp) || is(node, kConvBackwardDataOp)) {
    return one_group && !is_output && operand == 1;
  }
  return is(node, kConvBackwardFilterOp) && one_group && is_output;
}

/// An update writes its filter where it lies: all three tensors change together or not at all.
void agree(const Graph& graph, std::vector<bool>& blocked) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& node : graph.nodes) {
      if (!is(node, kSgdOp)) continue;
      const std::array<TensorId, 3> all = {node.inputs[0], node.inputs[1], node.outputs[0]};
      if (blocked[all[0]] && blocked[all[1]] && blocked[all[2]]) continue;
      for (const auto id : all) {
        changed = changed || blocked[id];
        blocked[id] = false;
      }
    }
  }
}

/// Inputs of the graph that only convolutions read: those of three channels are read fastest as
/// they come.
std::vector<bool> images_given(const Graph& graph) {
  std::vector<bool> given(graph.tensors.size(), false);
  for (TensorId id = 0; id < given.size(); ++id) given[id] = graph.tensors[id].producer == kNoNode;
  for (const auto& node : graph.nodes) {
    const bool conv = is(node, kConvOp) || is(node, kConvBackwardFilterOp);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      given[node.inputs[i]] = given[node.inputs[i]] && conv && i == 0;
    }
  }
  return given;
}

}  // namespace

bool layout_fits(const Shape& shape, Layout layout) {
  if (layout == Layout::plain) return true;
  if (shape.rank() != 4) return false;
  if (layout == Layout::channels_last) return true;
  const bool channels = shape[1] % kLayoutBlock == 0;
  return layout == Layout::blocked ? channels : channels && shape[0] % kLayoutBlock == 0;
}

std::size_t layout_offset(const Shape& shape, Layout layout, std::span<const std::int64_t> index) {
  if (layout == Layout::plain) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < shape.rank(); ++i) at = at * size(shape[i]) + size(index[i]);
    return at;
  }
  const std::int64_t b = kLayoutBlock;
  const std::int64_t n = index[0];
  const std::int64_t c = index[1];
  const std::int64_t row = index[2];
  const std::int64_t column = index[3];
  const std::int64_t height = shape[2];
  const std::int64_t width = shape[3];
  switch (layout) {
    case Layout::channels_last:
      return size(((n * height + row) * width + column) * shape[1] + c);
    case Layout::blocked:
      return size((((n * (shape[1] / b) + c / b) * height + row) * width + column) * b + c % b);
    default:
      return size(
          ((((n / b * (shape[1] / b) + c / b) * height + row) * width + column) * b + c % b) * b +
          n % b);
  }
}

std::vector<Layout> blocked_layouts(const Graph& graph, std::vector<Layout> layouts) {
  std::vector<bool> filters(graph.tensors.size(), false);
  for (const auto& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (keeps_filters(node, i, false) && !is(node, kSgdOp)) filters[node.inputs[i]] = true;
    }
    if (is(node, kConvBackwardFilterOp)) filters[node.outputs[0]] = true;
    if (is(node, kSgdOp) && filters[node.inputs[0]]) filters[node.outputs[0]] = true;
  }
  for (const auto& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!keeps_filters(node, i, false)) filters[node.inputs[i]] = false;
    }
    for (const auto id : node.outputs) {
      if (!keeps_filters(node, 0, true)) filters[id] = false;
    }
  }
  for (const auto id : graph.results) filters[id] = false;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    const Shape& shape = graph.tensors[id].type.shape;
    filters[id] =
        filters[id] && layouts[id] == Layout::plain && layout_fits(shape, Layout::filter_blocked);
  }
  agree(graph, filters);
  const auto first_images = images_given(graph);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    const Shape& shape = graph.tensors[id].type.shape;
    if (layouts[id] == Layout::channels_last && first_images[id] &&
        !layout_fits(shape, Layout::blocked)) {
      layouts[id] = Layout::plain;
    }
    if (layouts[id] == Layout::channels_last && layout_fits(shape, Layout::blocked)) {
      layouts[id] = Layout::blocked;
    }
    if (filters[id]) layouts[id] = Layout::filter_blocked;
  }
  return layouts;
}

std::vector<Layout> layouts_for(const Graph& graph, std::span<KernelLibrary* const> libraries) {
  auto layouts = assign_layouts(graph);
  if (libraries.empty() || !libraries.front()->prefers_blocks()) return layouts;
  return blocked_layouts(graph, std::move(layouts));
}

}  // namespace mete
