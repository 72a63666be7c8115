// The rows that describe what the linux provider can offer; which of them this machine has is
// decided elsewhere. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>

#include "mete/signal/info.h"

namespace mete {

/// How a signal's value is come by.
enum class LinuxKind {
  file,              ///< one number of a sysfs file per part
  usage,             ///< tick differences of /proc/stat
  nominal_clock,     ///< "cpu MHz" of /proc/cpuinfo
  memory_total,      ///< /proc/meminfo
  memory_available,  ///< /proc/meminfo
  memory_used,       ///< /proc/meminfo: total minus available
  load,              ///< /proc/loadavg
};

struct LinuxSignal {
  const char* name;
  const char* description;
  const char* unit;
  Domain domain;
  Aggregation aggregation;
  Behavior behavior;
  Source source;
  LinuxKind kind;
  double scale;  ///< from the file's unit to SI

  [[nodiscard]] SignalInfo info() const;
};

const LinuxSignal& linux_signal(const char* name);
std::span<const LinuxSignal> linux_signals();

}  // namespace mete
