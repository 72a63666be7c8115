// Numbers and names in text: strict parsing, quantities with units as people type them, near
// misses. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// The whole text as a number ("1e+09", "nan", "-inf" too), else nothing. Independent of the
/// locale.
std::optional<double> parse_double(std::string_view text);
std::optional<std::int64_t> parse_int(std::string_view text);

/// A number with an optional unit and SI prefix, in SI units: "1.2GHz", "945 MHz", "250W", "50ms",
/// "4GiB". `unit` is what is expected ("Hz", "s", "W", "J", "B", or "" for a bare number).
Result<double> parse_quantity(std::string_view text, std::string_view unit);
/// For people: 1.38e9, "Hz" → "1.38 GHz"; three significant digits unless told otherwise.
std::string format_quantity(double value, std::string_view unit, int digits = 3);
/// "12 %", "-3.1 %": a fraction as per cent with `decimals` places.
std::string format_percent(double fraction, int decimals = 1);
/// "45 s", "3 min 20 s", "2 h 5 min".
std::string format_duration(double seconds);

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool iequals(std::string_view a, std::string_view b);

/// Up to `most` candidates nearest to `name` by edit distance, case ignored, words in other order
/// tolerated; only those near enough to be a likely slip.
std::vector<std::string> nearest_names(std::string_view name,
                                       const std::vector<std::string>& candidates,
                                       std::size_t most = 3);
/// "; did you mean A, B or C?", or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace mete
