// The marks of a series: lines, steps, markers with error bars, bars.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "mete/plot/decimate.h"
#include "mete/plot/markup.h"
#include "mete/plot/page.h"
#include "mete/plot/plot_area.h"

namespace mete {
namespace {

constexpr double kMarkerSize = 4.2;
constexpr double kCap = 3.5;
// More points than this in a series get no stop of their own on the Tab key.
constexpr std::size_t kMostFocusable = 40;

double value_at(const std::vector<double>& values, std::size_t i) {
  return i < values.size() ? values[i] : kNoValue;
}

/// A path in relative tenths of a pixel; positions are rounded, not differences, so that nothing
/// drifts.
class PathWriter {
 public:
  void move(double x, double y) {
    set(x, y);
    d_ += fmt::format("M{} {}", coordinate(px_ / 10.0), coordinate(py_ / 10.0));
    drawing_ = false;
  }
  void line(double x, double y) {
    const double old_x = px_;
    const double old_y = py_;
    set(x, y);
    const std::string dx = coordinate((px_ - old_x) / 10.0);
    const std::string dy = coordinate((py_ - old_y) / 10.0);
    d_ += drawing_ ? (dx.front() == '-' ? "" : " ") : "l";
    d_ += dx;
    if (dy.front() != '-') d_ += ' ';
    d_ += dy;
    drawing_ = true;
  }
  [[nodiscard]] const std::string& text() const { return d_; }

 private:
  void set(double x, double y) {
    px_ = std::round(x * 10);
    py_ = std::round(y * 10);
  }
  std::string d_;
  double px_ = 0, py_ = 0;
  bool drawing_ = false;
};

std::string line_path(const Series& series, const AxisMap& x, const AxisMap& y) {
  const bool step = series.mark == Mark::step;
  const auto columns = static_cast<std::size_t>(std::max(1.0, std::abs(x.to - x.from)));
  const auto kept = step ? thin_steps(series.x, series.y, x.low, x.high, columns)
                         : thin_line(series.x, series.y, x.low, x.high, columns);
  PathWriter path;
  bool pen_down = false;
  double last_y = 0;
  for (const std::size_t i : kept) {
    if (!x.shows(series.x[i]) || !y.shows(series.y[i])) {
      pen_down = false;
      continue;
    }
    const double px = x.at(series.x[i]);
    const double py = y.at(series.y[i]);
    if (!pen_down) {
      path.move(px, py);
      path.line(px, py);  // a lone point between gaps shows as a dot (round caps)
    } else {
      if (step) path.line(px, last_y);
      if (!step || py != last_y) path.line(px, py);
    }
    pen_down = true;
    last_y = py;
  }
  return path.text();
}

/// From one end to the other with a cap at each; an end beyond the plot area has none.
std::string error_bar(const AxisMap& along, double across, double low, double high,
                      bool horizontal) {
  if (high < along.low || low > along.high) return "";
  const auto c = [](double v) { return coordinate(v); };
  const std::string from = c(along.at(std::max(low, along.low)));
  const std::string to = c(along.at(std::min(high, along.high)));
  std::string d = horizontal ? fmt::format("M{} {}H{}", from, c(across), to)
                             : fmt::format("M{} {}V{}", c(across), from, to);
  for (const double end : {low, high}) {
    if (!along.holds(end)) continue;
    const std::string at = c(along.at(end));
    d += horizontal ? fmt::format("M{} {}V{}", at, c(across - kCap), c(across + kCap))
                    : fmt::format("M{} {}H{}", c(across - kCap), at, c(across + kCap));
  }
  return fmt::format("<path class=\"eb\" d=\"{}\"/>", d);
}

std::string intervals_at(const Series& series, std::size_t i, double px, double py,
                         const AxisMap& x, const AxisMap& y) {
  std::string out;
  const double x_low = value_at(series.x_low, i);
  const double x_high = value_at(series.x_high, i);
  if (x.shows(x_low) && x.shows(x_high)) out += error_bar(x, py, x_low, x_high, true);
  const double y_low = value_at(series.y_low, i);
  const double y_high = value_at(series.y_high, i);
  if (y.shows(y_low) && y.shows(y_high)) out += error_bar(y, px, y_low, y_high, false);
  return out;
}

std::string title_of(const Series& series, const Panel& panel, std::size_t i) {
  if (i < series.details.size() && !series.details[i].empty()) return series.details[i];
  const bool banded = !panel.categories.empty();
  const auto category = static_cast<std::size_t>(std::max(0.0, std::round(series.x[i])));
  const std::string at = banded && category < panel.categories.size()
                             ? panel.categories[category]
                             : show_value(series.x[i], panel.x.unit);
  return fmt::format("{}{}{}: {}", series.name, series.name.empty() ? "" : ", ", at,
                     show_value(series.y[i], panel.y.unit, 4, panel.y.signed_ticks));
}

std::string draw_markers(const Series& series, const Panel& panel, const AxisMap& x,
                         const AxisMap& y) {
  std::string out;
  const std::size_t n = std::min(series.x.size(), series.y.size());
  const double size = n > 200 || series.faint ? 2.2 : kMarkerSize;
  for (std::size_t i = 0; i < n; ++i) {
    if (!x.holds(series.x[i]) || !y.holds(series.y[i])) continue;
    const double px = x.at(series.x[i]);
    const double py = y.at(series.y[i]);
    out += fmt::format("<g class=\"p {}{}\"{}><title>{}</title>{}{}</g>\n", role_class(series.role),
                       series.faint ? " ft" : "", n <= kMostFocusable ? " tabindex=\"0\"" : "",
                       escape_html(title_of(series, panel, i)),
                       intervals_at(series, i, px, py, x, y), marker(series.role, px, py, size));
  }
  return out;
}

std::string draw_bars(const Series& series, const Panel& panel, std::size_t index, const AxisMap& x,
                      const AxisMap& y) {
  std::size_t bars = 0;
  std::size_t mine = 0;
  for (std::size_t s = 0; s < panel.series.size(); ++s) {
    if (panel.series[s].mark != Mark::bars) continue;
    if (s == index) mine = bars;
    ++bars;
  }
  const double band = std::abs(x.at(1) - x.at(0));
  const double width = std::min(46.0, band * 0.76 / static_cast<double>(bars));
  const double offset = (static_cast<double>(mine) - (static_cast<double>(bars) - 1) / 2) * width;
  std::string out;
  for (std::size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i) {
    if (!x.shows(series.x[i]) || !y.shows(series.y[i])) continue;
    const double px = x.at(series.x[i]) + offset;
    const double py = y.at(series.y[i]);
    const double zero = y.at(std::clamp(0.0, y.low, y.high));
    out += fmt::format(
        "<g class=\"p {}\" tabindex=\"0\"><title>{}</title><rect class=\"bar\" x=\"{}\" y=\"{}\" "
        "width=\"{}\" height=\"{}\"/>{}</g>\n",
        role_class(series.role), escape_html(title_of(series, panel, i)),
        coordinate(px - width / 2 + 1), coordinate(std::min(py, zero)),
        coordinate(std::max(1.0, width - 2)), coordinate(std::max(0.6, std::abs(zero - py))),
        intervals_at(series, i, px, py, x, y));
  }
  return out;
}

/// One rectangle each. What is narrower or lower than a pixel is drawn a pixel wide: it is there.
std::string draw_boxes(const Series& series, const Panel& panel, const AxisMap& x, const AxisMap& y,
                       std::string_view clip) {
  std::string out =
      fmt::format("<g class=\"{}\" clip-path=\"url(#{})\">\n", role_class(series.role), clip);
  for (std::size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i) {
    const double low = value_at(series.x_low, i);
    const double high = value_at(series.x_high, i);
    const double bottom = value_at(series.y_low, i);
    const double top = value_at(series.y_high, i);
    if (!x.shows(low) || !x.shows(high) || !y.shows(bottom) || !y.shows(top)) continue;
    out += fmt::format(
        "<g class=\"p\"><title>{}</title><rect class=\"bx\" x=\"{}\" y=\"{}\" width=\"{}\" "
        "height=\"{}\"/></g>\n",
        escape_html(title_of(series, panel, i)), coordinate(x.at(low)), coordinate(y.at(top)),
        coordinate(std::max(1.0, x.at(high) - x.at(low))),
        coordinate(std::max(1.0, y.at(bottom) - y.at(top))));
  }
  return out + "</g>\n";
}

}  // namespace

std::string draw_series(const Series& series, const Panel& panel, std::size_t index,
                        const AxisMap& x, const AxisMap& y, std::string_view clip) {
  if (series.mark == Mark::bars) return draw_bars(series, panel, index, x, y);
  if (series.mark == Mark::boxes) return draw_boxes(series, panel, x, y, clip);
  std::string out;
  if (series.mark != Mark::points) {
    const std::string d = line_path(series, x, y);
    const bool marked = series.mark == Mark::line_points;
    if (!d.empty()) {
      out += fmt::format(
          "<path class=\"ln {}{}{}\" data-n=\"{}\"{} clip-path=\"url(#{})\" d=\"{}\"/>\n",
          role_class(series.role), series.dashed ? " dash" : "", marked ? " thin" : "",
          escape_html(series.name), series.mark == Mark::step ? " data-s=\"1\"" : "", clip, d);
    }
  }
  if (series.mark == Mark::points || series.mark == Mark::line_points) {
    out += draw_markers(series, panel, x, y);
  }
  return out;
}

}  // namespace mete
