// DeviceProcesses: which processes use a device, and how much of it. An optional side of a
// provider, beside its signals, because processes come and go while signals are pushed once.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include <sys/types.h>

namespace mete {

/// One process's use of one device since the read before.
struct DeviceProcess {
  int device = 0;  ///< index in the gpu domain
  pid_t pid = 0;   ///< as this process's pid namespace names it
  double busy_share =
      0;  ///< share of the device's compute time, 0..1; NaN where the driver does not tell
  double memory_bytes = 0;  ///< device memory held; NaN where the driver does not tell
};

class DeviceProcesses {
 public:
  virtual ~DeviceProcesses() = default;
  /// Replaces `out` by what the devices tell now. Throws nothing; allocates only to grow `out`. A
  /// device that cannot tell adds nothing, and `complete()` is false until it can.
  virtual void read(std::vector<DeviceProcess>& out) noexcept = 0;
  /// Every device answered the last read.
  [[nodiscard]] virtual bool complete() const noexcept = 0;
};

}  // namespace mete
