// A part of a tensor along one axis; the gradient puts it back among zeros.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_axis(in[0], a.axis));
  if (a.begin < 0 || a.end <= a.begin || a.end > in[0].shape[a.axis]) {
    return fail(Errc::invalid, "slice [{}, {}) of axis {} of {}: it is not within", a.begin, a.end,
                a.axis, in[0].shape.text());
  }
  TensorType result = in[0];
  result.shape[a.axis] = a.end - a.begin;
  return std::vector<TensorType>{result};
}

/// Padding with zeros, where a model pads: what it puts back must fit its place.
Result<std::vector<TensorType>> infer_backward(Types in, const Attributes& a) {
  const TensorType result{a.shape, in[0].type};
  METE_TRY(const auto part, infer(std::vector<TensorType>{result}, a));
  METE_TRY_VOID(expect_equal(part[0], in[0]));
  return std::vector<TensorType>{result};
}

void gradient(GradientScope& scope) {
  Attributes a = scope.node.attributes;
  a.shape = scope.builder.shape(scope.in(0));
  scope.input_gradients[0] = scope.builder.add(kSliceBackwardOp, {scope.dy()}, a);
}

void backward_gradient(GradientScope& scope) {
  scope.input_gradients[0] = scope.builder.add(kSliceOp, {scope.dy()}, scope.node.attributes);
}

}  // namespace

const Op kSliceOp = {
    .name = "slice", .inputs = 1, .infer = infer, .work = no_work, .gradient = gradient};
const Op kSliceBackwardOp = {.name = "slice-backward",
                             .inputs = 1,
                             .infer = infer_backward,
                             .work = no_work,
                             .gradient = backward_gradient};

}  // namespace mete
