// Writes sample pages for a person to look at, where METE_GALLERY names a folder; else checks their
// size. SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/plot/sample_page_test.h"

namespace mete {
namespace {

TEST(Gallery, AUsualPageIsBelow300KilobytesAndTheSameEachTime) {
  const std::string html = sample::page().to_html();
  EXPECT_LT(html.size(), 300000U);
  EXPECT_EQ(html, sample::page().to_html());
  const char* folder = std::getenv("METE_GALLERY");
  if (folder == nullptr) return;
  ASSERT_TRUE(write_file_atomically(path_join(folder, "page.html"), html));
  Page plain;
  plain.title = "Plain panels, and what has no values";
  FrontierOptions all;
  Table one;
  one.add_texts("role", {"sweep"});
  one.add_numbers("clock", "Hz", {1e9});
  one.add_numbers("time", "s", {1});
  one.add_numbers("energy", "J", {10});
  for (const auto& figure : {frontier(one, all), frontier(sample::frontier_runs(0), all)}) {
    ASSERT_TRUE(figure);
    plain.blocks.emplace_back(*figure);
  }
  Table table;
  auto& x = table.add_numbers("size", "B");
  for (int i = 0; i < 24; ++i) x.push_back(std::pow(2.0, i + 8));
  std::vector<double> y;
  for (const double v : x) y.push_back(1e-6 + v / 3e9);
  table.add_numbers("latency", "s", y);
  const auto loglog = xy(
      table, {"size", {"latency"}, Mark::line_points, Scale::log, Scale::log, "Latency by size"});
  ASSERT_TRUE(loglog);
  plain.blocks.emplace_back(*loglog);
  plain.blocks.emplace_back(*timeline(sample::timeline_samples(30)));
  Figure none;
  none.title = "A figure without panels";
  plain.blocks.emplace_back(none);
  ASSERT_TRUE(write_file_atomically(path_join(folder, "plain.html"), plain.to_html()));
}

}  // namespace
}  // namespace mete
