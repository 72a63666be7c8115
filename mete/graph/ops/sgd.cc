// Stochastic gradient descent without momentum: parameter -= rate * gradient, where it lies.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {

const Op kSgdOp = {.name = "sgd",
                   .inputs = 2,
                   .infer = same_as_both,
                   .work = per_element<2>,
                   .reuse = Reuse::must};

}  // namespace mete
