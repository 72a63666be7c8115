// What a NodeWatch tells, as the text that Prometheus collects: its own format (version 0.0.4), or
// OpenMetrics 1.0. docs/formats/metrics.md. Pure text: no clock, no I/O.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/cli/node_watch.h"
#include "mete/cli/process_watch.h"

namespace mete {

enum class MetricsFormat { prometheus, openmetrics };

/// "CPU_ENERGY", "J" → "mete_cpu_joules_total"; "GPU_POWER" → "mete_gpu_watts";
/// "HWMON::NVME:COMPOSITE_TEMPERATURE" → "mete_hwmon_temperature_celsius" (the sensor is a label).
std::string metric_name(const SignalInfo& info);

/// About mete itself.
struct ExporterFacts {
  std::string version;
  double started = 0;  ///< seconds since 1970
  std::uint64_t faults = 0;
  struct ProviderState {
    std::string name;
    bool available = false;
  };
  std::vector<ProviderState> providers;
  std::vector<WatchedProcess> processes;  ///< with --processes: the busiest first
};

/// Values that are unknown (NaN) are left out, never 0. `with_integrated` false leaves out energies
/// that are sums of samples: these began with this watch, a counter did not.
std::string metrics_text(std::span<const WatchedValue> values, const ExporterFacts& facts,
                         MetricsFormat format, bool with_integrated = true);

/// For the header Content-Type.
std::string_view content_type(MetricsFormat format);

}  // namespace mete
