// EnergyShares: the run's processes, and the energy of each domain divided among them as the run
// goes (docs/attribution.md). SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/sys_root.h"
#include "mete/measure/attribution.h"
#include "mete/measure/process_meter.h"
#include "mete/measure/recorder_series.h"
#include "mete/signal/device_processes.h"

namespace mete {

/// The domains that are divided among processes, in the order of ProcessUse::joules.
inline constexpr std::array<std::string_view, 3> kSharedDomains{"package", "dram", "gpu"};

class EnergyShares {
 public:
  /// Without a scope nobody's processes are looked at. A scope that names nothing is invalid;
  /// processes that cannot be metered are a warning.
  Result<void> begin(Platform& platform, const SysRoot& root,
                     const std::optional<ProcessScope>& scope, const RecorderSeries& series,
                     std::vector<std::string>& warnings);
  /// Looks at the processes (`whole`: as ProcessMeter::update has it) and divides what was gained
  /// since the update before.
  void update(Platform& platform, const RecorderSeries& series, bool whole);
  /// nullptr if no processes are looked at.
  [[nodiscard]] ProcessMeter* meter() const { return meter_.get(); }
  /// Something of kSharedDomains[k] was divided.
  [[nodiscard]] bool any(std::size_t k) const { return shared_[k].any(); }
  /// Adds the balances to the result, held against the session's own totals, which are taken
  /// another way: last count minus first. A balance that is off by more than 0.1 % is a warning.
  void check(RunResult& result, const RecorderSeries& series,
             std::vector<std::string>& warnings) const;

 private:
  void share_cpu(const RecorderSeries& series);
  void share_gpus(Platform& platform, const RecorderSeries& series);

  std::unique_ptr<ProcessMeter> meter_;
  std::vector<DeviceProcesses*> devices_;
  std::vector<DeviceProcess> device_uses_;
  std::vector<int> gpu_busy_;  // handles of GPU_UTILIZATION, by index; -1 for none
  std::array<Attribution, kSharedDomains.size()> shared_{Attribution("package"),
                                                         Attribution("dram"), Attribution("gpu")};
  std::array<double, 2> cpu_last_{};  // J at the update before
  std::vector<double> gpu_last_;
  double busy_last_ = 0;
  double capacity_last_ = 0;
  std::vector<double> used_;
  std::vector<double> given_;
};

}  // namespace mete
