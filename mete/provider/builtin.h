// The providers that mete is built with, in the order in which they are asked.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/signal/program_counts.h"
#include "mete/signal/provider.h"

namespace mete {

/// What providers are made from.
struct ProviderContext {
  const Clock& clock;                ///< must outlive the providers
  Nanoseconds origin = clock.now();  ///< where TIME is 0
  SysRoot root = SysRoot();          ///< where /proc and /sys are
  std::string nvml_library = {};     ///< "": the driver's own, if `root` is this machine's
  std::string dcgm_library = {};     ///< "": the system's own, likewise
  /// What the program of a run counts (EPOCH_COUNT, REGION_COUNT); null outside of a run. Outlives
  /// the providers.
  const ProgramCounts* counts = nullptr;
  /// Told what takes long at the start, a line at a time; empty: nobody is.
  std::function<void(std::string_view)> notice = {};
};

/// Every provider, those whose hardware is absent included: these say so in their info().
std::vector<std::unique_ptr<Provider>> builtin_providers(const ProviderContext& context);

}  // namespace mete
