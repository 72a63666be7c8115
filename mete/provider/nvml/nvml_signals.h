// The signals of an NVIDIA GPU as a table: what the provider can offer, how each value is come by,
// and how often it is worth asking for. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "mete/base/clock.h"
#include "mete/signal/info.h"

namespace mete {

enum class NvmlValue {
  core_clock,
  memory_clock,
  power,
  power_instant,
  power_average,
  energy,
  energy_integrated,
  energy_check,
  utilization,
  memory_used,
  memory_total,
  temperature,
  clock_reasons,
  lowest_clock,
  highest_clock,
  clock_step,
  power_limit,
};

struct NvmlSignal {
  const char* name;
  const char* description;
  const char* unit;
  Aggregation aggregation;
  Behavior behavior;
  Source source;
  NvmlValue value;
  /// Between two calls. Power and energy change every 10 to 100 ms, utilisation every 160 ms to 1 s
  /// (nvml.h, and measurements that docs/providers/nvml.md names).
  int period_ms;
  Format format = Format::number;

  [[nodiscard]] SignalInfo info() const;
  [[nodiscard]] Nanoseconds period() const { return std::chrono::milliseconds(period_ms); }
};

std::span<const NvmlSignal> nvml_signals();

inline constexpr const char* kGpuMinClockControl = "GPU_CORE_FREQUENCY_MIN_CONTROL";
inline constexpr const char* kGpuMaxClockControl = "GPU_CORE_FREQUENCY_MAX_CONTROL";
inline constexpr const char* kGpuPowerLimitControl = "GPU_POWER_LIMIT_CONTROL";

}  // namespace mete
