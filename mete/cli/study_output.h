// What `mete study` prints: text for people, JSON for machines, CSV for spreadsheets.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/table.h"
#include "mete/study/efficiency/efficiency.h"

namespace mete {

/// [low, high]; null where there is no interval.
Json interval_json(const Interval& interval);

Json summary_json(const std::vector<EfficiencyRow>& rows, PowerRule rule);
std::string summary_text(const std::vector<EfficiencyRow>& rows, PowerRule rule);
Table summary_table(const std::vector<EfficiencyRow>& rows);

/// A list of {size, ratio, interval, ..}.
Json ratios_json(const std::vector<RatioRow>& rows, const RatioRequest& request);
std::string ratios_text(const std::vector<RatioRow>& rows, const RatioRequest& request,
                        PowerRule rule);

Json best_json(const std::vector<BestClock>& clocks, PowerRule rule);
std::string best_text(const std::vector<BestClock>& clocks, PowerRule rule, double max_slowdown);

}  // namespace mete
