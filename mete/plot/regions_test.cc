// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/plot/plots.h"

namespace mete {
namespace {

Table table_of(std::vector<std::string> names, std::vector<double> joules,
               std::vector<double> seconds) {
  Table table;
  table.add_texts("region", std::move(names));
  table.add_numbers("own energy", "J", std::move(joules));
  table.add_numbers("time", "s", std::move(seconds));
  return table;
}

TEST(RegionBars, TheCostliestComesFirstInBothPanels) {
  const auto figure = region_bars(table_of({"load", "train", "save"}, {5, 90, 20}, {9, 3, 1}));
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels.size(), 2U);
  for (const auto& panel : figure->panels) {
    EXPECT_EQ(panel.categories, (std::vector<std::string>{"train", "save", "load"}));
  }
  EXPECT_EQ(figure->panels[0].series.at(0).y, (std::vector<double>{90, 20, 5}));
  EXPECT_EQ(figure->panels[1].series.at(0).y, (std::vector<double>{3, 1, 9}));
}

TEST(RegionBars, WithoutEnergyTimeIsTheCostAndItSaysSo) {
  const auto figure = region_bars(table_of({"a", "b"}, {kNoValue, kNoValue}, {1, 2}));
  ASSERT_TRUE(figure);
  ASSERT_EQ(figure->panels.size(), 1U);
  EXPECT_EQ(figure->panels[0].categories.at(0), "b");
  EXPECT_NE(figure->caption.find("No energy was measured"), std::string::npos);
}

TEST(RegionBars, ManyAndLongNamesAreCutAndCounted) {
  std::vector<std::string> names;
  std::vector<double> joules;
  for (int i = 0; i < 40; ++i) {
    names.push_back(std::string(20, 'x') + "\xc3\xa4\xc3\xa4\xc3\xa4" + std::to_string(i));
    joules.push_back(i);
  }
  const auto figure = region_bars(table_of(names, joules, joules));
  ASSERT_TRUE(figure);
  EXPECT_EQ(figure->panels[0].categories.size(), 12U);
  EXPECT_EQ(figure->panels[0].series.at(0).y.at(0), 39);
  EXPECT_NE(figure->caption.find("of 40 regions"), std::string::npos);
  EXPECT_EQ(figure->data.rows(), 40U);
  EXPECT_FALSE(figure_svg(*figure).empty());
}

TEST(RegionBars, ATableOfSomethingElseIsRefused) {
  Table table;
  table.add_texts("arm", {"a"});
  const auto figure = region_bars(table);
  ASSERT_FALSE(figure);
  EXPECT_NE(figure.error().what.find("region"), std::string::npos);
}

}  // namespace
}  // namespace mete
