// max(x, 0). Its gradient needs the result, not the input, so the result may take the input's
// memory. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

void gradient(GradientScope& scope) {
  scope.input_gradients[0] = scope.builder.add(kReluBackwardOp, {scope.dy(), scope.out()});
}

}  // namespace

const Op kReluOp = {.name = "relu",
                    .inputs = 1,
                    .infer = same_as_first,
                    .work = per_element<1>,
                    .gradient = gradient,
                    .reuse = Reuse::may};
const Op kReluBackwardOp = {.name = "relu-backward",
                            .inputs = 2,
                            .infer = same_as_both,
                            .work = per_element<1>,
                            .reuse = Reuse::may};

}  // namespace mete
