// The settings of NVIDIA GPUs: a range of core clocks and a power limit. Both need root, hold for
// everybody on the GPU, and are lost when the driver is unloaded.
//
// NVML cannot tell whether clocks are locked, nor to what: the saved text of either clock control
// is "unlocked", and restoring it unlocks. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>

#include "mete/provider/driver_thread.h"
#include "mete/provider/nvml/nvml_source.h"

namespace mete {

class NvmlControls final : public Controls {
 public:
  /// All must outlive this.
  NvmlControls(DriverThread& thread, std::shared_ptr<NvmlSource> source, const ProviderInfo& info,
               Nanoseconds patience);

  Result<ControlLimits> limits(const Request& request) const override;
  Result<int> push(const Request& request) override;
  Result<void> write_batch(std::span<const double> values) override;
  Result<std::string> save(const Request& request) const override;
  Result<void> restore(const Request& request, const std::string& saved) override;

 private:
  enum class Kind { min_clock, max_clock, power };
  struct Handle {
    Kind kind = Kind::power;
    std::size_t gpu = 0;
  };
  /// What was asked for last; Hz, NaN: nothing.
  struct Range {
    double min;
    double max;
    bool changed;        ///< by us, since it was given back
    bool limit_changed;  ///< the same of the power limit
  };
  using Call = std::function<nvml::Return(const NvmlLibrary&, nvml::Device)>;

  [[nodiscard]] Result<Handle> find(const Request& request) const;
  [[nodiscard]] NvmlGpu& gpu(const Handle& handle) const { return source_->gpus()[handle.gpu]; }
  /// Makes the call on the driver's thread.
  Result<void> call(const Request& request, std::size_t gpu, const Call& what) const;
  [[nodiscard]] Result<void> must_answer(const Request& request, std::size_t gpu) const;
  Result<void> lock_clocks(std::size_t gpu, std::optional<double> min, std::optional<double> max);
  Result<void> set_limit(std::size_t gpu, double watts);

  DriverThread& thread_;
  std::shared_ptr<NvmlSource> source_;
  const ProviderInfo& info_;
  Nanoseconds patience_;
  std::vector<Handle> handles_;
  std::vector<Range> ranges_;  // by GPU
};

}  // namespace mete
