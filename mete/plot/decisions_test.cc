// Decisions and beliefs: what is drawn is what was given, and wrong tables are refused by name.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "mete/plot/plots.h"

namespace mete {
namespace {

Table samples() {
  Table table;
  table.add_numbers("time", "s", {0, 0.05, 0.1});
  table.add_numbers("clock", "Hz", {1e9, 1e9, 8e8});
  table.add_numbers("asked", "Hz", {1e9, 8e8, 8e8});
  table.add_numbers("power", "W", {100, 100, 80});
  return table;
}

Table made(const std::string& kind) {
  Table table;
  table.add_numbers("time", "s", {0.05, 0.1});
  table.add_numbers("clock", "Hz", {8e8, 8e8});
  table.add_texts("kind", {"probe", kind});
  table.add_texts("why", {"tries <it>", "settles"});
  return table;
}

TEST(Decisions, MarksEachWithItsReason) {
  const auto figure = decisions(samples(), made("settle"));
  ASSERT_TRUE(figure) << figure.error().what;
  const auto& series = figure->panels.at(0).series;
  ASSERT_EQ(series.size(), 4U);  // two lines, a settling, a trial
  EXPECT_EQ(series[2].role, Role::chosen);
  EXPECT_EQ(series[2].x, std::vector<double>{0.1});
  EXPECT_EQ(series[3].y, std::vector<double>{8e8});
  EXPECT_NE(series[3].details.at(0).find("tries <it>"), std::string::npos);
  EXPECT_EQ(figure_svg(*figure).find("<it>"), std::string::npos) << "is escaped";
}

/// data-x of each panel: pixels and values at both ends.
std::vector<std::string> ranges_of(const std::string& svg) {
  std::vector<std::string> out;
  constexpr std::string_view kKey = "data-x=\"";
  for (auto at = svg.find(kKey); at != std::string::npos; at = svg.find(kKey, at + 1)) {
    const auto from = at + kKey.size();
    out.push_back(svg.substr(from, svg.find('"', from) - from));
  }
  return out;
}

TEST(Decisions, ClockAndPowerStandAboveEachOther) {
  const auto figure = decisions(samples(), made("settle"));
  ASSERT_TRUE(figure) << figure.error().what;
  const auto ranges = ranges_of(figure_svg(*figure));
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0], ranges[1]) << "though only one of them has marks";
}

TEST(Decisions, RefusesUnknownKindsFallingTimeAndMissingColumns) {
  EXPECT_NE(decisions(samples(), made("dances")).error().what.find("'dances'"), std::string::npos);
  Table back = samples();
  back.columns()[0].numbers()[2] = 0.01;
  EXPECT_NE(decisions(back, made("settle")).error().what.find("row 3"), std::string::npos);
  EXPECT_NE(decisions({}, made("settle")).error().what.find("time"), std::string::npos);
  Table none = made("settle");
  for (auto& column : none.columns()) {
    if (column.is_text()) {
      column.texts().clear();
    } else {
      column.numbers().clear();
    }
  }
  EXPECT_TRUE(decisions(samples(), none));
}

/// The rightmost end of any error bar, and the right end of the plot area.
std::pair<double, double> reach_of(const std::string& svg) {
  double most = 0;
  constexpr std::string_view kKey = "class=\"eb\" d=\"";
  for (auto at = svg.find(kKey); at != std::string::npos; at = svg.find(kKey, at + 1)) {
    const auto from = svg.find('H', at) + 1;
    most = std::max(most, std::stod(svg.substr(from, 12)));
  }
  const std::string range = ranges_of(svg).at(0);
  return {most, std::stod(range.substr(range.find(' ') + 1))};
}

TEST(Beliefs, NothingIsDrawnBesideThePlot) {
  Table table;
  table.add_texts("kind", {"found", "found", "believed", "believed"});
  table.add_numbers("clock", "Hz", {1e9, 8e8, 8e8, 1e8});
  table.add_numbers("time change", "1", {0, 0.06, 0.1, 5});
  table.add_numbers("doubt", "1", {0.01, 0.01, 3, 0.1});
  table.add_numbers("energy change", "1", {0, -0.22, -0.2, 3});
  const auto figure = beliefs(table);
  ASSERT_TRUE(figure) << figure.error().what;
  const std::string svg = figure_svg(*figure);
  const auto [most, end] = reach_of(svg);
  EXPECT_NEAR(most, end, 0.11) << "the bar of 300 % ends where the plot does";
  EXPECT_EQ(svg.find("believed at first at 100"), std::string::npos) << "500 % is out of sight";
}

TEST(Beliefs, OneLabelAClock) {
  Table table;
  table.add_texts("kind", {"measured", "measured", "found", "measured", "found"});
  table.add_numbers("clock", "Hz", {6e8, 8e8, 8e8, 1e9, 1e9});
  table.add_numbers("time change", "1", {0.1, 0.05, 0.06, 0, 0});
  table.add_numbers("doubt", "1", {kNoValue, kNoValue, 0.01, kNoValue, 0});
  table.add_numbers("energy change", "1", {-0.1, -0.21, -0.22, 0, 0});
  const auto figure = beliefs(table, {.settled = 8e8, .max_slowdown = std::nullopt});
  ASSERT_TRUE(figure) << figure.error().what;
  const auto& series = figure->panels.at(0).series;
  ASSERT_EQ(series.size(), 3U);
  std::string shown;
  for (const auto& one : series) {
    for (const auto& label : one.labels) shown += label.empty() ? "-" : "x";
    shown += ' ';
  }
  EXPECT_EQ(shown, "x-- -x x ") << "600 MHz measured, 1 GHz found, 800 MHz settled at";
}

TEST(Beliefs, RingsTheClockAsItWasFound) {
  Table table;
  table.add_texts("kind", {"believed", "measured", "found", "believed"});
  table.add_numbers("clock", "Hz", {8e8, 8e8, 8e8, 1e8});
  table.add_numbers("time change", "1", {0.1, 0.05, 0.06, 5});
  table.add_numbers("doubt", "1", {0.02, kNoValue, 0.01, 0.1});
  table.add_numbers("energy change", "1", {-0.2, -0.21, -0.22, 3});
  const auto figure = beliefs(table, {.settled = 8e8, .max_slowdown = 0.1});
  ASSERT_TRUE(figure) << figure.error().what;
  const auto& panel = figure->panels.at(0);
  ASSERT_EQ(panel.series.size(), 4U);
  EXPECT_EQ(panel.series.back().role, Role::chosen);
  EXPECT_EQ(panel.series.back().x, std::vector<double>{0.06});
  EXPECT_EQ(panel.rules.at(0).at, 0.1);
  EXPECT_LT(*panel.x.high, 1) << "a clock five times as slow does not squeeze the rest";
  EXPECT_NE(figure->caption.find("1 point at slower clocks"), std::string::npos);
  table.columns()[0].texts()[0] = "guessed";
  EXPECT_NE(beliefs(table).error().what.find("'guessed'"), std::string::npos);
}

}  // namespace
}  // namespace mete
