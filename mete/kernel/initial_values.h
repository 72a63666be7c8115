// What inputs and parameters hold before a first step: random numbers of a size that keeps a
// network trainable, and class and row numbers that exist. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/base/rng.h"
#include "mete/graph/graph.h"

namespace mete {

/// Fills `plain` with all elements of an input or a parameter, by what reads it first:
///   filters and matrices   uniform, of variance 2 / (products summed for each result)
///                          (He et al. 2015, for networks of ReLUs)
///   scales, variances      1 ± 0.1
///   biases, shifts, means  ± 0.1
///   tables                 uniform, of variance 1 / width
///   class and row numbers  uniform among those that there are
///   targets                0 or 1
///   other inputs           uniform, of variance 1
void fill_initial(const Graph& graph, TensorId id, void* plain, Rng rng);

}  // namespace mete
