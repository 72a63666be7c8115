// What the regions of a run cost, as parts of a page. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "mete/base/result.h"
#include "mete/measure/session.h"
#include "mete/plot/page.h"
#include "mete/plot/region_lanes.h"

namespace mete {

/// A figure and a table of the run's regions, epochs included; nothing for a program that marks
/// none. Energy is that of packages, memory and GPUs together; where none of them tells it, the
/// platform's (psys).
Result<std::vector<Block>> region_blocks(const RunResult& result);

/// When they were entered, for a time line.
std::vector<RegionLane> region_lanes(const RunResult& result);

}  // namespace mete
