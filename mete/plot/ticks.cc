// Axes: which values get a tick, with what prefix, in what words.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/ticks.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kLargestDrawable = 1e200;
// Room for rounding where an end of the range is itself a multiple of the step.
constexpr double kSlack = 1e-9;

/// digit·10^exponent times `count`, dividing for negative exponents so that 3·0.1 is 0.3.
double multiple(double count, int digit, int exponent) {
  const double whole = count * digit;
  return exponent < 0 ? whole / std::pow(10.0, -exponent) : whole * std::pow(10.0, exponent);
}

std::string with_true_minus(std::string text) {
  if (!text.empty() && text.front() == '-') text.replace(0, 1, "\u2212");
  return text;
}

/// "-0.0" is 0, and says so.
std::string fixed(double value, int decimals, bool signed_value) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  if (zero && text.front() == '-') text.erase(0, 1);
  if (signed_value && !zero && value > 0) text.insert(0, "+");
  return with_true_minus(text);
}

}  // namespace

bool drawable(double value) { return std::isfinite(value) && std::abs(value) < kLargestDrawable; }

Ticks linear_ticks(double low, double high, std::size_t most) {
  constexpr std::array<int, 3> kDigits{1, 2, 5};
  const double span = high - low;
  int exponent = static_cast<int>(std::floor(std::log10(span / static_cast<double>(most + 1)))) - 1;
  for (int tried = 0; tried < 6; ++tried, ++exponent) {
    for (const int digit : kDigits) {
      const double step = multiple(1, digit, exponent);
      const double first = std::ceil(low / step - kSlack);
      const double last = std::floor(high / step + kSlack);
      if (last - first + 1 > static_cast<double>(most)) continue;
      Ticks ticks{{}, step};
      for (double i = first; i <= last; ++i) ticks.at.push_back(multiple(i, digit, exponent));
      return ticks;
    }
  }
  return {};
}

Ticks log_ticks(double low, double high, std::size_t most) {
  const double decades = std::log10(high / low);
  if (decades < 1) return linear_ticks(low, high, most);
  const int first = static_cast<int>(std::floor(std::log10(low) + kSlack));
  const int last = static_cast<int>(std::ceil(std::log10(high) - kSlack));
  const auto collect = [&](const std::vector<int>& digits, int every) {
    std::vector<double> at;
    for (int k = first; k <= last; ++k) {
      if (k % every != 0) continue;
      for (const int digit : digits) {
        const double value = multiple(1, digit, k);
        if (value >= low * (1 - kSlack) && value <= high * (1 + kSlack)) at.push_back(value);
      }
    }
    return at;
  };
  for (const auto& digits : {std::vector<int>{1, 2, 5}, std::vector<int>{1, 3}}) {
    auto at = collect(digits, 1);
    if (at.size() <= most) return {std::move(at), 0};
  }
  for (int every = 1;; ++every) {
    auto at = collect({1}, every);
    if (at.size() <= most) return {std::move(at), 0};
  }
}

DisplayUnit display_unit(std::string_view unit, double largest) {
  if (unit == "1") return {0.01, "%"};
  if (unit.empty() || unit == "°C" || !(largest > 0)) return {1, std::string(unit)};
  if (unit == "s" && largest >= 7200) return {3600, "h"};
  if (unit == "s" && largest >= 600) return {60, "min"};
  struct Prefix {
    double factor;
    std::string_view symbol;
  };
  constexpr std::array<Prefix, 8> kPrefixes{{{1e12, "T"},
                                             {1e9, "G"},
                                             {1e6, "M"},
                                             {1e3, "k"},
                                             {1, ""},
                                             {1e-3, "m"},
                                             {1e-6, "µ"},
                                             {1e-9, "n"}}};
  for (const auto& prefix : kPrefixes) {
    if (unit == "s" && prefix.factor > 1) continue;
    if (largest >= prefix.factor) return {prefix.factor, fmt::format("{}{}", prefix.symbol, unit)};
  }
  return {1e-9, fmt::format("n{}", unit)};
}

std::string tick_label(double value, double step, const DisplayUnit& unit, bool signed_value) {
  const double shown = value / unit.factor;
  if (step <= 0 || std::abs(shown) >= 1e7 || (shown != 0 && step / unit.factor < 1e-9)) {
    return with_true_minus(fmt::format("{:.4g}", shown));
  }
  const double places = -std::floor(std::log10(step / unit.factor) + kSlack);
  return fixed(shown, static_cast<int>(std::clamp(places, 0.0, 9.0)), signed_value);
}

std::string show_value(double value, std::string_view unit, int digits, bool signed_value) {
  if (!std::isfinite(value)) return "no value";
  const DisplayUnit shown_in = display_unit(unit, std::abs(value));
  const double shown = value / shown_in.factor;
  const double size = std::abs(shown);
  std::string text;
  if (size != 0 && (size < 1e-4 || size >= 1e9)) {
    text = with_true_minus(fmt::format("{:.{}g}", shown, digits));
  } else if (shown_in.symbol == "%") {
    text = fixed(shown, size < 1 && size != 0 ? 2 : 1, signed_value);
  } else {
    const int before = size < 1 ? 0 : static_cast<int>(std::floor(std::log10(size))) + 1;
    text = fixed(shown, std::max(0, digits - std::max(1, before)), signed_value);
    if (text.find('.') != std::string::npos && unit.empty()) {
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
    }
  }
  return shown_in.symbol.empty() ? text : fmt::format("{}\u00a0{}", text, shown_in.symbol);
}

}  // namespace mete
