// Sums and products of tensors that fit together by repetition. SPDX-License-Identifier:
// BSD-3-Clause
#include <utility>

#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {
namespace {

/// The only axis along which `small` differs from element to element, if it spans that of `all`.
std::optional<std::size_t> vector_axis(const Shape& small, const Shape& all) {
  const Shape wide = with_rank(small, all.rank());
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < all.rank(); ++i) {
    if (wide[i] == 1) continue;
    if (found || wide[i] != all[i]) return std::nullopt;
    found = i;
  }
  if (!found && all.rank() > 0 && all.from_end(0) == 1) found = all.rank() - 1;
  return found;
}

/// A bias joins the layer of the matrix product it follows: people call both one layer.
void join_layer(OnnxScope& scope, TensorId x) {
  GraphBuilder& builder = scope.builder();
  if (x == kNoTensor) return;
  const NodeId producer = builder.graph().tensors[x].producer;
  if (producer == kNoNode) return;
  const GraphNode& node = builder.graph().nodes[producer];
  if (node.op == &kMatMulOp) builder.set_layer(node.layer);
}

Result<TensorId> repeated(const OnnxSide& side, const Shape& all) {
  METE_TRY(const TensorId id, side.as(with_rank(side.shape, all.rank())));
  if (id == kNoTensor || side.scope.builder().shape(id) == all) return id;
  Attributes a;
  a.shape = all;
  return side.scope.add(kBroadcastOp, {id}, a);
}

}  // namespace

Result<TensorId> OnnxSide::as(const Shape& wanted) const {
  if (input == kNoInput) return scope.reshape(id, wanted);
  METE_TRY_VOID(scope.expect_float(input));
  return scope.tensor_as(input, wanted);
}

Result<TensorId> join_sides(OnnxScope& scope, const Op& op, OnnxSide a, OnnxSide b) {
  METE_TRY(const Shape all, broadcast_shape(a.shape, b.shape));
  if (!(a.shape == all) && b.shape == all) {
    std::swap(a.shape, b.shape);
    std::swap(a.input, b.input);
    std::swap(a.id, b.id);
  }
  const auto axis = vector_axis(b.shape, all);
  if (a.shape == all && axis && !(b.shape == all)) {
    METE_TRY(const TensorId x, a.as(all));
    METE_TRY(const TensorId vector, b.as(Shape{all[*axis]}));
    Attributes attributes;
    attributes.axis = *axis;
    if (&op == &kAddOp) join_layer(scope, x);
    return scope.add(&op == &kAddOp ? kBiasOp : kScaleOp, {x, vector}, attributes);
  }
  METE_TRY(const TensorId left, repeated(a, all));
  METE_TRY(const TensorId right, repeated(b, all));
  return scope.add(op, {left, right});
}

}  // namespace mete
