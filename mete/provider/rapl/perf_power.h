// The same counters as perf shows them: /sys/bus/event_source/devices/power (kernel
// arch/x86/events/rapl.c). 64-bit counts, the kernel looks after wraps, and a user with CAP_PERFMON
// may read them where powercap is kept for root. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/sys_root.h"
#include "mete/provider/rapl/rapl_zones.h"

namespace mete {

/// perf_event_open and its descriptors; tests put another in its place.
class PerfEvents {
 public:
  virtual ~PerfEvents() = default;
  /// A counter of the whole of `cpu`'s package, by its handle. denied: CAP_PERFMON is missing.
  virtual Result<int> open(std::uint32_t type, std::uint64_t config, int cpu) = 0;
  virtual void close(int handle) noexcept = 0;
  /// The count so far, or the fault; takes no memory.
  virtual std::optional<Errc> read(int handle, std::uint64_t& count) noexcept = 0;
};

/// This kernel's.
std::unique_ptr<PerfEvents> linux_perf_events();

struct PerfPowerEvent {
  RaplKind kind = RaplKind::package;
  std::uint64_t config = 0;
  double joules_per_count = 0;
};
/// What the power device offers, before anything is opened.
struct PerfPower {
  std::uint32_t type = 0;
  std::vector<int> cpus;  ///< the kernel's ids, one per package or die
  std::vector<PerfPowerEvent> events;
};
/// No events: there is no such device.
PerfPower find_perf_power(const SysRoot& root);

}  // namespace mete
