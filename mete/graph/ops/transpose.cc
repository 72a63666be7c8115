// Axes in another order: a copy. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  const Shape& x = in[0].shape;
  std::vector<bool> seen(x.rank(), false);
  std::vector<std::int64_t> dims;
  for (const auto axis : a.order) {
    if (axis >= x.rank() || seen[axis]) break;
    seen[axis] = true;
    dims.push_back(x[axis]);
  }
  if (dims.size() != x.rank() || a.order.size() != x.rank()) {
    return fail(Errc::invalid, "transpose of {}: expected each of its axes once", x.text());
  }
  return std::vector<TensorType>{TensorType{Shape{std::move(dims)}, in[0].type}};
}

void gradient(GradientScope& scope) {
  Attributes a;
  const auto& order = scope.node.attributes.order;
  a.order.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) a.order[order[i]] = i;
  scope.input_gradients[0] = scope.builder.add(kTransposeOp, {scope.dy()}, a);
}

}  // namespace

const Op kTransposeOp = {
    .name = "transpose", .inputs = 1, .infer = infer, .work = no_work, .gradient = gradient};

}  // namespace mete
