// Layer normalisation along the last axis. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_axis(in[0], 0));
  const std::int64_t width = in[0].shape.from_end(0);
  METE_TRY_VOID(expect_vector(in[1], width, "scale"));
  METE_TRY_VOID(expect_vector(in[2], width, "shift"));
  auto leading = in[0].shape.dims();
  leading.back() = 1;
  const TensorType statistic{Shape{std::move(leading)}};
  return std::vector<TensorType>{in[0], statistic, statistic};
}

Result<std::vector<TensorType>> infer_backward(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_equal(in[0], in[1]));
  return std::vector<TensorType>{in[0], in[2], in[2]};
}

void gradient(GradientScope& scope) {
  scope.input_gradients = scope.builder.add_all(
      kLayerNormBackwardOp, {scope.dy(), scope.in(0), scope.in(1), scope.out(1), scope.out(2)},
      scope.node.attributes);
}

}  // namespace

const Op kLayerNormOp = {.name = "layer-norm",
                         .inputs = 3,
                         .infer = infer,
                         .work = per_element<8>,
                         .gradient = gradient};
const Op kLayerNormBackwardOp = {.name = "layer-norm-backward",
                                 .inputs = 5,
                                 .infer = infer_backward,
                                 .work = per_element<11>,
                                 .reuse = Reuse::may};

}  // namespace mete
