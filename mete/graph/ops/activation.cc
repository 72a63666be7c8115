// Element by element, without parameters: sigmoid, tanh, clip, and scale * x + offset. The
// gradients of the first two need the result, clip's the input. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

/// Within [low, high] the gradient passes; outside, and nowhere else, it is 0.
Result<std::vector<TensorType>> infer_clip(Types in, const Attributes& a) {
  if (!(a.low <= a.high)) {
    return fail(Errc::invalid, "clip from {} to {}: expected the lower end first", a.low, a.high);
  }
  return std::vector<TensorType>{in[0]};
}

template <const Op& kBackward>
void gradient_by_result(GradientScope& scope) {
  scope.input_gradients[0] = scope.builder.add(kBackward, {scope.dy(), scope.out()});
}

void clip_gradient(GradientScope& scope) {
  scope.input_gradients[0] =
      scope.builder.add(kClipBackwardOp, {scope.dy(), scope.in(0)}, scope.node.attributes);
}

void affine_gradient(GradientScope& scope) {
  Attributes a = scope.node.attributes;
  a.offset = 0;
  scope.input_gradients[0] = scope.builder.add(kAffineOp, {scope.dy()}, a);
}

constexpr Op backward(const char* name, decltype(Op::work) work) {
  return {.name = name, .inputs = 2, .infer = same_as_both, .work = work, .reuse = Reuse::may};
}

}  // namespace

const Op kSigmoidOp = {.name = "sigmoid",
                       .inputs = 1,
                       .infer = same_as_first,
                       .work = per_element<4>,
                       .gradient = gradient_by_result<kSigmoidBackwardOp>,
                       .reuse = Reuse::may};
const Op kSigmoidBackwardOp = backward("sigmoid-backward", per_element<3>);
const Op kTanhOp = {.name = "tanh",
                    .inputs = 1,
                    .infer = same_as_first,
                    .work = per_element<5>,
                    .gradient = gradient_by_result<kTanhBackwardOp>,
                    .reuse = Reuse::may};
const Op kTanhBackwardOp = backward("tanh-backward", per_element<3>);
const Op kClipOp = {.name = "clip",
                    .inputs = 1,
                    .infer = infer_clip,
                    .work = per_element<2>,
                    .gradient = clip_gradient,
                    .reuse = Reuse::may};
const Op kClipBackwardOp = backward("clip-backward", per_element<2>);
const Op kAffineOp = {.name = "affine",
                      .inputs = 1,
                      .infer = same_as_first,
                      .work = per_element<2>,
                      .gradient = affine_gradient,
                      .reuse = Reuse::may};

}  // namespace mete
