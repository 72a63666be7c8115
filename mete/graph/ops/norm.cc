// Normalisations as in training: of each channel over the batch, or of each row along the last
// axis. Both keep the mean and the inverse deviation for the gradient. Batch normalisation's
// running averages, for inference, are no part of a step's gradient and are left to the runtime.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

/// `parameters`: how many scales and shifts; `statistic`: the shape of the means and of the inverse
/// deviations.
Result<std::vector<TensorType>> normalised(Types in, std::int64_t parameters, Shape statistic) {
  METE_TRY_VOID(expect_vector(in[1], parameters, "scale"));
  METE_TRY_VOID(expect_vector(in[2], parameters, "shift"));
  const TensorType kept{std::move(statistic)};
  return std::vector<TensorType>{in[0], kept, kept};
}

Result<std::vector<TensorType>> infer_batch(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_axis(in[0], 1));
  const std::int64_t channels = in[0].shape[1];
  return normalised(in, channels, Shape{channels});
}

Result<std::vector<TensorType>> infer_layer(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_axis(in[0], 0));
  auto leading = in[0].shape.dims();
  leading.back() = 1;
  return normalised(in, in[0].shape.from_end(0), Shape{std::move(leading)});
}

Result<std::vector<TensorType>> infer_backward(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_equal(in[0], in[1]));
  return std::vector<TensorType>{in[0], in[2], in[2]};
}

template <const Op& kBackward>
void gradient(GradientScope& scope) {
  scope.input_gradients = scope.builder.add_all(
      kBackward, {scope.dy(), scope.in(0), scope.in(1), scope.out(1), scope.out(2)},
      scope.node.attributes);
}

constexpr Op norm(const char* name, decltype(Op::infer) infer, decltype(Op::gradient) back) {
  return {.name = name, .inputs = 3, .infer = infer, .work = per_element<8>, .gradient = back};
}
constexpr Op norm_backward(const char* name) {
  return {.name = name,
          .inputs = 5,
          .infer = infer_backward,
          .work = per_element<11>,
          .reuse = Reuse::may};
}

}  // namespace

const Op kBatchNormOp = norm("batch-norm", infer_batch, gradient<kBatchNormBackwardOp>);
const Op kBatchNormBackwardOp = norm_backward("batch-norm-backward");
const Op kLayerNormOp = norm("layer-norm", infer_layer, gradient<kLayerNormBackwardOp>);
const Op kLayerNormBackwardOp = norm_backward("layer-norm-backward");

}  // namespace mete
