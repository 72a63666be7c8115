// A load model where nothing measures power: opt-in (`mete run --estimate`), never among the
// built-in providers, and under names of its own, so that nobody takes a guess for a measurement.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/base/clock.h"
#include "mete/base/json.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

/// P = idle + (full - idle) * share of CPU time that was busy.
struct LoadModel {
  double idle_watts = 0;
  double full_watts = 0;
  bool assumed = false;  ///< nobody told the constants
};

/// "IDLE:FULL" ("12W:95W"), or "auto": 4 W for each logical CPU, as CodeCarbon takes for processors
/// that it does not know, a tenth of it when idle.
Result<LoadModel> parse_load_model(std::string_view text, const SysRoot& root);
/// For headers: the model, its constants, and where they are from.
Json to_json(const LoadModel& model);

/// CPU_POWER_ESTIMATE (W) and CPU_ENERGY_ESTIMATE (J), of the board. `clock` outlives it.
std::unique_ptr<Provider> make_estimate_provider(const SysRoot& root, const Clock& clock,
                                                 LoadModel model);

}  // namespace mete
