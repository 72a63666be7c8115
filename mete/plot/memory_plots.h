// Figures of plans and runs in fast and slow memory. Tables name the columns they need, as in
// plots.h. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "mete/base/result.h"
#include "mete/base/table.h"
#include "mete/plot/figure.h"

namespace mete {

struct MemoryUseOptions {
  std::optional<double> limit;  ///< B: the fast memory that there is
};

/// Memory over time. One row per kernel, in order:
///   time    s: when it begins
///   fast    B: fast memory in use
///   alive   B: all tensors that are alive, wherever they lie
Result<Figure> memory_use(const Table& kernels, const MemoryUseOptions& options = {});

struct MemoryPlacesOptions {
  std::optional<double> fast_pool, slow_pool;  ///< B: sizes
};

/// Every tensor's place: a box from when to when it lies at which addresses. One row per stay:
///   tensor   text: what it is called
///   pool     text: "fast" or "slow"
///   from, to           s
///   offset, bytes      B: within its pool
/// Stays too small to be seen are counted in the caption; at most 6,000 are drawn, the largest
/// first.
Result<Figure> memory_places(const Table& stays, const MemoryPlacesOptions& options = {});

/// How runs of models with too little fast memory compare. All of them need, one row per run:
///   model        text
///   optimizer    text: "numa", "static", "synchronous", "asynchronous", ..
///   ratio        text, slow to fast: "4:1"; rows of one ratio stand together, in the table's order
///
/// Speed-up over all in slow memory (AutoTM's figure 7); the line is all in fast memory. Needs
/// also:
///   slowdown, slowdown_low, slowdown_high   1, over all-fast in the same turns; NaN: no interval
///   all_slow_slowdown                       1, of all slow; NaN where it was not measured
Result<Figure> memory_speedup(const Table& runs);
/// Speed against all in fast memory, and the cost of the memory where slow memory costs a part of
/// fast memory per byte (AutoTM's figure 9: 1 / 2.1). Only rows of `optimizer`. Needs also
/// slowdown.
Result<Figure> memory_cost(const Table& runs, std::string_view optimizer,
                           double fast_price_per_slow = 2.1);
/// (predicted - measured) / measured (AutoTM's figure 11). Needs also:
///   seconds, predicted_seconds    s
Result<Figure> memory_prediction_error(const Table& runs);
/// The same beside all-fast as it ran, so that a machine which has become slower or faster since
/// it was profiled does not count. Needs also:
///   placement_error      1     with placement_error_low, placement_error_high: NaN where unknown
Result<Figure> memory_placement_error(const Table& runs);
/// Time to decide. Needs also:
///   solve_seconds        s
Result<Figure> memory_solve_time(const Table& runs);

/// One model under ever less fast memory (AutoTM's figures 10a-c), one row per limit and optimizer:
///   optimizer                    text
///   fast_bytes                   B
///   slowdown                     fraction: seconds / all-fast seconds - 1
///   input_fast, output_fast      fraction of the bytes that kernels read and write which are fast
///   to_slow_bytes, to_fast_bytes B moved in a step
Result<Figure> memory_case_study(const Table& limits);

}  // namespace mete
