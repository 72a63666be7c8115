// Decisions and beliefs: what is drawn is what was given, and wrong tables are refused by name.
// SPDX-License-Identifier: BSD-3-Clause
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
