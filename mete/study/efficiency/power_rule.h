// From a run's power samples to one power: the notebook's rule, and one that knows the meter's lag.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "mete/base/stats.h"
#include "mete/study/efficiency/gemm_run.h"

namespace mete {

enum class PowerRule {
  /// The plain mean of all samples, readings of 0 W and idle ends included: what the notebook does.
  notebook,
  /// The last ten samples after the first two and the last one are dropped, without readings of 0 W
  /// and without those more
  /// than a quarter from the median. A meter of 7.6 s lag has settled to some per cent by then.
  settled,
};
std::optional<PowerRule> power_rule_named(std::string_view name);
std::string_view power_rule_name(PowerRule rule);

struct PowerFigure {
  Interval watts;  ///< mean; the interval allows for samples that resemble the one before. NaN
                   ///< without samples
  std::size_t used = 0;     ///< samples that counted
  double still_moving = 0;  ///< W: how far a meter of lag kMeterLag is still from its end, by the
                            ///< trend of the samples used
};

/// Time constant of the wall meter of the Jetson study, s: the median of three fits to its logs.
inline constexpr double kMeterLag = 7.6;

PowerFigure power_of(std::span<const PowerSample> samples, PowerRule rule);

}  // namespace mete
