// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/initial_values.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mete/graph/ops.h"

namespace mete {
namespace {

/// Uniform within centre ± half.
struct UniformRange {
  double centre = 0;
  double half = 0;
};
UniformRange of_variance(double variance) { return {0, std::sqrt(3 * variance)}; }

enum class Content : std::uint8_t {
  plain_input,
  filter,
  matrix,
  around_1,
  around_0,
  table,
  targets
};

/// What an op's operand is.
struct OperandRow {
  const Op* op;
  std::size_t operand;
  Content content;
};
constexpr OperandRow kOperands[] = {
    {&kConvOp, 1, Content::filter},        {&kMatMulOp, 1, Content::matrix},
    {&kBiasOp, 1, Content::around_0},      {&kScaleOp, 1, Content::around_1},
    {&kBatchNormOp, 1, Content::around_1}, {&kBatchNormOp, 2, Content::around_0},
    {&kLayerNormOp, 1, Content::around_1}, {&kLayerNormOp, 2, Content::around_0},
    {&kFixedNormOp, 1, Content::around_1}, {&kFixedNormOp, 2, Content::around_0},
    {&kFixedNormOp, 3, Content::around_0}, {&kFixedNormOp, 4, Content::around_1},
    {&kEmbeddingOp, 0, Content::table},    {&kLogisticLossOp, 1, Content::targets},
};

struct FirstReader {
  const GraphNode* node = nullptr;  ///< nullptr: nobody
  std::size_t operand = 0;
};

/// Views and copies of a tensor are looked through.
FirstReader first_reader(const Graph& graph, TensorId id) {
  for (const auto& node : graph.nodes) {
    const auto found = std::find(node.inputs.begin(), node.inputs.end(), id);
    if (found == node.inputs.end()) continue;
    const bool moves = node.op->name == kReshapeOp.name || node.op->name == kTransposeOp.name;
    if (!moves) return {&node, static_cast<std::size_t>(found - node.inputs.begin())};
    id = node.outputs[0];
  }
  return {};
}

Content content_of(const FirstReader& reader) {
  for (const auto& row : kOperands) {
    const bool same = reader.node != nullptr && row.op->name == reader.node->op->name;
    if (same && row.operand == reader.operand) return row.content;
  }
  return Content::plain_input;
}

UniformRange range_of(const Graph& graph, const FirstReader& reader) {
  const Content content = content_of(reader);
  if (content == Content::plain_input) return of_variance(1);
  if (content == Content::around_1) return {1, 0.1};
  if (content == Content::around_0) return {0, 0.1};
  const Shape& shape = graph.tensors[reader.node->inputs[reader.operand]].type.shape;
  if (content == Content::table) return of_variance(1 / static_cast<double>(shape.from_end(0)));
  double summed = 1;
  if (content == Content::filter) {
    summed = static_cast<double>(shape.elements()) / static_cast<double>(shape[0]);
  } else {
    summed = static_cast<double>(shape.from_end(reader.node->attributes.transpose_b ? 0 : 1));
  }
  return of_variance(2 / summed);
}

/// How many rows or classes there are; 1 if nobody says.
std::size_t numbers_below(const Graph& graph, const FirstReader& reader) {
  if (reader.node == nullptr) return 1;
  const Shape& first = graph.tensors[reader.node->inputs[0]].type.shape;
  const auto name = reader.node->op->name;
  if (name == kEmbeddingOp.name) return static_cast<std::size_t>(first[0]);
  if (name == kCrossEntropyOp.name) return static_cast<std::size_t>(first[1]);
  return 1;
}

}  // namespace

void fill_initial(const Graph& graph, TensorId id, void* plain, Rng rng) {
  const TensorType& type = graph.tensors[id].type;
  const FirstReader reader = first_reader(graph, id);
  const std::size_t count = type.shape.elements();
  if (type.type == DataType::i64) {
    auto* numbers = static_cast<std::int64_t*>(plain);
    const std::size_t below = numbers_below(graph, reader);
    for (std::size_t i = 0; i < count; ++i) {
      numbers[i] = static_cast<std::int64_t>(rng.below(below));
    }
    return;
  }
  auto* values = static_cast<float*>(plain);
  if (content_of(reader) == Content::targets) {
    for (std::size_t i = 0; i < count; ++i) values[i] = rng.uniform() < 0.5 ? 0.0F : 1.0F;
    return;
  }
  const UniformRange span = range_of(graph, reader);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(span.centre + span.half * (2 * rng.uniform() - 1));
  }
}

}  // namespace mete
