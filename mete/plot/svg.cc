// A figure as SVG: legend on top, panels below each other, each with axes, marks and labels.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "mete/plot/markup.h"
#include "mete/plot/page.h"
#include "mete/plot/plot_area.h"

namespace mete {
namespace {

constexpr double kType = 12;
constexpr double kLine = 18;
constexpr double kRightMargin = 14;
// Figures of others may hold anything; a page with more than this is not read by anyone.
constexpr double kMostHeight = 2000;

std::string word(double x, double y, std::string_view text, std::string_view anchor,
                 std::string_view kind) {
  return fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", kind,
                     coordinate(x), coordinate(y), anchor, escape_html(text));
}

/// Over decades each tick names its own prefix: "10 µs", "1 ms".
bool ticks_carry_units(const AxisMap& map, const Axis& axis) {
  return map.log && map.high / map.low >= 10 && !axis.unit.empty() && axis.unit != "1";
}

std::string axis_title(const Axis& axis, const AxisMap& map) {
  if (map.unit.symbol.empty() || ticks_carry_units(map, axis)) return axis.label;
  return fmt::format("{}, {}", axis.label, map.unit.symbol);
}

bool any_drawable(const Panel& panel) {
  return !extent_of(panel, true).empty() && !extent_of(panel, false).empty();
}

AxisMap map_axis(const Axis& axis, const Extent& values, double margin, double from, double to) {
  AxisMap map;
  map.log = axis.scale == Scale::log && values.high > 0;
  Extent shown = values;
  if (map.log && shown.low <= 0) shown.low = shown.high / 1000;
  const Extent range = axis_range(axis, shown, margin);
  map.low = range.low;
  map.high = range.high;
  map.from = from;
  map.to = to;
  map.unit = display_unit(axis.unit, std::max(std::abs(values.low), std::abs(values.high)));
  return map;
}

Ticks ticks_of(const AxisMap& map, std::size_t most) {
  return map.log ? log_ticks(map.low, map.high, most) : linear_ticks(map.low, map.high, most);
}

std::string label_of(double value, const Ticks& ticks, const AxisMap& map, const Axis& axis) {
  if (ticks_carry_units(map, axis)) {
    const DisplayUnit own = display_unit(axis.unit, value * (1 + 1e-9));
    return fmt::format("{} {}", tick_label(value, 0, own, false), own.symbol);
  }
  return tick_label(value, ticks.step, map.unit, axis.signed_ticks);
}

/// Draws one figure; the parts share the widths and the position reached.
class Painter {
 public:
  Painter(const Figure& figure, const SvgOptions& options)
      : figure_(figure), options_(options), width_(std::clamp(options.width, 200.0, 4000.0)) {}

  std::string paint() {
    if (figure_.share_x) share_x();
    left_ = left_margin();
    paint_legend();
    for (std::size_t i = 0; i < figure_.panels.size(); ++i) paint_panel(i);
    if (figure_.panels.empty()) {
      body_ += word(width_ / 2, 30, "Nothing to draw.", "middle", "nt");
      top_ = 50;
    }
    return wrap();
  }

 private:
  [[nodiscard]] std::string id(std::string_view part) const {
    return escape_html(fmt::format("{}-{}{}", figure_.id, part, options_.id_suffix));
  }

  [[nodiscard]] AxisMap map_y(const Panel& panel, double top, double height) const {
    return map_axis(panel.y, extent_of(panel, false), 0.07, top + height, top);
  }

  [[nodiscard]] AxisMap map_x(const Panel& panel) const {
    const double right = width_ - kRightMargin;
    if (!panel.categories.empty()) {
      Axis bands = panel.x;
      bands.low = -0.5;
      bands.high = static_cast<double>(panel.categories.size()) - 0.5;
      return map_axis(bands, {-0.5, *bands.high}, 0, left_, right);
    }
    const Extent values = figure_.share_x && !shared_.empty() ? shared_ : extent_of(panel, true);
    // Panels that share their x need the same margin too.
    const bool room = figure_.share_x
                          ? std::any_of(figure_.panels.begin(), figure_.panels.end(), has_points)
                          : has_points(panel);
    return map_axis(panel.x, values, room ? 0.05 : 0, left_, right);
  }

  void share_x() {
    for (const auto& panel : figure_.panels) {
      const Extent mine = extent_of(panel, true);
      if (mine.empty()) continue;
      shared_.add(mine.low);
      shared_.add(mine.high);
    }
  }

  /// One left margin for all panels, so that their plot areas line up.
  [[nodiscard]] double left_margin() const {
    double widest = 20;
    for (const auto& panel : figure_.panels) {
      if (!any_drawable(panel) || !panel.lanes.empty()) continue;
      const AxisMap y = map_y(panel, 0, panel_height(panel));
      const Ticks ticks = y_ticks(y, panel_height(panel));
      for (const double at : ticks.at) {
        widest = std::max(widest, text_width(label_of(at, ticks, y, panel.y), kType));
      }
    }
    return std::min(widest + 14, width_ / 3);
  }

  [[nodiscard]] double panel_height(const Panel& panel) const {
    // The names of lanes need their room at any width.
    if (!panel.lanes.empty()) return std::clamp(panel.height, 20.0, kMostHeight);
    const double height = std::clamp(panel.height, 40.0, kMostHeight);
    return width_ < 560 ? std::max(40.0, height * 0.85) : height;
  }

  static Ticks y_ticks(const AxisMap& y, double height) {
    return ticks_of(y, static_cast<std::size_t>(std::max(4.0, height / 32)));
  }

  void paint_legend() {
    struct Entry {
      std::string name;
      const Series* series;
    };
    std::vector<Entry> entries;
    std::set<std::string> seen;
    for (const auto& panel : figure_.panels) {
      for (const auto& series : panel.series) {
        if (series.name.empty() || series.x.empty() || !seen.insert(series.name).second) continue;
        entries.push_back({series.name, &series});
      }
    }
    std::stable_partition(entries.begin(), entries.end(),
                          [](const Entry& e) { return e.series->role != Role::bound; });
    if (entries.empty()) {
      top_ = 4;
      return;
    }
    double x = 2;
    double y = 14;
    for (const auto& entry : entries) {
      const std::string name = fit_text(entry.name, kType, width_ - 40);
      const double needs = 28 + text_width(name, kType) + 14;
      if (x > 2 && x + needs > width_) {
        x = 2;
        y += kLine;
      }
      body_ += legend_entry(*entry.series, x, y, name);
      x += needs;
    }
    top_ = y + 10;
  }

  static std::string legend_entry(const Series& series, double x, double y,
                                  const std::string& name) {
    std::string sample;
    const double middle = y - 4;
    if (series.mark == Mark::bars || series.mark == Mark::boxes) {
      sample = fmt::format("<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"14\" height=\"11\"/>",
                           coordinate(x + 4), coordinate(middle - 5.5));
    } else {
      if (series.mark != Mark::points) {
        sample = fmt::format("<path class=\"ln {}{}\" d=\"M{} {}h22\"/>", role_class(series.role),
                             series.dashed ? " dash" : "", coordinate(x), coordinate(middle));
      }
      if (series.mark == Mark::points || series.mark == Mark::line_points) {
        sample += marker(series.role, x + 11, middle,
                         series.role == Role::chosen ? 3.4
                         : series.faint              ? 2.2
                                                     : 4);
      }
    }
    return fmt::format("<g class=\"lg {}\" data-k=\"{}\">{}{}</g>\n", role_class(series.role),
                       escape_html(series.name), sample, word(x + 28, y, name, "start", "t"));
  }

  void paint_panel(std::size_t index) {
    const Panel& panel = figure_.panels[index];
    const double height = panel_height(panel);
    const bool drawn = any_drawable(panel);
    const bool last = !figure_.share_x || index + 1 == figure_.panels.size();
    top_ += index > 0 ? 8 : 2;
    if (!panel.title.empty()) {
      body_ += word(2, top_ + 12, fit_text(panel.title, kType, width_ - 4), "start", "pt");
      top_ += kLine;
    }
    if (drawn) {
      const AxisMap y = map_y(panel, 0, height);
      body_ +=
          word(2, top_ + 12, fit_text(axis_title(panel.y, y), kType, width_ - 4), "start", "at");
    }
    top_ += kLine + 4;
    const Box plot{left_, top_, width_ - kRightMargin - left_, height};
    if (!drawn) {
      paint_empty(panel, plot);
      top_ += height + 8;
      return;
    }
    const AxisMap x = map_x(panel);
    const AxisMap y = map_y(panel, top_, height);
    paint_filled(panel, index, plot, x, y, last);
    const double names = panel.categories.empty() ? 0 : kLine + 18;
    top_ += height + (names > 0 ? names : last ? 2 * kLine + 2 : 6);
  }

  void paint_empty(const Panel& panel, const Box& plot) {
    body_ += fmt::format("<rect class=\"no\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                         coordinate(plot.x), coordinate(plot.y), coordinate(plot.width),
                         coordinate(plot.height));
    double y = plot.y + plot.height / 2;
    for (const auto& line : wrap_text(panel.empty_note, kType, plot.width - 16)) {
      body_ += word(plot.x + plot.width / 2, y, line, "middle", "nt");
      y += kLine;
    }
  }

  void paint_filled(const Panel& panel, std::size_t index, const Box& plot, const AxisMap& x,
                    const AxisMap& y, bool with_x_labels) {
    const std::string clip = id(fmt::format("c{}", index));
    body_ += fmt::format(
        "<g class=\"pn{}\" data-x=\"{} {} {:.9g} {:.9g} {:d}\" data-y=\"{} {} {:.9g} {:.9g} {:d}\" "
        "data-ux=\"{}\" data-uy=\"{}\">\n",
        panel.lanes.empty() ? "" : " lanes", coordinate(x.from), coordinate(x.to), x.low, x.high,
        x.log, coordinate(y.from), coordinate(y.to), y.low, y.high, y.log,
        escape_html(panel.x.unit), escape_html(panel.y.unit));
    body_ += fmt::format(
        "<clipPath id=\"{}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>"
        "<rect class=\"bg\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
        clip, coordinate(plot.x), coordinate(plot.y - 1), coordinate(plot.width),
        coordinate(plot.height + 2), coordinate(plot.x), coordinate(plot.y), coordinate(plot.width),
        coordinate(plot.height));
    paint_shades(panel, plot, x, y);
    if (panel.lanes.empty()) {
      paint_y_axis(panel, plot, y);
    } else {
      paint_lane_edges(panel, plot);
    }
    if (panel.categories.empty()) {
      paint_x_axis(panel, plot, x, with_x_labels);
    } else {
      paint_categories(panel, plot, x);
    }
    paint_rules(panel, plot, x, y);
    for (std::size_t s = 0; s < panel.series.size(); ++s) {
      body_ +=
          fmt::format("<g class=\"s\" data-k=\"{}\">{}</g>\n", escape_html(panel.series[s].name),
                      draw_series(panel.series[s], panel, s, x, y, clip));
    }
    paint_lane_names(panel, plot);
    for (const auto& label : place_labels(panel, x, y, plot, kType - 1)) {
      body_ += fmt::format("<text class=\"lb {}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n",
                           role_class(label.role), coordinate(label.x), coordinate(label.y),
                           label.anchor, escape_html(label.text));
    }
    body_ += "</g>\n";
  }

  void paint_shades(const Panel& panel, const Box& plot, const AxisMap& x, const AxisMap& y) {
    for (const auto& rule : panel.rules) {
      const AxisMap& map = rule.vertical ? x : y;
      if (!rule.shade_beyond || !map.shows(rule.at) || rule.at >= map.high) continue;
      const double at = map.at(std::max(rule.at, map.low));
      const Box area = rule.vertical ? Box{at, plot.y, plot.right() - at, plot.height}
                                     : Box{plot.x, plot.y, plot.width, at - plot.y};
      body_ += fmt::format("<rect class=\"sh\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
                           coordinate(area.x), coordinate(area.y), coordinate(area.width),
                           coordinate(area.height));
    }
  }

  void paint_rules(const Panel& panel, const Box& plot, const AxisMap& x, const AxisMap& y) {
    for (const auto& rule : panel.rules) {
      const AxisMap& map = rule.vertical ? x : y;
      if (!map.shows(rule.at) || rule.at < map.low || rule.at > map.high) continue;
      const double at = map.at(rule.at);
      const auto role = role_class(rule.role);
      if (!rule.vertical) {
        body_ += fmt::format("<path class=\"rl {}\" d=\"M{} {}H{}\"/>\n", role, coordinate(plot.x),
                             coordinate(at), coordinate(plot.right()));
        if (!rule.label.empty()) {
          body_ += word(plot.right() - 4, at - 4, rule.label, "end", "rt");
        }
        continue;
      }
      body_ += fmt::format("<path class=\"rl {}\" d=\"M{} {}V{}\"/>\n", role, coordinate(at),
                           coordinate(plot.y - 2), coordinate(plot.bottom()));
      if (rule.label.empty()) continue;
      // Above the plot area, where no data are, and not over the title of the y axis.
      const double width = text_width(rule.label, kType - 1);
      const double free_from = 2 + text_width(axis_title(panel.y, y), kType) + 10;
      const double label_x = std::max(free_from, std::min(at - 1, width_ - width));
      if (label_x + width <= width_ + 1) {
        body_ += word(label_x, plot.y - 5, rule.label, "start", "rt");
      }
    }
  }

  void paint_y_axis(const Panel& panel, const Box& plot, const AxisMap& y) {
    const Ticks ticks = y_ticks(y, plot.height);
    for (const double at : ticks.at) {
      const double py = y.at(at);
      body_ += fmt::format("<path class=\"{}\" d=\"M{} {}H{}\"/>", at == 0 ? "zr" : "gr",
                           coordinate(plot.x), coordinate(py), coordinate(plot.right()));
      body_ += word(plot.x - 7, py + 4, label_of(at, ticks, y, panel.y), "end", "tk");
    }
  }

  void paint_lane_edges(const Panel& panel, const Box& plot) {
    const double height = plot.height / static_cast<double>(panel.lanes.size());
    for (std::size_t i = 1; i < panel.lanes.size(); ++i) {
      body_ += fmt::format("<path class=\"gr\" d=\"M{} {}H{}\"/>", coordinate(plot.x),
                           coordinate(plot.y + static_cast<double>(i) * height),
                           coordinate(plot.right()));
    }
  }

  void paint_lane_names(const Panel& panel, const Box& plot) {
    if (panel.lanes.empty()) return;
    const double height = plot.height / static_cast<double>(panel.lanes.size());
    for (std::size_t i = 0; i < panel.lanes.size(); ++i) {
      body_ += word(plot.x + 4, plot.y + static_cast<double>(i) * height + 12,
                    fit_text(panel.lanes[i], kType - 1, plot.width - 8), "start", "lb");
    }
  }

  void paint_x_axis(const Panel& panel, const Box& plot, const AxisMap& x, bool with_labels) {
    auto most = static_cast<std::size_t>(std::max(2.0, plot.width / 48));
    Ticks ticks = ticks_of(x, most);
    const auto crowded = [&] {
      double widest = 0;
      for (const double at : ticks.at) {
        widest = std::max(widest, text_width(label_of(at, ticks, x, panel.x), kType));
      }
      return ticks.at.size() > 1 &&
             (widest + 8) * static_cast<double>(ticks.at.size()) > plot.width;
    };
    while (most > 2 && crowded()) ticks = ticks_of(x, --most);
    for (const double at : ticks.at) {
      const double px = x.at(at);
      const bool zero = at == 0 && x.low < 0;
      body_ += fmt::format("<path class=\"{}\" d=\"M{} {}V{}\"/>", zero ? "zr" : "gr",
                           coordinate(px), coordinate(plot.y), coordinate(plot.bottom()));
      if (with_labels) {
        body_ += word(px, plot.bottom() + 16, label_of(at, ticks, x, panel.x), "middle", "tk");
      }
    }
    if (with_labels) {
      body_ += word(plot.right(), plot.bottom() + 33, axis_title(panel.x, x), "end", "at");
    }
  }

  void paint_categories(const Panel& panel, const Box& plot, const AxisMap& x) {
    const double band = plot.width / static_cast<double>(panel.categories.size());
    for (std::size_t i = 0; i < panel.categories.size(); ++i) {
      auto lines = wrap_text(panel.categories[i], kType, band - 6);
      if (lines.size() > 2) {
        lines.resize(2);
        lines[1] += "…";
      }
      double y = plot.bottom() + 16;
      for (const auto& line : lines) {
        body_ += word(x.at(static_cast<double>(i)), y, line, "middle", "tk");
        y += 14;
      }
    }
  }

  [[nodiscard]] std::string wrap() const {
    const std::string title = id("t");
    const std::string description = id("d");
    const std::string& about = figure_.description.empty() ? figure_.caption : figure_.description;
    std::string out = fmt::format(
        "<svg class=\"fig\" role=\"img\" aria-labelledby=\"{} {}\"{} viewBox=\"0 0 {} {}\" "
        "width=\"{}\" "
        "height=\"{}\">\n<title id=\"{}\">{}</title>\n<desc id=\"{}\">{}</desc>\n",
        title, description, options_.standalone ? " xmlns=\"http://www.w3.org/2000/svg\"" : "",
        coordinate(width_), coordinate(top_), coordinate(width_), coordinate(top_), title,
        escape_html(figure_.title), description, escape_html(about));
    if (options_.standalone) out += fmt::format("<style>{}</style>\n", figure_style());
    return out + body_ + "</svg>\n";
  }

  const Figure& figure_;
  const SvgOptions& options_;
  double width_;
  double left_ = 50;
  double top_ = 0;
  Extent shared_;
  std::string body_;
};

}  // namespace

std::string figure_svg(const Figure& figure, const SvgOptions& options) {
  return Painter(figure, options).paint();
}

}  // namespace mete
