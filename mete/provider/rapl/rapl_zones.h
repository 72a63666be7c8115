// The energy counters of CPUs that powercap shows: /sys/class/powercap/intel-rapl:N (a package, or
// psys) and intel-rapl:N:M (its core, uncore and dram). AMD's packages have the same names.
// Formats: Linux Documentation/power/powercap/powercap.rst.
//
// Zones are known by their folder. Zone numbers are not package ids, zones of different packages
// share names (every socket has a "dram"), and one package may have several zones
// (package-0-die-1). SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/sys_root.h"
#include "mete/provider/rapl/energy_count.h"
#include "mete/signal/provider.h"

namespace mete {

enum class RaplKind { package, core, uncore, dram, platform };
inline constexpr int kRaplKinds = 5;

/// One counter of a package, or of the platform.
struct RaplZone {
  RaplKind kind = RaplKind::package;
  int package = 0;          ///< dense; 0 for the platform
  std::string energy_path;  ///< full, under the root
  CounterShape shape;
};

struct RaplZones {
  std::vector<RaplZone> zones;  ///< those that this user may read
  int packages = 0;             ///< dense ids in use
  bool present = false;         ///< there are zones, readable or not
  std::string denied;           ///< a file that this user may not read, or ""
  std::string hidden;           ///< a zone that is listed but cannot be looked into, or ""
  std::vector<Absence> notes;   ///< zones left out, and why
};

/// `kernel_packages`: dense package id → the kernel's; empty where sysfs does not tell the CPUs.
RaplZones find_powercap_zones(const SysRoot& root, const std::vector<int>& kernel_packages);
/// Whether there is any zone; reads one folder.
bool has_powercap_zones(const SysRoot& root);

/// The most power that the domain could plausibly draw; `step_joules` tells servers' psys, which
/// counts whole joules, from a laptop's.
double plausible_watts(RaplKind kind, double step_joules);

}  // namespace mete
