// Softmax along the last axis. Its gradient needs the result. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_axis(in[0], 0));
  return std::vector<TensorType>{in[0]};
}

void gradient(GradientScope& scope) {
  scope.input_gradients[0] = scope.builder.add(kSoftmaxBackwardOp, {scope.dy(), scope.out()});
}

}  // namespace

const Op kSoftmaxOp = {.name = "softmax",
                       .inputs = 1,
                       .infer = infer,
                       .work = per_element<5>,
                       .gradient = gradient,
                       .reuse = Reuse::may};
const Op kSoftmaxBackwardOp = {.name = "softmax-backward",
                               .inputs = 2,
                               .infer = same_as_both,
                               .work = per_element<4>,
                               .reuse = Reuse::may};

}  // namespace mete
