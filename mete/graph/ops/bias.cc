// A number added to all elements that share an index along one axis, and its gradient: a sum.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_axis(in[0], a.axis));
  METE_TRY_VOID(expect_vector(in[1], in[0].shape[a.axis], "bias"));
  return std::vector<TensorType>{in[0]};
}

Result<std::vector<TensorType>> infer_backward(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_axis(in[0], a.axis));
  return std::vector<TensorType>{TensorType{Shape{in[0].shape[a.axis]}}};
}

void gradient(GradientScope& scope) {
  if (scope.wanted[1]) {
    scope.input_gradients[1] =
        scope.builder.add(kBiasBackwardOp, {scope.dy()}, scope.node.attributes);
  }
  scope.input_gradients[0] = scope.dy();
}

}  // namespace

const Op kBiasOp = {.name = "bias",
                    .inputs = 2,
                    .infer = infer,
                    .work = per_element<1>,
                    .gradient = gradient,
                    .reuse = Reuse::may};
const Op kBiasBackwardOp = {
    .name = "bias-backward", .inputs = 1, .infer = infer_backward, .work = per_element<1>};

}  // namespace mete
