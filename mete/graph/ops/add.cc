// The sum of two tensors of one shape. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

void gradient(GradientScope& scope) { scope.input_gradients = {scope.dy(), scope.dy()}; }

}  // namespace

const Op kAddOp = {.name = "add",
                   .inputs = 2,
                   .infer = same_as_both,
                   .work = per_element<1>,
                   .gradient = gradient,
                   .reuse = Reuse::may};

}  // namespace mete
