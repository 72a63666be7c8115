// x times the normal distribution function of x. Its gradient needs the input.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

void gradient(GradientScope& scope) {
  scope.input_gradients[0] = scope.builder.add(kGeluBackwardOp, {scope.dy(), scope.in(0)});
}

}  // namespace

const Op kGeluOp = {.name = "gelu",
                    .inputs = 1,
                    .infer = same_as_first,
                    .work = per_element<8>,
                    .gradient = gradient,
                    .reuse = Reuse::may};
const Op kGeluBackwardOp = {.name = "gelu-backward",
                            .inputs = 2,
                            .infer = same_as_both,
                            .work = per_element<12>,
                            .reuse = Reuse::may};

}  // namespace mete
