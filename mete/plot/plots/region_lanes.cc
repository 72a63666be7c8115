// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/region_lanes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "mete/plot/plot_area.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

// Closer than this part of the time axis, bands are one on any screen.
constexpr double kFinest = 1.0 / 1600;
constexpr double kLaneHeight = 30;
constexpr std::array kRoles{Role::swept, Role::other_a, Role::agent, Role::baseline};

const char* plural(std::uint64_t count) { return count == 1 ? "" : "s"; }

/// "12,345": counts of marks are long.
std::string grouped(std::uint64_t count) {
  std::string out = std::to_string(count);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}

void join(LaneSpan& into, const LaneSpan& from) {
  into.end = std::max(into.end, from.end);
  into.count += from.count;
  into.seconds += from.seconds;
  into.threads = std::max(into.threads, from.threads);
}

/// What lies within [from, to], cut at its ends: the time of a cut span is its part's.
std::vector<LaneSpan> clipped(const std::vector<LaneSpan>& spans, double from, double to) {
  std::vector<LaneSpan> out;
  for (LaneSpan span : spans) {
    if (!drawable(span.begin) || !drawable(span.end) || span.end < from || span.begin > to)
      continue;
    const double length = span.end - span.begin;
    span.begin = std::max(span.begin, from);
    span.end = std::min(span.end, to);
    if (length > 0) span.seconds *= (span.end - span.begin) / length;
    out.push_back(span);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const LaneSpan& a, const LaneSpan& b) { return a.begin < b.begin; });
  return out;
}

void close_gaps(std::vector<LaneSpan>& spans, double gap) {
  if (spans.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 1; i < spans.size(); ++i) {
    // Two regions of a length that can be seen stay two, even where one follows the other at once.
    const bool seen = spans[i].end - spans[i].begin >= 4 * gap &&
                      spans[kept].end - spans[kept].begin >= 4 * gap &&
                      spans[i].begin >= spans[kept].end;
    if (spans[i].begin - spans[kept].end <= gap && !seen) {
      join(spans[kept], spans[i]);
    } else {
      spans[++kept] = spans[i];
    }
  }
  spans.resize(kept + 1);
}

std::size_t bands_of(const std::vector<RegionLane>& lanes) {
  std::size_t bands = 0;
  for (const auto& lane : lanes) bands += lane.spans.size();
  return bands;
}

Series series_of(const RegionLane& lane, double bottom) {
  Series series;
  series.role = kRoles.at(std::min(lane.level, kRoles.size() - 1));
  series.mark = Mark::boxes;
  for (const LaneSpan& span : lane.spans) {
    const double height = std::max(0.12, 0.42 * share_of(span));
    series.x.push_back(span.begin);
    series.x_low.push_back(span.begin);
    series.x_high.push_back(span.end);
    series.y.push_back(bottom + height / 2);
    series.y_low.push_back(bottom);
    series.y_high.push_back(bottom + height);
    series.details.push_back(fmt::format("{}\n{}", lane.name, describe_span(span)));
  }
  return series;
}

Extent time_of(const Figure& figure) {
  Extent out;
  for (const auto& panel : figure.panels) {
    const Extent mine = extent_of(panel, true);
    if (mine.empty()) continue;
    out.add(mine.low);
    out.add(mine.high);
  }
  return out;
}

}  // namespace

double share_of(const LaneSpan& span) {
  const double length = span.end - span.begin;
  return length > 0 ? std::clamp(span.seconds / length, 0.0, 1.0) : 1.0;
}

std::string describe_lane(const RegionLane& lane) {
  return fmt::format("{} · {} time{}, {}", lane.name, grouped(lane.count), plural(lane.count),
                     show_value(lane.seconds, "s", 3));
}

std::string describe_span(const LaneSpan& span) {
  std::string out =
      fmt::format("from {} to {}\n{} time{}, {} in it", show_value(span.begin, "s", 5),
                  show_value(span.end, "s", 5), grouped(span.count), plural(span.count),
                  show_value(span.seconds, "s", 4));
  if (span.threads > 1) out += fmt::format(", {} threads", span.threads);
  return out;
}

DrawnLanes choose_lanes(std::vector<RegionLane> lanes, double from, double to) {
  DrawnLanes out;
  for (auto& lane : lanes) {
    lane.spans = clipped(lane.spans, from, to);
    if (lane.spans.empty()) continue;
    ++out.lanes_of;
    out.lanes.push_back(std::move(lane));
  }
  std::stable_sort(out.lanes.begin(), out.lanes.end(),
                   [](const RegionLane& a, const RegionLane& b) { return a.seconds > b.seconds; });
  if (out.lanes.size() > kMostLanes) out.lanes.resize(kMostLanes);
  std::stable_sort(out.lanes.begin(), out.lanes.end(),
                   [](const RegionLane& a, const RegionLane& b) {
                     return a.level != b.level ? a.level < b.level
                                               : a.spans.front().begin < b.spans.front().begin;
                   });
  for (double gap = (to - from) * kFinest;; gap *= 2) {
    for (auto& lane : out.lanes) close_gaps(lane.spans, gap);
    if (bands_of(out.lanes) <= kMostBands || !(gap < to - from)) break;
  }
  out.bands = bands_of(out.lanes);
  for (const auto& lane : out.lanes) out.times += lane.count;
  return out;
}

std::string describe_lanes(const DrawnLanes& drawn) {
  std::string out =
      "Regions: one lane each, those within no other on top, inner ones below; the higher a band, "
      "the more of its time was spent in the region.";
  if (drawn.bands < drawn.times) {
    out += fmt::format(" {} entries are drawn as {} bands: near ones are one.",
                       grouped(drawn.times), grouped(drawn.bands));
  }
  if (drawn.lanes.size() < drawn.lanes_of) {
    out += fmt::format(" The {} of the longest time of {} regions are drawn.", drawn.lanes.size(),
                       drawn.lanes_of);
  }
  return out;
}

void add_region_lanes(Figure& figure, std::vector<RegionLane> lanes) {
  Extent time = time_of(figure);
  if (time.empty()) {
    for (const auto& lane : lanes) {
      for (const auto& span : lane.spans) {
        if (!drawable(span.begin) || !drawable(span.end)) continue;
        time.add(0);
        time.add(span.end);
      }
    }
  }
  if (time.empty()) return;
  const DrawnLanes drawn = choose_lanes(std::move(lanes), time.low, time.high);
  if (drawn.lanes.empty()) return;
  Panel panel;
  panel.x = {"Time since the start of the run", "s"};
  panel.y = {"Regions", ""};
  panel.y.low = 0;
  panel.y.high = static_cast<double>(drawn.lanes.size());
  panel.height = kLaneHeight * static_cast<double>(drawn.lanes.size());
  figure.description += " Below, regions over time:";
  for (std::size_t i = 0; i < drawn.lanes.size(); ++i) {
    const RegionLane& lane = drawn.lanes[i];
    panel.lanes.push_back(describe_lane(lane));
    panel.series.push_back(series_of(lane, static_cast<double>(drawn.lanes.size() - i) - 0.94));
    figure.description +=
        fmt::format("{} {} from {} to {}, level {}", i > 0 ? ";" : "", describe_lane(lane),
                    show_value(lane.spans.front().begin, "s", 4),
                    show_value(lane.spans.back().end, "s", 4), lane.level + 1);
  }
  figure.description += ".";
  figure.caption += (figure.caption.empty() ? "" : " ") + describe_lanes(drawn);
  figure.panels.push_back(std::move(panel));
  figure.share_x = true;
}

}  // namespace mete
