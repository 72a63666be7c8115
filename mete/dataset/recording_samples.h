// A recording's power over time, for plots: one row per sample and series. Energies stay with
// summarise_recording(), which knows gaps, resets and segments. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>

#include "mete/base/result.h"
#include "mete/base/table.h"

namespace mete {

/// Columns `time` (s since the first sample), `part` (text: "GPU_ENERGY@gpu-0", or AIPowerMeter's
/// "package"), `power` (W: of mete's cumulative energies the mean since the sample before, of
/// AIPowerMeter's the figure itself; NaN where a sample is missing, a counter went back, or a
/// segment began). Lines that are no records are passed over. `invalid`: no recording, or more than
/// `max_rows` rows.
Result<Table> read_recording_power(const std::string& path, std::size_t max_rows = 1'000'000);

}  // namespace mete
