// Parts of a run's result as JSON, for recordings and `--json` alike. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include "mete/base/json.h"
#include "mete/measure/session.h"

namespace mete {

/// {name, count, seconds, energy_joules {domain: J}, own_energy_joules {..}}
Json region_json(const RegionTotal& region);
/// [[begin, end, count, seconds, threads], ..]: s since the run's start; recordings have them.
Json spans_json(const std::vector<RegionSpan>& spans);
/// {domain: {measured, attributed, idle, others}}, J.
Json balances_json(const std::vector<EnergyBalance>& balances);

}  // namespace mete
