// From a forward pass with a loss to a whole training step: gradients in reverse order, and each
// parameter updated as soon as nothing needs it any more. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/base/result.h"
#include "mete/graph/graph.h"

namespace mete {

/// The graph with gradients and one SGD update of every parameter that the loss depends on.
/// `invalid` if it has no loss, `unsupported` naming the op if one has no gradient.
Result<Graph> training_step(const Graph& forward, double learning_rate);

}  // namespace mete
