// The product, element by element, of two tensors of one shape. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

void gradient(GradientScope& scope) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!scope.wanted[i]) continue;
    scope.input_gradients[i] = scope.builder.add(kMultiplyOp, {scope.dy(), scope.in(1 - i)});
  }
}

}  // namespace

const Op kMultiplyOp = {.name = "multiply",
                        .inputs = 2,
                        .infer = same_as_both,
                        .work = per_element<1>,
                        .gradient = gradient,
                        .reuse = Reuse::may};

}  // namespace mete
