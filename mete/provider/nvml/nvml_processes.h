// Who uses one GPU, as NVML tells it: memory from the list of compute processes, share of the
// multiprocessors' time from the driver's utilisation samples. Belongs to the driver's thread.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <vector>

#include "mete/provider/nvml/nvml_gpu.h"
#include "mete/signal/device_processes.h"

namespace mete {

class NvmlProcesses {
 public:
  NvmlProcesses(std::shared_ptr<const NvmlLibrary> library, nvml::Device device, int index,
                bool divided);
  /// Adds this GPU's processes to `out`; false if the GPU did not answer.
  bool read(std::vector<DeviceProcess>& out);

 private:
  nvml::Return list(std::vector<DeviceProcess>& out);
  nvml::Return add_shares(std::vector<DeviceProcess>& out, std::size_t first);

  std::shared_ptr<const NvmlLibrary> library_;
  nvml::Device device_;
  int index_;
  bool divided_;
  std::vector<nvml::ProcessInfo2> entries_;
  std::vector<nvml::ProcessSample> samples_;
  unsigned long long last_seen_ = 0;
};

}  // namespace mete
