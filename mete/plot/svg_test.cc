// The drawing is read back from its text: where each point ended up is compared with where it
// belongs. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <regex>

#include <gtest/gtest.h>

#include "mete/base/text.h"
#include "mete/plot/plot_area.h"
#include "mete/plot/sample_page_test.h"

namespace mete {
namespace {

double number(const std::string& text) { return parse_double(text).value_or(kNoValue); }

/// The tags that begin with `start`, up to their '>'. (std::regex overflows the stack on long
/// paths.)
std::vector<std::string> tags(const std::string& text, std::string_view start) {
  std::vector<std::string> out;
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    out.push_back(text.substr(at, text.find('>', at) - at + 1));
  }
  return out;
}

std::string attribute(const std::string& tag, const std::string& name) {
  const std::string start = " " + name + "=\"";
  const std::size_t at = tag.find(start);
  if (at == std::string::npos) return "";
  const std::size_t from = at + start.size();
  return tag.substr(from, tag.find('"', from) - from);
}

/// The text of each panel's group, and its plot box.
std::vector<std::pair<std::string, Box>> panels_of(const std::string& svg) {
  std::vector<std::pair<std::string, Box>> out;
  std::size_t at = svg.find("<g class=\"pn\"");
  while (at != std::string::npos) {
    const std::size_t next = svg.find("<g class=\"pn\"", at + 1);
    const std::string text = svg.substr(at, next == std::string::npos ? next : next - at);
    const std::string bg = tags(text, "<rect class=\"bg\"").at(0);
    out.emplace_back(text, Box{number(attribute(bg, "x")), number(attribute(bg, "y")),
                               number(attribute(bg, "width")), number(attribute(bg, "height"))});
    at = next;
  }
  return out;
}

/// Absolute positions along a path of M and relative l, the only commands data lines use.
std::vector<std::pair<double, double>> positions(const std::string& d) {
  std::vector<std::pair<double, double>> out;
  const std::regex token("([Ml])|(-?[0-9]*\\.?[0-9]+)");
  bool absolute = true;
  double x = 0, y = 0;
  std::vector<double> pair;
  for (std::sregex_iterator at(d.begin(), d.end(), token), end; at != end; ++at) {
    if ((*at)[1].matched) {
      absolute = (*at)[1].str() == "M";
      continue;
    }
    std::string text = (*at)[2].str();
    if (text.front() == '.') text.insert(0, "0");
    if (text.starts_with("-.")) text.insert(1, "0");
    pair.push_back(number(text));
    if (pair.size() < 2) continue;
    x = absolute ? pair[0] : x + pair[0];
    y = absolute ? pair[1] : y + pair[1];
    out.emplace_back(x, y);
    pair.clear();
  }
  return out;
}

void expect_inside(const Box& box, double x, double y) {
  EXPECT_GE(x, box.x - 0.11);
  EXPECT_LE(x, box.right() + 0.11);
  EXPECT_GE(y, box.y - 0.11);
  EXPECT_LE(y, box.bottom() + 0.11);
}

std::size_t check_panels(const std::string& svg) {
  std::size_t points = 0;
  for (const auto& [text, box] : panels_of(svg)) {
    for (const auto& tag : tags(text, "<circle")) {
      expect_inside(box, number(attribute(tag, "cx")), number(attribute(tag, "cy")));
      ++points;
    }
    for (const auto& tag : tags(text, "<path class=\"ln")) {
      if (tag.find("r-bound") != std::string::npos) continue;
      for (const auto& [x, y] : positions(attribute(tag, "d"))) {
        expect_inside(box, x, y);
        ++points;
      }
    }
  }
  return points;
}

TEST(Svg, EveryPointIsInsideItsPanelAtEveryWidth) {
  FrontierOptions options;
  options.chosen_clock = 945e6;
  options.phi = 0.3;
  options.max_slowdown = 0.1;
  const auto one = frontier(sample::frontier_runs(3), options);
  const auto two = timeline(sample::timeline_samples(5000));
  ASSERT_TRUE(one);
  ASSERT_TRUE(two);
  for (const double width : {320.0, 372.0, 860.0, 1600.0}) {
    SvgOptions how;
    how.width = width;
    EXPECT_GT(check_panels(figure_svg(*one, how)), 20U);
    EXPECT_GT(check_panels(figure_svg(*two, how)), 200U);
  }
}

TEST(Svg, PointsAreWhereTheAxisSaysTheyAre) {
  Table table;
  table.add_numbers("x", "s", {1, 2, 4, 9});
  table.add_numbers("y", "W", {10, -5, 30, 12});
  const auto figure = xy(table, {"x", {"y"}, Mark::points});
  ASSERT_TRUE(figure);
  const auto [text, box] = panels_of(figure_svg(*figure)).at(0);
  const auto value = [&](const std::string& axis, double pixel) {
    const std::string data = attribute(text, axis);
    const auto parts = split(data, ' ');
    const double p0 = *parse_double(parts[0]), p1 = *parse_double(parts[1]);
    const double v0 = *parse_double(parts[2]), v1 = *parse_double(parts[3]);
    return v0 + (pixel - p0) / (p1 - p0) * (v1 - v0);
  };
  const auto circles = tags(text, "<circle");
  ASSERT_EQ(circles.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(value("data-x", number(attribute(circles[i], "cx"))),
                table.columns()[0].numbers()[i], 0.02);
    EXPECT_NEAR(value("data-y", number(attribute(circles[i], "cy"))),
                table.columns()[1].numbers()[i], 0.05);
  }
}

TEST(Svg, LabelsCoverNeitherEachOtherNorMarkers) {
  Rng rng(5);
  Panel panel;
  Series series;
  for (int i = 0; i < 60; ++i) {
    series.x.push_back(rng.uniform());
    series.y.push_back(rng.uniform());
    series.labels.push_back("1.23 GHz");
  }
  panel.series.push_back(series);
  const AxisMap x{0, 1, 50, 650, false, {}};
  const AxisMap y{0, 1, 350, 50, false, {}};
  const Box plot{50, 50, 600, 300};
  const auto labels = place_labels(panel, x, y, plot, 11);
  EXPECT_GT(labels.size(), 10U);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(labels[i].box.overlaps(labels[j].box));
    for (std::size_t k = 0; k < series.x.size(); ++k) {
      const double px = x.at(series.x[k]), py = y.at(series.y[k]);
      EXPECT_FALSE(labels[i].box.overlaps({px - 4, py - 4, 8, 8}));
    }
    EXPECT_GE(labels[i].box.x, plot.x);
    EXPECT_LE(labels[i].box.right(), plot.right());
  }
}

TEST(Svg, ASpikeSurvivesAndAGapStaysOpen) {
  std::vector<double> time, clock, power;
  for (int i = 0; i < 100000; ++i) {
    time.push_back(i * 1e-3);
    clock.push_back(1e9);
    power.push_back(i == 54321 ? 400 : i > 70000 && i < 80000 ? kNoValue : 100);
  }
  Table table;
  ASSERT_TRUE(append_run(table, "agent", time, clock, power));
  const auto figure = timeline(table);
  ASSERT_TRUE(figure);
  const auto panels = panels_of(figure_svg(*figure));
  const auto path = tags(panels.at(1).first, "<path class=\"ln").at(0);
  const std::string d = attribute(path, "d");
  EXPECT_EQ(std::count(d.begin(), d.end(), 'M'), 2);
  double top = INFINITY;
  for (const auto& [x, y] : positions(d)) top = std::min(top, y);
  // 400 W on an axis from 0 to 400 W with a 7 % margin.
  const Box box = panels.at(1).second;
  EXPECT_NEAR((box.bottom() - top) / box.height, 1 / 1.07, 0.005);
  EXPECT_LT(d.size(), 20000U);
}

TEST(Svg, NothingOnePointAndOnlyNanGiveWords) {
  const auto none = frontier(sample::frontier_runs(0), {});
  ASSERT_TRUE(none);
  Table empty;
  empty.add_texts("run");
  for (const auto* name : {"time", "clock", "power"}) empty.add_numbers(name, "");
  const auto lines = timeline(empty);
  ASSERT_TRUE(lines);
  EXPECT_NE(figure_svg(*lines).find("No power was recorded."), std::string::npos);
  const std::vector<double> nan(100, kNoValue), time(100, 1.0);
  Table lost;
  ASSERT_TRUE(append_run(lost, "agent", time, nan, nan));
  const auto lost_lines = timeline(lost);
  ASSERT_TRUE(lost_lines);
  EXPECT_NE(figure_svg(*lost_lines).find("No clock was recorded."), std::string::npos);
  for (const double value : {0.0, 5.0, -3e-12, 1e150, 1e300}) {
    Table one;
    one.add_numbers("x", "s", {value});
    one.add_numbers("y", "W", {value});
    for (const Scale scale : {Scale::linear, Scale::log}) {
      const auto figure = xy(one, {"x", {"y"}, Mark::line_points, scale, scale});
      ASSERT_TRUE(figure);
      const std::string svg = figure_svg(*figure);
      EXPECT_EQ(svg.find("nan"), std::string::npos) << value;
      EXPECT_EQ(svg.find("inf"), std::string::npos) << value;
    }
  }
  EXPECT_NE(figure_svg(Figure{}).find("Nothing to draw."), std::string::npos);
}

TEST(Plots, RefuseWhatTheyCannotDrawAndSayWhy) {
  Table table;
  table.add_texts("rolle", {"sweep"});
  const auto misnamed = frontier(table);
  ASSERT_FALSE(misnamed);
  EXPECT_NE(misnamed.error().what.find("rolle"), std::string::npos);
  Table falling;
  ASSERT_TRUE(append_run(falling, "agent", std::vector<double>{1, 0}, std::vector<double>{1, 1},
                         std::vector<double>{1, 1}));
  ASSERT_FALSE(timeline(falling));
  EXPECT_EQ(timeline(falling).error().code, Errc::invalid);
  EXPECT_FALSE(append_run(falling, "a", std::vector<double>{1}, std::vector<double>{},
                          std::vector<double>{}));
  ASSERT_FALSE(find_plot("frontie"));
  EXPECT_NE(find_plot("frontie").error().what.find("frontier"), std::string::npos);
  for (const auto& plot : plots()) EXPECT_TRUE(find_plot(plot.name));
}

TEST(Frontier, ChangesAreAgainstTheMeanOfTheBaseline) {
  Table table;
  table.add_texts("role", {"sweep", "sweep", "baseline", "baseline", "agent", "sweep"});
  table.add_numbers("clock", "Hz", {1e9, 1e9, kNoValue, kNoValue, kNoValue, 2e9});
  table.add_numbers("time", "s", {11, 13, 9, 11, 10.5, kNoValue});
  table.add_numbers("energy", "J", {70, 90, 95, 105, 60, 5});
  const auto figure = frontier(table);
  ASSERT_TRUE(figure);
  const auto time = figure->data.numbers("time change");
  const auto energy = figure->data.numbers("energy change");
  ASSERT_TRUE(time && energy);
  EXPECT_NEAR((**time)[0], 0.2, 1e-12);     // (11 + 13) / 2 against 10
  EXPECT_NEAR((**energy)[0], -0.2, 1e-12);  // 80 against 100
  EXPECT_NEAR((**energy)[2], -0.4, 1e-12);  // the agent's 60
  EXPECT_NE(figure->caption.find("1 run without a usable"), std::string::npos);
}

}  // namespace
}  // namespace mete
