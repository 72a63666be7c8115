// Backward ops whose result's shape is given and not inferred: do all their operands fit each
// other? SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/op.h"

namespace mete {

/// `invalid` if the op is a gradient and its operands cannot be those of any forward op. Inputs and
/// outputs are as many and of the types that the op infers.
Result<void> check_backward_shapes(const Op& op, Types in, Types out, const Attributes& a);

}  // namespace mete
