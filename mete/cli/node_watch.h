// NodeWatch: everything that a node tells, read again and again, with energies as counts that never
// go back. What `mete export` and `mete top` show. One thread; the platform outlives it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/measure/recorder_series.h"
#include "mete/signal/platform.h"

namespace mete {

/// One thing that is told of one part of the node.
struct WatchedValue {
  SignalInfo info;   ///< its unit and its source; of an integrated power, those of the energy
  Request request;   ///< the part; coarser than info.domain where parts are taken together
  std::string zone;  ///< energies and powers: package, psys, core, uncore, dram or gpu; else ""
  bool integrated_here = false;  ///< an energy that began at 0 when the watch began
  double value = 0;   ///< SI; NaN while unknown. Of a count: its first value and what was gained
  double gained = 0;  ///< counts: since the watch began
};

class NodeWatch {
 public:
  /// Asks for every signal but TIME. Those of single CPUs are taken together by package unless
  /// `each_cpu`. What cannot be asked for gets a line in `notices`.
  static Result<NodeWatch> open(Platform& platform, bool each_cpu,
                                std::vector<std::string>& notices);

  /// Reads all, and again for up to half a second while something asks for another look (a
  /// difference, a driver that starts).
  void read_first(Clock& clock, const Interrupt& interrupt);
  void read(Nanoseconds now);
  [[nodiscard]] const std::vector<WatchedValue>& values() const { return values_; }
  [[nodiscard]] const RecorderSeries& series() const { return series_; }
  /// Readings that gave a fault so far, but for those that only wanted another look.
  [[nodiscard]] std::uint64_t faults() const { return faults_; }

 private:
  explicit NodeWatch(Platform& platform) : platform_(&platform) {}
  Platform* platform_;
  RecorderSeries series_;
  std::vector<WatchedValue> values_;  // beside series_.all()
  std::vector<double> first_;         // of counts, NaN before their first value
  std::uint64_t faults_ = 0;
};

}  // namespace mete
