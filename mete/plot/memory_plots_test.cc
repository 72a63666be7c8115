// Figures of memory: what is drawn is counted and held against the tables.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/memory_plots.h"

#include <string>

#include <gtest/gtest.h>

namespace mete {
namespace {

std::size_t count_of(const std::string& text, std::string_view word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

Table runs() {
  Table t;
  t.add_texts("model", {"vgg19", "vgg19", "vgg19", "resnet50"});
  t.add_texts("optimizer", {"numa", "synchronous", "synchronous", "synchronous"});
  t.add_texts("ratio", {"4:1", "4:1", "1:0", "4:1"});
  t.add_numbers("seconds", "s", {4, 2, 8, 3});
  t.add_numbers("slowdown", "1", {4, 2, 8, 1.5});
  t.add_numbers("slowdown_low", "1", {3.9, 1.9, 7.9, kNoValue});
  t.add_numbers("slowdown_high", "1", {4.1, 2.5, 8.1, kNoValue});
  t.add_numbers("predicted_seconds", "s", {4.4, 1.8, 8, 3});
  t.add_numbers("solve_seconds", "s", {0.001, 0.1, 0.1, 0.5});
  t.add_numbers("all_slow_slowdown", "1", {8, 8, 8, 4.5});
  return t;
}

TEST(MemoryPlots, SpeedUpIsOverAllSlowAndTheLineIsAllFast) {
  const auto figure = memory_speedup(runs());
  ASSERT_TRUE(figure) << figure.error().what;
  ASSERT_EQ(figure->panels.size(), 2U);
  const Panel& vgg = figure->panels[0];
  EXPECT_EQ(vgg.title, "vgg19");
  ASSERT_EQ(vgg.rules.size(), 1U);
  EXPECT_DOUBLE_EQ(vgg.rules[0].at, 8);
  ASSERT_EQ(vgg.series.size(), 2U);
  EXPECT_EQ(vgg.series[1].name, "synchronous");
  EXPECT_EQ(vgg.series[1].y, (std::vector<double>{4, 1}));
  // The slower end of the time is the lower end of the speed-up.
  EXPECT_DOUBLE_EQ(vgg.series[1].y_low[0], 8 / 2.5);
  EXPECT_DOUBLE_EQ(figure->panels[1].rules[0].at, 4.5);
  EXPECT_FALSE(figure_svg(*figure).empty());
}

TEST(MemoryPlots, CostOfMemoryIsThatOfItsParts) {
  const auto figure = memory_cost(runs(), "synchronous");
  ASSERT_TRUE(figure);
  const auto& series = figure->panels[0].series;
  ASSERT_EQ(series.size(), 3U);
  EXPECT_EQ(series[0].y, (std::vector<double>{0.5, 0.125}));
  // 4:1: four parts at 1/2.1 and one at 1, of five; 1:0: all at 1/2.1.
  EXPECT_NEAR(series[2].y[0], (4 / 2.1 + 1) / 5, 1e-12);
  EXPECT_NEAR(series[2].y[1], 1 / 2.1, 1e-12);
  for (const auto& one : series) EXPECT_NE(one.role, Role::bound) << "the axis leaves bounds out";
}

TEST(MemoryPlots, ErrorsHaveTheirSign) {
  const auto figure = memory_prediction_error(runs());
  ASSERT_TRUE(figure);
  EXPECT_NEAR(figure->panels[0].series[0].y[0], 0.1, 1e-12);
  EXPECT_NEAR(figure->panels[0].series[1].y[0], -0.1, 1e-12);
}

TEST(MemoryPlots, ErrorsOfThePlacementAloneCarryTheirInterval) {
  Table t = runs();
  std::vector<double> error(t.rows(), 0.02);
  error[0] = -0.03;
  const std::vector<double> low(t.rows(), -0.05), high(t.rows(), 0.04);
  EXPECT_FALSE(memory_placement_error(t)) << "without the columns";
  t.add_numbers("placement_error", "1", error);
  t.add_numbers("placement_error_low", "1", low);
  t.add_numbers("placement_error_high", "1", high);
  const auto figure = memory_placement_error(t);
  ASSERT_TRUE(figure);
  EXPECT_DOUBLE_EQ(figure->panels[0].series[0].y[0], -0.03);
  EXPECT_DOUBLE_EQ(figure->panels[0].series[0].y_low[0], -0.05);
  EXPECT_DOUBLE_EQ(figure->panels[0].series[0].y_high[0], 0.04);
}

TEST(MemoryPlots, AMissingColumnIsNamed) {
  Table t = runs();
  std::erase_if(t.columns(), [](const auto& column) { return column.name == "solve_seconds"; });
  const auto figure = memory_solve_time(t);
  ASSERT_FALSE(figure);
  EXPECT_NE(figure.error().what.find("solve_seconds"), std::string::npos) << figure.error().what;
  EXPECT_TRUE(memory_speedup(runs()));
}

TEST(MemoryPlots, EveryTensorHasItsBoxAndTheTinyOnesAreCounted) {
  Table t;
  t.add_texts("tensor", {"a", "b <&>", "tiny", "c"});
  t.add_texts("pool", {"fast", "fast", "fast", "slow"});
  t.add_numbers("from", "s", {0, 1, 0, 0});
  t.add_numbers("to", "s", {1, 2, 2, 2});
  t.add_numbers("offset", "B", {0, 0, 1e6, 0});
  t.add_numbers("bytes", "B", {1e6, 2e6, 64, 4e6});
  const auto figure = memory_places(t);
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels.size(), 2U);
  EXPECT_EQ(figure->panels[0].series[0].x.size(), 2U);
  EXPECT_NE(figure->caption.find("1 more"), std::string::npos) << figure->caption;
  const std::string svg = figure_svg(*figure);
  EXPECT_EQ(count_of(svg, "class=\"bx\""), 3U);
  EXPECT_EQ(svg.find("b <&>"), std::string::npos) << "unescaped";
}

TEST(MemoryPlots, MemoryOverTimeHasItsLimit) {
  Table t;
  t.add_numbers("time", "s", {0, 1, 2});
  t.add_numbers("fast", "B", {1, 2, 1});
  t.add_numbers("alive", "B", {1, 5, 2});
  const auto figure = memory_use(t, {.limit = 3.0});
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels[0].rules.size(), 1U);
  EXPECT_FALSE(figure->panels[0].rules[0].vertical);
  EXPECT_FALSE(figure_svg(*figure).empty());
  Table none;
  none.add_numbers("time", "s");
  none.add_numbers("fast", "B");
  none.add_numbers("alive", "B");
  EXPECT_TRUE(memory_use(none));
}

TEST(MemoryPlots, TheCaseStudyHasThreePanels) {
  Table t;
  t.add_texts("optimizer", {"static", "static", "synchronous", "synchronous"});
  t.add_numbers("fast_bytes", "B", {1e9, 2e9, 1e9, 2e9});
  t.add_numbers("slowdown", "1", {0.5, 0.1, 0.2, 0});
  t.add_numbers("input_fast", "1", {0.5, 1, 0.6, 1});
  t.add_numbers("output_fast", "1", {0.4, 1, 0.7, 1});
  t.add_numbers("to_slow_bytes", "B", {0, 0, 5e8, 0});
  t.add_numbers("to_fast_bytes", "B", {0, 0, 4e8, 0});
  const auto figure = memory_case_study(t);
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels.size(), 3U);
  EXPECT_EQ(figure->panels[0].series.size(), 2U);
  EXPECT_EQ(figure->panels[1].series.size(), 4U);
  EXPECT_FALSE(figure_svg(*figure).empty());
}

}  // namespace
}  // namespace mete
