// ProcessWatch: the processes of a node that draw the most power, with the energy attributed to
// each (docs/attribution.md). What `mete export --processes` tells. One thread; platform and watch
// outlive it. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/cli/node_watch.h"
#include "mete/measure/energy_shares.h"

namespace mete {

struct WatchedProcess {
  pid_t pid = 0;
  std::string name;    ///< any bytes
  std::string cgroup;  ///< its path in the unified hierarchy; "" where there is none
  double cpu_seconds = 0;
  double cpus = 0;  ///< CPUs' worth of time in the last period
  double rss_bytes = 0;
  double gpu_share = 0;         ///< of all GPUs' compute time, summed
  double gpu_memory_bytes = 0;  ///< 0: none that is told of
  /// By kSharedDomains; NaN where nothing was measured.
  std::array<double, kSharedDomains.size()> joules{}, watts{};
};

/// Those that no process of ours started: the roots of all trees (PID 1, and in a container what
/// was started from outside).
std::vector<pid_t> root_processes(const SysRoot& root);

class ProcessWatch {
 public:
  /// `most`: how many are told. `watch` has been opened, and reads before every look. Processes
  /// that cannot be looked at are a notice, and none are told.
  ProcessWatch(Platform& platform, const NodeWatch& watch, SysRoot root, std::size_t most,
               std::vector<std::string>& notices);
  void look(Nanoseconds now);
  /// Those with the most power, or where none is measured the most CPU time, first.
  [[nodiscard]] const std::vector<WatchedProcess>& busiest() const { return busiest_; }

 private:
  void rank(double seconds);

  Platform& platform_;
  const NodeWatch& watch_;
  SysRoot root_;
  std::size_t most_;
  EnergyShares shares_;
  std::vector<WatchedProcess> busiest_;
  std::vector<std::pair<pid_t, std::vector<double>>> before_;  // J at the look before, by pid
  Nanoseconds last_{0};
  bool looked_ = false;
};

}  // namespace mete
