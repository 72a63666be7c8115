// Pages of the memory loop: of one fitted graph, and of a folder of runs. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/cli/fit_report.h"
#include "mete/plot/page.h"

namespace mete {

/// What it saved, against all-fast and first touch; memory over time and every tensor's place, as
/// predicted. `liveness`: of the graph, for the tensors' names.
Result<Page> fit_page(const FitReport& report, const Liveness& liveness);

/// Runs of `mete bench memory` as columns for memory_speedup() and its like, the ratios with most
/// slow memory first. All-fast and all-slow times are those measured at 0:1 and 1:0.
Table memory_runs_table(const std::vector<Json>& runs);
/// Speed-up, cost, prediction error and time to decide. `machine`: of the first run.
Result<Page> memory_bench_page(const std::vector<Json>& runs);

}  // namespace mete
