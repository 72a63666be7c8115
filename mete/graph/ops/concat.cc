// Tensors one after the other along an axis; the gradient slices. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_axis(in[0], a.axis));
  TensorType result = in[0];
  std::int64_t total = 0;
  for (const TensorType& each : in) {
    TensorType expected = each;
    if (each.shape.rank() == result.shape.rank()) expected.shape[a.axis] = result.shape[a.axis];
    if (!(expected == result)) {
      return fail(Errc::invalid, "tensors of {} and {}: expected equal shapes but along axis {}",
                  in[0].shape.text(), each.shape.text(), a.axis);
    }
    // Each size is below 2^44 and a graph has fewer than 2^20 inputs a node: no overflow.
    total += each.shape[a.axis];
  }
  result.shape[a.axis] = total;
  return std::vector<TensorType>{result};
}

void gradient(GradientScope& scope) {
  Attributes a = scope.node.attributes;
  a.begin = 0;
  for (std::size_t i = 0; i < scope.node.inputs.size(); ++i) {
    a.end = a.begin + scope.builder.shape(scope.in(i))[a.axis];
    if (scope.wanted[i]) scope.input_gradients[i] = scope.builder.add(kSliceOp, {scope.dy()}, a);
    a.begin = a.end;
  }
}

}  // namespace

const Op kConcatOp = {
    .name = "concat", .inputs = 0, .infer = infer, .work = no_work, .gradient = gradient};

}  // namespace mete
