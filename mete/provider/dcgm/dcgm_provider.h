// Activities of data-centre NVIDIA GPUs through DCGM: how busy multiprocessors, memory and each
// pipe are, which NVML cannot tell. Needs a running host engine (nv-hostengine).
//
// Making the provider does nothing; it connects, on a thread of its own, when somebody first asks
// what signals there are. docs/providers/dcgm.md tells the rest. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

struct DcgmOptions {
  /// A path or a name that the loader finds; "": libdcgm.so.4 or .3, unless `root` is not this
  /// machine's.
  std::string library;
  SysRoot root = SysRoot();
  std::string address = "127.0.0.1";  ///< of the host engine
  Nanoseconds start_patience = std::chrono::seconds(10);
  /// Told, once, while a start takes long; empty: nobody is.
  std::function<void(std::string_view)> notice = {};
  /// How old a value may be beyond two periods of 100 ms before it is a fault, and how long one
  /// call may take.
  Nanoseconds patience = std::chrono::seconds(1);
  /// As in NvmlOptions.
  Nanoseconds wait = Nanoseconds(0);
};

std::unique_ptr<Provider> make_dcgm_provider(DcgmOptions options);

}  // namespace mete
