// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/axis.h"

#include <algorithm>
#include <cmath>

#include "mete/base/text.h"

namespace mete {
namespace {

/// Two settings are the same if they differ by no more than half of the last digit clocks are told
/// in (0.5 MHz), or by rounding for other units.
double tolerance(const std::string& unit, double value) {
  return unit == "Hz" ? 0.5e6 : 1e-9 * std::abs(value);
}

Result<double> parse_value(const ControlInfo& control, std::string_view text) {
  auto value = parse_quantity(trim(text), control.unit == "1" ? "" : control.unit);
  if (!value) return value.error().within(control.name);
  if (!std::isfinite(*value)) {
    return fail(Errc::invalid, "{}: expected a finite value, got '{}'", control.name, text);
  }
  return value;
}

void sort_unique(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

Result<std::vector<double>> listed(const ControlInfo& control, const ControlLimits& limits,
                                   std::string_view spec) {
  std::vector<double> values;
  std::vector<std::string> refused;
  std::vector<std::string> nearest;
  bool looks_like_mhz = false;
  const auto pieces = split(spec, ',');
  if (pieces.size() > kMaxAxisValues) {
    return fail(Errc::invalid, "{}: {} values are more than the {} a study takes", control.name,
                pieces.size(), kMaxAxisValues);
  }
  for (const auto piece : pieces) {
    METE_TRY(const double value, parse_value(control, piece));
    const double snapped = limits.snap(value);
    if (std::abs(snapped - value) <= tolerance(control.unit, value)) {
      values.push_back(snapped);
      continue;
    }
    refused.push_back(setting_text(value, control.unit));
    nearest.push_back(setting_text(snapped, control.unit));
    looks_like_mhz = looks_like_mhz || (control.unit == "Hz" && value > 0 && value < 1e5);
  }
  if (refused.empty()) return values;
  nearest.erase(std::unique(nearest.begin(), nearest.end()), nearest.end());
  return fail(Errc::invalid, "{}: this device does not support {}; nearest: {}{}", control.name,
              join(refused, ", "), join(nearest, ", "),
              looks_like_mhz ? " (a bare number is in Hz: write 1380MHz)"
                             : "; all supported values: " + control.name + "=all");
}

Result<std::vector<double>> evenly(const ControlInfo& control, const ControlLimits& limits,
                                   std::size_t points, std::vector<std::string>& notes) {
  if (!limits.supported.empty()) {
    if (limits.supported.size() > kMaxAxisValues) {
      return fail(Errc::invalid,
                  "{}: the device has {} settings, too many for one study; give FROM:TO:STEP",
                  control.name, limits.supported.size());
    }
    return limits.supported;
  }
  if (!std::isfinite(limits.min) || !std::isfinite(limits.max)) {
    return fail(Errc::unsupported,
                "{}: this device does not say what it supports; list the values instead of 'all'",
                control.name);
  }
  if (limits.max <= limits.min) return std::vector<double>{limits.max};
  std::vector<double> values;
  const std::size_t n = std::clamp<std::size_t>(points, 2, kMaxAxisValues);
  for (std::size_t i = 0; i < n; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(n - 1);
    values.push_back(limits.min + (limits.max - limits.min) * part);
  }
  notes.push_back(fmt::format("{} takes any value from {} to {}: {} evenly spaced ones are used",
                              control.name, format_quantity(limits.min, control.unit),
                              format_quantity(limits.max, control.unit), n));
  return values;
}

Result<std::vector<double>> ranged(const ControlInfo& control, const ControlLimits& limits,
                                   std::string_view spec, std::vector<std::string>& notes) {
  const auto parts = split(spec, ':');
  if (parts.size() != 3) {
    return fail(Errc::invalid, "{}: expected FROM:TO:STEP, got '{}'", control.name, spec);
  }
  METE_TRY(double low, parse_value(control, parts[0]));
  METE_TRY(double high, parse_value(control, parts[1]));
  METE_TRY(const double step, parse_value(control, parts[2]));
  if (low > high) std::swap(low, high);
  if (!(step > 0) || (high - low) / step > static_cast<double>(kMaxAxisValues)) {
    return fail(Errc::invalid, "{}: expected a step above 0 that gives at most {} values, got '{}'",
                control.name, kMaxAxisValues, spec);
  }
  const double slack = tolerance(control.unit, high);
  if (high < limits.min - slack || low > limits.max + slack) {
    return fail(Errc::invalid, "{}: {} to {} lies outside what this device supports, {} to {}",
                control.name, format_quantity(low, control.unit),
                format_quantity(high, control.unit), format_quantity(limits.min, control.unit),
                format_quantity(limits.max, control.unit));
  }
  std::vector<double> values;
  bool moved = false;
  const auto count = static_cast<std::size_t>(std::floor((high - low) / step + 1e-9)) + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const double wish = low + static_cast<double>(i) * step;
    values.push_back(limits.snap(wish));
    moved = moved || std::abs(values.back() - wish) > slack;
  }
  if (moved) {
    notes.push_back(fmt::format("{}: the values of {} were moved to the nearest supported ones",
                                control.name, spec));
  }
  return values;
}

}  // namespace

std::string setting_text(double value, std::string_view unit) {
  std::string text = format_quantity(value, unit, 6);
  const std::size_t blank = std::min(text.find(' '), text.size());
  std::string number = text.substr(0, blank);
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return number + text.substr(blank);
}

Result<std::pair<std::string, std::string>> split_axis_spec(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || trim(text.substr(0, equals)).empty() ||
      trim(text.substr(equals + 1)).empty()) {
    return fail(Errc::invalid,
                "--control {}: expected NAME=VALUE,.. or NAME=all or NAME=FROM:TO:STEP", text);
  }
  return std::pair{std::string(trim(text.substr(0, equals))),
                   std::string(trim(text.substr(equals + 1)))};
}

Result<StudyAxis> resolve_axis(const ControlInfo& control, const ControlLimits& limits,
                               std::string_view spec, std::size_t continuous_points,
                               std::vector<std::string>& notes) {
  StudyAxis axis{control.name, control.unit, {}};
  if (iequals(spec, "all")) {
    METE_TRY(axis.values, evenly(control, limits, continuous_points, notes));
  } else if (spec.find(':') != std::string_view::npos) {
    METE_TRY(axis.values, ranged(control, limits, spec, notes));
  } else {
    METE_TRY(axis.values, listed(control, limits, spec));
  }
  sort_unique(axis.values);
  if (axis.values.empty()) {
    return fail(Errc::unsupported, "{}: this device offers no value", control.name);
  }
  return axis;
}

}  // namespace mete
