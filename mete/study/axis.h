// StudyAxis: one control and the values it takes in a study.
//
//   spec    what the user wrote after NAME=: "1.2GHz,1.38GHz", "all", or "1GHz:1.4GHz:100MHz"
//   axis    the values that the device will really be given, ascending, each once
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/signal/info.h"

namespace mete {

struct StudyAxis {
  std::string control;
  std::string unit;            ///< of the values
  std::vector<double> values;  ///< ascending, no two equal; not empty

  friend bool operator==(const StudyAxis&, const StudyAxis&) = default;
};

/// No axis may have more values, so that a slip in a step does not fill the memory.
inline constexpr std::size_t kMaxAxisValues = 4096;

/// A setting for people, as exact as a clock is told: 1.2375e9, "Hz" → "1.2375 GHz".
std::string setting_text(double value, std::string_view unit);

/// "NAME=spec" in its two parts; invalid if either is missing.
Result<std::pair<std::string, std::string>> split_axis_spec(std::string_view text);

/// The values of a spec on a device with these limits.
///
/// A list is taken literally: values that the device does not support give one error that names
/// them all and the nearest supported ones. "all" is every supported value; where the device takes
/// any value in a range, `continuous_points` evenly spaced ones. A range FROM:TO:STEP is a wish for
/// a spacing: its values are moved to the nearest supported ones. What was chosen that way is said
/// in `notes`.
Result<StudyAxis> resolve_axis(const ControlInfo& control, const ControlLimits& limits,
                               std::string_view spec, std::size_t continuous_points,
                               std::vector<std::string>& notes);

}  // namespace mete
