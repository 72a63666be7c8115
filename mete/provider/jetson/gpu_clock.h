// The range in which devfreq may choose a Jetson's GPU clock, as two controls (Linux
// Documentation/ABI/testing/sysfs-class-devfreq). A minimum above the present maximum takes the
// maximum up and the other way round; giving either back gives both back.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mete/base/sys_root.h"
#include "mete/provider/linux/cpufreq.h"
#include "mete/signal/provider.h"

namespace mete {

inline constexpr const char* kGpuMinControl = "GPU_CORE_FREQUENCY_MIN_CONTROL";
inline constexpr const char* kGpuMaxControl = "GPU_CORE_FREQUENCY_MAX_CONTROL";

/// available_frequencies, ascending, each once; empty if the file is not there or tells none.
std::vector<double> devfreq_clocks(const SysRoot& root, const std::string& folder);

class GpuClockControls final : public Controls {
 public:
  /// `clocks` is not empty.
  GpuClockControls(SysRoot root, std::string folder, std::vector<double> clocks,
                   const ProviderInfo& info)
      : root_(std::move(root)),
        folder_(std::move(folder)),
        clocks_(std::move(clocks)),
        info_(info) {}

  Result<ControlLimits> limits(const Request& request) const override;
  Result<int> push(const Request& request) override;
  Result<void> write_batch(std::span<const double> values) override;
  Result<std::string> save(const Request& request) const override;
  Result<void> restore(const Request& request, const std::string& saved) override;

 private:
  [[nodiscard]] Result<CpufreqRange> present() const;  // in Hz
  [[nodiscard]] Result<void> set(CpufreqRange wanted) const;

  SysRoot root_;
  std::string folder_;
  std::vector<double> clocks_;
  const ProviderInfo& info_;  // the provider's own, which outlives this
  std::vector<bool> is_max_;  // by handle
};

}  // namespace mete
