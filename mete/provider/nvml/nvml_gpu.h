// One GPU behind NVML: every value it can tell, in SI units, with NVML's own answer where it
// cannot. All of it belongs to the driver's thread. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mete/provider/nvml/nvml_energy.h"
#include "mete/provider/nvml/nvml_library.h"
#include "mete/provider/nvml/nvml_signals.h"

namespace mete {

/// A value, or NVML's reason for not having it.
struct NvmlAnswer {
  nvml::Return status = nvml::kSuccess;
  double value = 0;

  [[nodiscard]] bool ok() const { return status == nvml::kSuccess; }
};

class NvmlGpu {
 public:
  NvmlGpu(std::shared_ptr<const NvmlLibrary> library, unsigned index);

  [[nodiscard]] nvml::Return status() const { return status_; }
  [[nodiscard]] nvml::Device device() const { return device_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Divided into MIG instances.
  [[nodiscard]] bool divided() const { return divided_; }
  /// Ampere or newer, or older, as far as the driver tells; decides what nvmlDeviceGetPowerUsage
  /// means.
  [[nodiscard]] nvml::Architecture architecture() const { return architecture_; }
  /// Hz, ascending; empty if the GPU's clocks cannot be set.
  [[nodiscard]] const std::vector<double>& clocks() const { return clocks_; }
  /// Watts; max is 0 if the limit cannot be set.
  [[nodiscard]] double lowest_limit() const { return lowest_limit_; }
  [[nodiscard]] double highest_limit() const { return highest_limit_; }
  [[nodiscard]] bool has_power_samples() const { return has_samples_; }

  NvmlAnswer read(NvmlValue value) noexcept;
  /// kSuccess if the GPU still answers.
  nvml::Return alive() noexcept;

 private:
  void find_clocks();
  void find_limits();
  void find_samples();
  NvmlAnswer field(std::uint32_t id) noexcept;
  NvmlAnswer clock(nvml::ClockType type) noexcept;
  NvmlAnswer memory(bool total) noexcept;
  NvmlAnswer of_clocks(NvmlValue value) noexcept;
  NvmlAnswer energy() noexcept;
  NvmlAnswer integrate() noexcept;
  NvmlAnswer check() noexcept;

  std::shared_ptr<const NvmlLibrary> library_;
  nvml::Return status_ = nvml::kSuccess;
  nvml::Device device_ = nullptr;
  std::string name_;
  bool divided_ = false;
  nvml::Architecture architecture_ = nvml::kArchUnknown;
  std::vector<double> clocks_;
  double lowest_limit_ = 0;
  double highest_limit_ = 0;
  bool has_samples_ = false;
  std::vector<nvml::Sample> samples_;
  unsigned long long last_sample_ = 0;
  SampleIntegral integral_;
  EnergyCheck check_;
};

}  // namespace mete
