// The clock model: what its six inputs are called, in their order and units. Names are GEOPM's
// current ones; the order is that of the PyTorch tutorial's network.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "mete/learn/model.h"
#include "mete/signal/domain.h"

namespace mete {

struct ModelFeature {
  std::string_view name;
  std::string_view unit;
};

inline constexpr std::array<ModelFeature, kClockModelInputs> kClockModelFeatures{{
    {"GPU_CORE_FREQUENCY_STATUS", "Hz"},
    {"GPU_POWER", "W"},
    {"GPU_UTILIZATION", "1"},
    {"GPU_CORE_ACTIVITY", "1"},
    {"GPU_UNCORE_ACTIVITY", "1"},
    {"PHI", "1"},
}};

/// The same for a model that chooses the clock of a CPU package (agent torch@package).
inline constexpr std::array<ModelFeature, kClockModelInputs> kCpuClockModelFeatures{{
    {"CPU_FREQUENCY_STATUS", "Hz"},
    {"CPU_POWER", "W"},
    {"CPU_UTILIZATION", "1"},
    {"DRAM_POWER", "W"},
    {"CPU_PACKAGE_TEMPERATURE", "°C"},
    {"PHI", "1"},
}};

/// Of what steers parts of this domain: packages, or else GPUs.
constexpr const std::array<ModelFeature, kClockModelInputs>& clock_model_features(Domain domain) {
  return domain == Domain::package ? kCpuClockModelFeatures : kClockModelFeatures;
}

/// The file inside a .pt that says what the model is (docs/formats/model.md).
inline constexpr std::string_view kModelFormat = "mete clock model";
inline constexpr int kModelFormatVersion = 1;

/// "GPU_CORE_FREQUENCY_STATUS, GPU_POWER, ..".
std::string clock_model_input_names();

}  // namespace mete
