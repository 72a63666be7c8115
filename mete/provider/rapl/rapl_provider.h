// Energy and power of CPU packages, of their cores, memory and graphics, and of the whole platform,
// from the processor's own energy counters (RAPL): by powercap where this user may read it, else by
// perf. psys holds the packages and is never added to them; package holds core and uncore, and on
// servers not dram. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/provider/rapl/perf_power.h"
#include "mete/signal/provider.h"

namespace mete {

/// The clock must outlive the provider. `perf`: nullptr for this kernel's.
std::unique_ptr<Provider> make_rapl_provider(SysRoot root, const Clock& clock,
                                             std::unique_ptr<PerfEvents> perf = nullptr);

}  // namespace mete
