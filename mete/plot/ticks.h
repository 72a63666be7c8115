// Axes: which values get a tick, with what prefix, in what words.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mete {

/// Finite, and far enough from the ends of double that differences and margins stay finite too.
bool drawable(double value);

struct Ticks {
  std::vector<double> at;
  double step = 0;  ///< 0 for logarithmic ticks
};

/// Multiples of the smallest step of the form {1,2,5}·10^k that puts at most `most` (>= 2) ticks
/// into [low, high]. Needs drawable ends with low < high.
Ticks linear_ticks(double low, double high, std::size_t most);
/// Over a decade or more: powers of ten, with 2 and 5 times them while they fit, or every n-th
/// power; below that linear_ticks. Needs 0 < low < high.
Ticks log_ticks(double low, double high, std::size_t most);

/// What tick labels are divided by, and the unit that is then written on the axis.
struct DisplayUnit {
  double factor = 1;
  std::string symbol;  ///< "GHz", "%", "min", ""
};

/// The prefix in which values up to `largest` read best. Time goes to minutes and hours, not to
/// kiloseconds; "1" is shown as per cent.
DisplayUnit display_unit(std::string_view unit, double largest);

/// A tick's label, with as many decimals as tell neighbours `step` apart; U+2212 for minus.
std::string tick_label(double value, double step, const DisplayUnit& unit, bool signed_value);

/// A value for people: "1.38 GHz", "−12.3 %", "no value" for NaN. `signed_value` puts + before
/// gains.
std::string show_value(double value, std::string_view unit, int digits = 4,
                       bool signed_value = false);

}  // namespace mete
