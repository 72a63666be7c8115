// Figures as data: a Figure is one or more panels of series, with the words that belong to it.
// Drawing is figure_svg(); pages are made of figures (page.h); functions from tables to figures are
// in plots.h.
//
//   figure   panels stacked under one title, a caption, the data behind them
//   panel    one plot area with an x and a y axis, or bars beside category names
//   series   points of one kind, of one role, under one name in the legend
//   role     what a series means; it fixes the colour and the shape, so that the baseline looks the
//   same
//            in every figure of a page
//
// All values are SI (Hz, W, J, s, fractions); prefixes and per cent are put on when drawing. NaN is
// "no value": a gap in a line, a point left out. No text given here is trusted: all of it is
// escaped. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/table.h"

namespace mete {

inline constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

enum class Scale { linear, log };

/// What a series stands for. Colours are safe for colour-blind readers, and each role has its own
/// shape.
enum class Role { swept, baseline, chosen, agent, bound, other_a, other_b, other_c };

struct Axis {
  std::string label;  ///< "Time"; the unit is added when drawing
  std::string unit;   ///< SI symbol; "1" for a fraction, shown as per cent; "" for a plain number
  Scale scale = Scale::linear;
  bool from_zero = false;     ///< the range includes 0 (linear only)
  bool signed_ticks = false;  ///< "+5 %", "−3 %": a change
  std::optional<double> low = std::nullopt,
                        high = std::nullopt;  ///< fixed ends; else from the data, with a margin
};

enum class Mark {
  points,  ///< one marker each, with error bars where given
  line,    ///< joined; thinned to the extremes of each pixel column when there are more points than
           ///< pixels
  step,    ///< a value holds until the next point
  line_points,  ///< joined, with a marker each
  bars,         ///< from zero to y, beside others of the same x (x counts categories from 0)
  boxes,        ///< from x_low to x_high and from y_low to y_high; x, y: within
};

/// Columns of equal length; the optional ones are empty or as long as x.
struct Series {
  std::string name;  ///< in the legend; empty: not listed there
  Role role = Role::swept;
  Mark mark = Mark::points;
  std::vector<double> x, y;
  std::vector<double> x_low, x_high, y_low,
      y_high;                        ///< ends of intervals; NaN: unbounded, not drawn
  std::vector<std::string> labels;   ///< short, beside the point, left out where there is no room
  std::vector<std::string> details;  ///< shown on hover and to screen readers
  bool labels_matter = false;        ///< labels are drawn even where it is tight
  bool dashed = false;
  bool faint = false;  ///< smaller markers: single runs behind their mean
};

/// A straight line across the panel with a label at its end.
struct Rule {
  bool vertical = true;
  double at = 0;
  std::string label;
  Role role = Role::bound;
  bool shade_beyond = false;  ///< tints what lies above `at`: out of bounds
};

struct Panel {
  std::string title;  ///< empty: none
  Axis x, y;
  std::vector<std::string> categories;  ///< names along x instead of numbers (bars)
  std::vector<std::string> lanes;       ///< names from top to bottom instead of numbers along y,
                                        ///< each over its lane, which is 1 high
  std::vector<Series> series;
  std::vector<Rule> rules;
  double height = 260;                            ///< of the plot area, in CSS pixels at full width
  std::string empty_note = "No values to draw.";  ///< shown where nothing is finite
};

/// A short word about where a value comes from, with its meaning on hover. badge_for() knows the
/// usual ones.
struct Badge {
  std::string text;
  std::string meaning;
  bool warns =
      false;  ///< drawn to be noticed: the reader must know this to read the figure rightly
};

/// counted, sampled, integrated, estimated, replayed → the badge with its meaning; others as they
/// are. "counter", as signals call it, is "counted".
Badge badge_for(std::string_view source);

struct Figure {
  std::string id;           ///< a short name for links and file names: letters, digits, '-'
  std::string title;        ///< says the finding, if there is one
  std::string caption;      ///< how to read it, below the figure
  std::string description;  ///< for those who cannot see it; the caption if empty
  std::vector<Badge> badges;
  std::vector<Panel> panels;  ///< stacked
  bool share_x = false;       ///< one x range for all panels, ticks under the last one only
  Table data;                 ///< what is drawn, as CSV and as a table below the figure
};

struct SvgOptions {
  double width = 860;       ///< CSS pixels
  bool standalone = false;  ///< with xmlns and its own style, to be a file
  std::string id_suffix;    ///< keeps ids apart when one figure is drawn twice in a page
};

/// The figure as <svg>, deterministic: the same figure gives the same bytes. Empty or all-NaN data
/// give a panel with words in it.
std::string figure_svg(const Figure& figure, const SvgOptions& options = {});

}  // namespace mete
