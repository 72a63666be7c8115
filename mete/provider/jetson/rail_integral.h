// Energy of a sensor that tells power only: the trapezoid between readings.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/base/clock.h"
#include "mete/signal/provider.h"

namespace mete {

/// Over more than `longest` between two readings the energy is unknown: that reading is a fault,
/// and the integral begins again from 0, which whoever sums it up sees. Shorter faults are bridged.
class RailIntegral {
 public:
  explicit RailIntegral(Nanoseconds longest = std::chrono::seconds(5)) : longest_(longest) {}

  Reading update(const Reading& watts, Nanoseconds now) noexcept {
    if (watts.fault) return Reading::missing(*watts.fault);
    const Nanoseconds pause = now - at_;
    const bool gap = begun_ && pause > longest_;
    if (gap) {
      joules_ = 0;
    } else if (begun_ && watts.value + watts_ > 0) {
      joules_ += (watts_ + watts.value) / 2 * to_seconds(pause);
    }
    begun_ = true;
    at_ = now;
    watts_ = watts.value;
    return gap ? Reading::missing(Errc::failed) : Reading{joules_, std::nullopt};
  }

 private:
  Nanoseconds longest_;
  bool begun_ = false;
  Nanoseconds at_{0};
  double watts_ = 0;
  double joules_ = 0;
};

}  // namespace mete
