// The clocks an agent may choose for one part: those the device supports, within the policy's
// limits. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/control/agent.h"

namespace mete {

/// Clocks are told to the MHz: limits may be off by half of that.
inline constexpr double kClockTolerance = 0.5e6;

class ClockChoice {
 public:
  ClockChoice() = default;
  /// `low` and `high` NaN: the device's own. `low_name` and `high_name` are the policy's fields,
  /// for errors: a limit outside the device's range, low above high, or no supported clock between
  /// them (all invalid).
  static Result<ClockChoice> make(const PartLimits& part, std::size_t index, double low,
                                  double high, std::string_view low_name,
                                  std::string_view high_name);

  /// The nearest clock that may be chosen; the top clock for NaN. Allocates nothing.
  [[nodiscard]] double nearest(double clock) const noexcept;
  [[nodiscard]] double top() const noexcept { return high_; }
  [[nodiscard]] double bottom() const noexcept { return low_; }

 private:
  std::vector<double> clocks_;  ///< ascending; empty: anything from low_ to high_
  double low_ = 0;
  double high_ = 0;
};

}  // namespace mete
