// Max and average pooling. Max pooling's gradient looks up the largest again instead of keeping
// where it was. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/window.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_rank(in[0], 4, "images"));
  for (std::size_t i = 0; i < 4; ++i) {
    if (a.pad[i] < a.kernel[i % 2]) continue;
    return fail(Errc::invalid, "padding {} with a window of {}: some windows would be empty",
                a.pad[i], a.kernel[i % 2]);
  }
  const Shape& x = in[0].shape;
  METE_TRY(const auto at, window_positions(x, a.kernel, a));
  return std::vector<TensorType>{TensorType{Shape{x[0], x[1], at[0], at[1]}}};
}

std::uint64_t window_size(const Attributes& a) {
  return Shape{a.kernel[0], a.kernel[1]}.elements();
}

OpWork work(Types /*in*/, Types out, const Attributes& a) {
  return {0, times(out[0].shape.elements(), window_size(a))};
}

OpWork max_backward_work(Types in, Types /*out*/, const Attributes& a) {
  return {0, times(in[1].shape.elements(), plus(window_size(a), 1))};
}

OpWork average_backward_work(Types in, Types /*out*/, const Attributes& a) {
  return {0, times(in[0].shape.elements(), window_size(a))};
}

void max_gradient(GradientScope& scope) {
  Attributes a = scope.node.attributes;
  a.shape = scope.builder.shape(scope.in(0));
  scope.input_gradients[0] = scope.builder.add(kMaxPoolBackwardOp, {scope.in(0), scope.dy()}, a);
}

void average_gradient(GradientScope& scope) {
  Attributes a = scope.node.attributes;
  a.shape = scope.builder.shape(scope.in(0));
  scope.input_gradients[0] = scope.builder.add(kAveragePoolBackwardOp, {scope.dy()}, a);
}

}  // namespace

const Op kMaxPoolOp = {
    .name = "max-pool", .inputs = 1, .infer = infer, .work = work, .gradient = max_gradient};
const Op kMaxPoolBackwardOp = {
    .name = "max-pool-backward", .inputs = 2, .infer = shape_given, .work = max_backward_work};
const Op kAveragePoolOp = {.name = "average-pool",
                           .inputs = 1,
                           .infer = infer,
                           .work = work,
                           .gradient = average_gradient};
const Op kAveragePoolBackwardOp = {.name = "average-pool-backward",
                                   .inputs = 1,
                                   .infer = shape_given,
                                   .work = average_backward_work};

}  // namespace mete
