// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/region_lanes.h"

#include <gtest/gtest.h>

#include "mete/plot/page.h"
#include "mete/plot/plots.h"

namespace mete {
namespace {

RegionLane lane(std::string name, std::size_t level, std::vector<LaneSpan> spans) {
  RegionLane out{std::move(name), level, 0, 0, std::move(spans)};
  for (const auto& span : out.spans) {
    out.count += span.count;
    out.seconds += span.seconds;
  }
  return out;
}

Figure timeline_of(double seconds) {
  Table table;
  table.add_texts("run", {"agent", "agent"});
  table.add_numbers("time", "s", {0, seconds});
  table.add_numbers("clock", "Hz", {1e9, 1e9});
  table.add_numbers("power", "W", {100, 120});
  auto figure = timeline(table);
  EXPECT_TRUE(figure);
  return figure ? *figure : Figure{};
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(RegionLanes, StandBelowClockAndPowerOnTheirTimeAxis) {
  Figure figure = timeline_of(10);
  add_region_lanes(figure, {lane("forward", 1, {{1, 2, 1, 1, 1}, {5, 6, 1, 1, 1}}),
                            lane("epoch", 0, {{0, 4, 1, 4, 1}, {4, 8, 1, 4, 1}})});
  ASSERT_EQ(figure.panels.size(), 3U);
  const Panel& lanes = figure.panels.back();
  ASSERT_EQ(lanes.lanes.size(), 2U);
  EXPECT_EQ(lanes.lanes[0].substr(0, 5), "epoch") << "outer regions on top";
  EXPECT_EQ(lanes.series[0].x_low, (std::vector<double>{0, 4})) << "one after the other stay two";
  EXPECT_GT(lanes.series[0].y_low[0], lanes.series[1].y_high[0]);
  const std::string svg = figure_svg(figure);
  EXPECT_EQ(occurrences(svg, "class=\"bx\""), 4U);
  EXPECT_NE(svg.find("forward · 2 times, 2"), std::string::npos);
  EXPECT_NE(svg.find("<desc"), std::string::npos);
  EXPECT_NE(figure.description.find("regions over time: epoch · 2 times"), std::string::npos);
  EXPECT_EQ(occurrences(svg, "Time since the start of the run"), 1U) << "below the last panel";
}

TEST(RegionLanes, ABandTellsNameTimeCountAndThreads) {
  Figure figure = timeline_of(10);
  add_region_lanes(figure, {lane("load", 0, {{1, 3, 1234, 1.5, 3}})});
  const auto& details = figure.panels.back().series.at(0).details;
  ASSERT_EQ(details.size(), 1U);
  EXPECT_EQ(details[0].substr(0, 5), "load\n");
  EXPECT_NE(details[0].find("1,234 times, 1.5"), std::string::npos) << details[0];
  EXPECT_NE(details[0].find("3 threads"), std::string::npos);
}

TEST(RegionLanes, ABandIsAsHighAsItsPartOfTheTime) {
  Figure figure = timeline_of(100);
  add_region_lanes(figure, {lane("a", 0, {{0, 10, 5, 10, 1}, {20, 40, 9, 10, 1}})});
  const Series& series = figure.panels.back().series.at(0);
  const double whole = series.y_high[0] - series.y_low[0];
  const double half = series.y_high[1] - series.y_low[1];
  EXPECT_NEAR(half, whole / 2, 1e-9);
}

TEST(RegionLanes, ThousandsAreBoundedAndCounted) {
  std::vector<RegionLane> lanes;
  for (int n = 0; n < 40; ++n) {
    std::vector<LaneSpan> spans;
    for (int i = 0; i < 4000; ++i) spans.push_back({i * 0.25, i * 0.25 + 0.1, 2, 0.1, 1});
    lanes.push_back(lane("region " + std::to_string(n), static_cast<std::size_t>(n % 3), spans));
  }
  Figure figure = timeline_of(1000);
  add_region_lanes(figure, lanes);
  const std::string svg = figure_svg(figure);
  EXPECT_LE(occurrences(svg, "class=\"bx\""), kMostBands);
  EXPECT_EQ(figure.panels.back().lanes.size(), kMostLanes);
  EXPECT_NE(figure.caption.find("96,000 entries are drawn as"), std::string::npos)
      << figure.caption;
  EXPECT_NE(figure.caption.find("of 40 regions"), std::string::npos);
  EXPECT_LT(svg.size(), 300'000U);
  std::uint64_t told = 0;
  for (const auto& one : choose_lanes(lanes, 0, 1000).lanes) {
    for (const auto& span : one.spans) told += span.count;
  }
  EXPECT_EQ(told, 12U * 8000U) << "no entry is lost by drawing several as one";
}

TEST(RegionLanes, WhatLiesOutsideOfTheAxisIsNotDrawn) {
  Figure figure = timeline_of(10);
  add_region_lanes(figure, {lane("late", 0, {{20, 30, 1, 10, 1}}),
                            lane("over the edge", 0, {{5, 15, 1, 10, 1}})});
  ASSERT_EQ(figure.panels.back().lanes.size(), 1U);
  EXPECT_EQ(figure.panels.back().series.at(0).x_high.at(0), 10);
}

TEST(RegionLanes, NothingOddBreaksIt) {
  Figure figure = timeline_of(10);
  add_region_lanes(figure, {});
  EXPECT_EQ(figure.panels.size(), 2U);
  add_region_lanes(figure,
                   {lane("<script>&\x01", 900,
                         {{2, 2, 1, 0, 1}, {kNoValue, 3, 1, 1, 1}, {1e300, 1e301, 1, 1, 1}})});
  const std::string svg = figure_svg(figure, {.width = 400, .standalone = false, .id_suffix = ""});
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  Figure none;
  add_region_lanes(none, {lane("alone", 0, {{1, 2, 1, 1, 1}})});
  EXPECT_EQ(none.panels.size(), 1U);
  EXPECT_FALSE(figure_svg(none).empty());
}

// 400 pixels: names end within the plot.
TEST(RegionLanes, LongNamesAreCutOnAPhone) {
  Figure figure = timeline_of(10);
  add_region_lanes(figure, {lane(std::string(200, 'w'), 0, {{1, 2, 1, 1, 1}})});
  EXPECT_NE(figure_svg(figure, {.width = 372, .standalone = false, .id_suffix = ""}).find("www…"),
            std::string::npos);
}

}  // namespace
}  // namespace mete
