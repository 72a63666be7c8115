// Where the labels of points go: greedily, the most important first, each to the best of sixteen
// places. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>

#include "mete/plot/markup.h"
#include "mete/plot/plot_area.h"

namespace mete {
namespace {

constexpr double kMarkerReach = 5.5;
constexpr double kRingReach = 9;
// Labels among more points than these would say nothing.
constexpr std::size_t kMostLabels = 120;

struct Wanted {
  double x, y;
  std::string text;
  Role role;
  bool essential;
};

struct Segment {
  double x0, y0, x1, y1;
};

bool crosses(const Segment& s, const Box& box) {
  // Sampled finely enough for boxes of a text's height.
  constexpr int kSteps = 48;
  for (int i = 0; i <= kSteps; ++i) {
    const double t = i / static_cast<double>(kSteps);
    const double x = s.x0 + t * (s.x1 - s.x0);
    const double y = s.y0 + t * (s.y1 - s.y0);
    if (x > box.x && x < box.right() && y > box.y && y < box.bottom()) return true;
  }
  return false;
}

struct Scene {
  std::vector<Box> markers;
  std::vector<Segment> lines;
  std::vector<Wanted> wanted;
};

Scene survey(const Panel& panel, const AxisMap& x, const AxisMap& y) {
  Scene scene;
  for (const auto& series : panel.series) {
    const std::size_t n = std::min(series.x.size(), series.y.size());
    if (series.mark == Mark::bars || n > kMostLabels) continue;
    for (std::size_t i = 0; i < n; ++i) {
      if (!x.holds(series.x[i]) || !y.holds(series.y[i])) continue;
      const double px = x.at(series.x[i]);
      const double py = y.at(series.y[i]);
      const bool drawn = series.mark == Mark::points || series.mark == Mark::line_points;
      const double reach = series.role == Role::chosen ? kRingReach : kMarkerReach;
      if (drawn) scene.markers.push_back({px - reach, py - reach, 2 * reach, 2 * reach});
      const auto bar = [&](const std::vector<double>& low, const std::vector<double>& high,
                           const AxisMap& map, bool across) {
        if (i >= low.size() || i >= high.size() || !map.shows(low[i]) || !map.shows(high[i]))
          return;
        scene.lines.push_back(across ? Segment{map.at(low[i]), py, map.at(high[i]), py}
                                     : Segment{px, map.at(low[i]), px, map.at(high[i])});
      };
      bar(series.x_low, series.x_high, x, true);
      bar(series.y_low, series.y_high, y, false);
      if (series.mark != Mark::points && i + 1 < n && x.shows(series.x[i + 1]) &&
          y.shows(series.y[i + 1])) {
        scene.lines.push_back({px, py, x.at(series.x[i + 1]), y.at(series.y[i + 1])});
      }
      if (i < series.labels.size() && !series.labels[i].empty()) {
        scene.wanted.push_back({px, py, series.labels[i], series.role, series.labels_matter});
      }
    }
  }
  std::stable_sort(scene.wanted.begin(), scene.wanted.end(),
                   [](const Wanted& a, const Wanted& b) { return a.essential && !b.essential; });
  return scene;
}

PlacedLabel candidate(const Wanted& wanted, std::size_t place, double size) {
  // Right, left, above, below, then the corners; each near, then a little farther.
  constexpr std::array<std::array<double, 2>, 8> kWays{
      {{1, 0}, {-1, 0}, {0, -1}, {0, 1}, {1, -1}, {-1, -1}, {1, 1}, {-1, 1}}};
  const auto [right, down] = kWays.at(place % 8);
  const double reach =
      (wanted.role == Role::chosen ? kRingReach : kMarkerReach) + 3 + (place >= 8 ? 0.9 * size : 0);
  const double shift = right != 0 && down != 0 ? reach * 0.75 : reach;
  const double width = text_width(wanted.text, size);
  PlacedLabel label;
  label.text = wanted.text;
  label.role = wanted.role;
  label.anchor = right > 0 ? "start" : right < 0 ? "end" : "middle";
  label.x = wanted.x + right * shift;
  label.y = wanted.y + down * shift +
            (down > 0   ? 0.8 * size
             : down < 0 ? -0.1 * size
                        : 0.35 * size);
  const double left = right > 0 ? label.x : right < 0 ? label.x - width : label.x - width / 2;
  label.box = {left, label.y - 0.85 * size, width, 1.1 * size};
  return label;
}

}  // namespace

std::vector<PlacedLabel> place_labels(const Panel& panel, const AxisMap& x, const AxisMap& y,
                                      const Box& plot, double size) {
  const Scene scene = survey(panel, x, y);
  std::vector<PlacedLabel> placed;
  for (const auto& wanted : scene.wanted) {
    double least = wanted.essential ? 1e9 : 100;  // from 100 on, it covers something
    std::optional<PlacedLabel> best;
    for (std::size_t place = 0; place < 16; ++place) {
      PlacedLabel label = candidate(wanted, place, size);
      const Box& box = label.box;
      double cost = static_cast<double>(place) * 0.5;
      if (box.x < plot.x || box.right() > plot.right() || box.y < plot.y ||
          box.bottom() > plot.bottom()) {
        cost += 1000;
      }
      for (const auto& other : placed) cost += box.overlaps(other.box) ? 400 : 0;
      for (const auto& marker : scene.markers) cost += box.overlaps(marker) ? 100 : 0;
      const Box roomy{box.x - 2, box.y - 1, box.width + 4, box.height + 2};
      for (const auto& line : scene.lines) cost += crosses(line, roomy) ? 8 : 0;
      if (cost < least) {
        least = cost;
        best = std::move(label);
      }
    }
    if (best) placed.push_back(std::move(*best));
  }
  return placed;
}

}  // namespace mete
