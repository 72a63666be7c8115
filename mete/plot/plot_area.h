// Inside drawing: the mapping of a panel's values to pixels, shared by its axes, marks and labels.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "mete/plot/figure.h"
#include "mete/plot/ticks.h"

namespace mete {

/// One axis: values low..high at pixels from..to (to < from for y).
struct AxisMap {
  double low = 0, high = 1;
  double from = 0, to = 1;
  bool log = false;
  DisplayUnit unit;

  [[nodiscard]] bool shows(double value) const { return drawable(value) && (!log || value > 0); }
  /// Whether it lies within the range, which may be narrower than the data.
  [[nodiscard]] bool holds(double value) const {
    const double slack = 1e-9 * (high - low);
    return shows(value) && value >= low - slack && value <= high + slack;
  }
  [[nodiscard]] double at(double value) const {
    const double share =
        log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }
};

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  [[nodiscard]] double right() const { return x + width; }
  [[nodiscard]] double bottom() const { return y + height; }
  [[nodiscard]] bool overlaps(const Box& other) const {
    return x < other.right() && other.x < right() && y < other.bottom() && other.y < bottom();
  }
};

struct Extent {
  double low = INFINITY, high = -INFINITY;
  void add(double value) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  [[nodiscard]] bool empty() const { return low > high; }
};

/// Whether any of its series has a marker at each point.
bool has_points(const Panel& panel);
/// The values of a panel along x or y, intervals and rules included; Role::bound series do not
/// count.
Extent extent_of(const Panel& panel, bool along_x);
/// The range an axis shows for these values: margins, zero, fixed ends; never empty.
Extent axis_range(const Axis& axis, Extent values, double margin);

/// A label beside a point, where it has found room.
struct PlacedLabel {
  Box box;
  double x = 0, y = 0;  ///< of the text's baseline
  std::string anchor;   ///< start, middle, end
  std::string text;
  Role role = Role::swept;
};

/// The labels of all series of a panel. Essential ones are always placed, others only where they
/// cover neither a marker nor another label nor leave the panel; those kept clear of lines are
/// preferred.
std::vector<PlacedLabel> place_labels(const Panel& panel, const AxisMap& x, const AxisMap& y,
                                      const Box& plot, double size);

/// The marks of one series as SVG. `clip` is the id of the panel's clip path.
std::string draw_series(const Series& series, const Panel& panel, std::size_t index,
                        const AxisMap& x, const AxisMap& y, std::string_view clip);

}  // namespace mete
