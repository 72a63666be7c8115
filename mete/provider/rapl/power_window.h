// Power as the increase of an energy count over the time since an earlier reading.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "mete/base/clock.h"
#include "mete/signal/provider.h"

namespace mete {

/// A counter that is updated every millisecond says little over one or two of them: power is told
/// over at least `window`, and repeated in between.
class PowerWindow {
 public:
  explicit PowerWindow(Nanoseconds window) : window_(window) {}
  /// `joules` at `now`, of a count that began again `restarts` times so far.
  Reading update(const Reading& joules, std::uint64_t restarts, Nanoseconds now) noexcept {
    if (joules.fault) return Reading::missing(*joules.fault);
    if (!begun_ || restarts != restarts_) {
      begun_ = true;
      restarts_ = restarts;
      joules_ = joules.value;
      at_ = now;
      power_ = Reading::missing(Errc::retry);
    } else if (now - at_ >= window_) {
      power_ = {(joules.value - joules_) / to_seconds(now - at_), std::nullopt};
      joules_ = joules.value;
      at_ = now;
    }
    return power_;
  }

 private:
  Nanoseconds window_;
  bool begun_ = false;
  std::uint64_t restarts_ = 0;
  double joules_ = 0;
  Nanoseconds at_{0};
  Reading power_ = Reading::missing(Errc::retry);
};

}  // namespace mete
