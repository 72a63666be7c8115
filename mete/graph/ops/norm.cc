// Normalisations as in training: of each channel over the batch, or of each row along the last
// axis. Both keep the mean and the inverse deviation for the gradient. Batch normalisation's
// running averages are no part of a step's gradient and are left to the runtime; with averages that
// are given, as in inference, it is an op of its own.
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

/// With a mean and a variance that are given, as in inference: nothing is kept.
Result<std::vector<TensorType>> infer_fixed(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_axis(in[0], 1));
  const std::int64_t channels = in[0].shape[1];
  METE_TRY_VOID(expect_vector(in[1], channels, "scale"));
  METE_TRY_VOID(expect_vector(in[2], channels, "shift"));
  METE_TRY_VOID(expect_vector(in[3], channels, "mean"));
  METE_TRY_VOID(expect_vector(in[4], channels, "variance"));
  return std::vector<TensorType>{in[0]};
}

/// dy, x, gamma, mean, variance -> dx, dgamma, dbeta.
Result<std::vector<TensorType>> infer_fixed_backward(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_equal(in[0], in[1]));
  return std::vector<TensorType>{in[0], in[2], in[2]};
}

/// Mean and variance are constants to it.
void fixed_gradient(GradientScope& scope) {
  const auto gradients = scope.builder.add_all(
      kFixedNormBackwardOp, {scope.dy(), scope.in(0), scope.in(1), scope.in(3), scope.in(4)},
      scope.node.attributes);
  for (std::size_t i = 0; i < 3; ++i) scope.input_gradients[i] = gradients[i];
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
const Op kFixedNormOp = {.name = "batch-norm-fixed",
                         .inputs = 5,
                         .infer = infer_fixed,
                         .work = per_element<2>,
                         .gradient = fixed_gradient,
                         .reuse = Reuse::may};
const Op kFixedNormBackwardOp = {.name = "batch-norm-fixed-backward",
                                 .inputs = 5,
                                 .infer = infer_fixed_backward,
                                 .work = per_element<5>,
                                 .reuse = Reuse::may};

}  // namespace mete
