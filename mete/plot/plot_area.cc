// Ranges of axes, and the badges of sources.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/plot_area.h"

#include <algorithm>

namespace mete {

bool has_points(const Panel& panel) {
  return std::any_of(panel.series.begin(), panel.series.end(), [](const Series& s) {
    return s.mark == Mark::points || s.mark == Mark::line_points;
  });
}

Extent extent_of(const Panel& panel, bool along_x) {
  Extent extent;
  const Axis& axis = along_x ? panel.x : panel.y;
  const auto add = [&](double value) {
    if (drawable(value) && (axis.scale == Scale::linear || value > 0)) extent.add(value);
  };
  bool bars = false;
  for (const auto& series : panel.series) {
    if (series.role == Role::bound) continue;
    const std::size_t n = std::min(series.x.size(), series.y.size());
    for (std::size_t i = 0; i < n; ++i) {
      if (!drawable(series.x[i]) || !drawable(series.y[i])) continue;
      bars = bars || series.mark == Mark::bars;
      add(along_x ? series.x[i] : series.y[i]);
      const auto& low = along_x ? series.x_low : series.y_low;
      const auto& high = along_x ? series.x_high : series.y_high;
      if (i < low.size() && i < high.size() && drawable(low[i]) && drawable(high[i])) {
        add(low[i]);
        add(high[i]);
      }
    }
  }
  if (extent.empty()) return extent;
  for (const auto& rule : panel.rules) {
    if (rule.vertical == along_x) add(rule.at);
  }
  if (bars && !along_x) add(0);
  if (axis.from_zero) add(0);
  return extent;
}

Extent axis_range(const Axis& axis, Extent values, double margin) {
  const bool log = axis.scale == Scale::log && values.low > 0;
  if (values.empty()) values = {0, 1};
  if (log) {
    const double by = std::max(std::pow(values.high / values.low, margin), 1.02);
    values = {values.low / by, values.high * by};
  } else {
    const double size = std::max(std::abs(values.low), std::abs(values.high));
    double by = (values.high - values.low) * margin;
    // One value, or values that differ only in the last bits.
    if (values.high - values.low <= size * 1e-9)
      by = size > 0 ? size * 0.05 : axis.unit == "1" ? 0.1 : 0.5;
    // A range that ends at 0 on purpose (a power, a share) needs no margin there.
    const bool zero_floor = values.low == 0;
    const bool zero_roof = values.high == 0;
    values = {zero_floor ? 0 : values.low - by, zero_roof ? 0 : values.high + by};
    if (values.low == 0 && values.high == 0) values = {-by, by};
  }
  if (axis.low && drawable(*axis.low) && (!log || *axis.low > 0)) values.low = *axis.low;
  if (axis.high && drawable(*axis.high) && (!log || *axis.high > 0)) values.high = *axis.high;
  if (!(values.high > values.low)) values.high = values.low + std::max(1.0, std::abs(values.low));
  return values;
}

Badge badge_for(std::string_view source) {
  if (source == "counter" || source == "counted") {
    return {"counted", "The device counted it: an energy counter, a cycle count, the clock.",
            false};
  }
  if (source == "sampled") return {"sampled", "A sensor was read from time to time.", false};
  if (source == "integrated") return {"integrated", "Summed up from samples, not counted.", false};
  if (source == "estimated")
    return {"estimated", "A model computed it; nothing measured it.", true};
  if (source == "replayed") {
    return {"replayed", "A board replays measurements of other hardware; no device ran here.",
            true};
  }
  return {std::string(source), "", false};
}

}  // namespace mete
