// Batch normalisation as in training: mean and inverse deviation of each channel over the batch.
// Running averages for inference are no part of a step's gradient and are left to the runtime.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_axis(in[0], 1));
  const std::int64_t channels = in[0].shape[1];
  METE_TRY_VOID(expect_vector(in[1], channels, "scale"));
  METE_TRY_VOID(expect_vector(in[2], channels, "shift"));
  const TensorType statistic{Shape{channels}};
  return std::vector<TensorType>{in[0], statistic, statistic};
}

Result<std::vector<TensorType>> infer_backward(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_equal(in[0], in[1]));
  return std::vector<TensorType>{in[0], in[2], in[2]};
}

void gradient(GradientScope& scope) {
  scope.input_gradients = scope.builder.add_all(
      kBatchNormBackwardOp, {scope.dy(), scope.in(0), scope.in(1), scope.out(1), scope.out(2)},
      scope.node.attributes);
}

}  // namespace

const Op kBatchNormOp = {.name = "batch-norm",
                         .inputs = 3,
                         .infer = infer,
                         .work = per_element<8>,
                         .gradient = gradient};
const Op kBatchNormBackwardOp = {.name = "batch-norm-backward",
                                 .inputs = 5,
                                 .infer = infer_backward,
                                 .work = per_element<11>,
                                 .reuse = Reuse::may};

}  // namespace mete
