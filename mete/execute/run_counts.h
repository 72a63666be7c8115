// What an execution plan comes to, under the names of AutoTM's result fields.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include "mete/base/json.h"
#include "mete/execute/execution_plan.h"

namespace mete {

/// `num_kernels`, `num_` and `bytes_` of `input_tensors` and `output_tensors` (a tensor counts once
/// for each use) and of those in fast memory (`dram_`); moves that the step waits for (`move`), and
/// those beside kernels (`async_move`: a move in chunks counts each), each also by where it goes
/// (`pmem`: slow memory). AutoTM counted both kinds in the fields by direction; here the plain ones
/// are synchronous throughout.
Json run_counts(const ExecutionPlan& plan, const Graph& graph);
/// Bytes of parameters, inputs and results.
std::uint64_t io_bytes(const Graph& graph);

}  // namespace mete
