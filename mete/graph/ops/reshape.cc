// The same elements in the same order under another shape: no work and no memory of its own.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  if (a.shape.elements() != in[0].shape.elements()) {
    return fail(Errc::invalid, "{} as {}: expected as many elements", in[0].shape.text(),
                a.shape.text());
  }
  return std::vector<TensorType>{TensorType{a.shape, in[0].type}};
}

void gradient(GradientScope& scope) {
  Attributes a;
  a.shape = scope.builder.shape(scope.in(0));
  scope.input_gradients[0] = scope.builder.add(kReshapeOp, {scope.dy()}, a);
}

}  // namespace

const Op kReshapeOp = {.name = "reshape",
                       .inputs = 1,
                       .infer = infer,
                       .work = no_work,
                       .gradient = gradient,
                       .reuse = Reuse::view};

}  // namespace mete
