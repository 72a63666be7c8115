// NVIDIA GPUs through NVML, the library that comes with the driver: power, energy, clocks, memory,
// utilisation, who uses them; locked clocks and power limits.
//
// Making the provider does nothing. The library is opened, on a thread of the provider's own, when
// somebody first asks what GPUs or signals there are. docs/providers/nvml.md tells the rest.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

struct NvmlOptions {
  /// A path or a name that the loader finds; "": the driver's own, libnvidia-ml.so.1, unless `root`
  /// is not this machine's.
  std::string library;
  SysRoot root = SysRoot();
  /// How long the driver may take to start: without persistence mode, seconds per GPU.
  Nanoseconds start_patience = std::chrono::seconds(30);
  /// Told, once, while a start takes long; empty: nobody is.
  std::function<void(std::string_view)> notice = {};
  /// How long one call may take, and how old a reading may be beyond its period, before it is a
  /// fault.
  Nanoseconds patience = std::chrono::seconds(1);
  /// 0: GPUs are read on the provider's thread at each signal's own rate, and read_batch takes what
  /// was read last. More: read_batch has everything read anew and waits so long for it (tests).
  Nanoseconds wait = Nanoseconds(0);
};

std::unique_ptr<Provider> make_nvml_provider(NvmlOptions options);

}  // namespace mete
