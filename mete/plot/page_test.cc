// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/page.h"

#include <regex>
#include <set>

#include <gtest/gtest.h>

#include "mete/plot/markup.h"
#include "mete/plot/sample_page_test.h"

namespace mete {
namespace {

constexpr std::string_view kHostile =
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&\x01\xff";

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Page, NamesOfOthersStayText) {
  const std::string bad(kHostile);
  Page page;
  page.title = page.subtitle = page.summary = bad;
  page.badges = {{bad, bad, true}};
  page.headlines = {{bad, bad, bad, bad, Tone::good}};
  page.cautions = {bad};
  page.measured = {{bad, bad, true}};
  page.blocks.emplace_back(TextBlock{bad, {bad}});
  Table table;
  table.add_texts(bad, {bad});
  table.add_numbers("x", bad, {1});
  TableBlock block;
  block.title = block.caption = bad;
  block.table = table;
  page.blocks.emplace_back(block);
  Figure figure;
  figure.id = figure.title = figure.caption = bad;
  figure.badges = {{bad, bad, false}};
  figure.data = table;
  Panel panel;
  panel.title = panel.x.label = panel.y.label = panel.x.unit = panel.y.unit = bad;
  Series series;
  series.name = bad;
  series.mark = Mark::line_points;
  series.x = series.y = {1, 2};
  series.labels = series.details = {bad, bad};
  panel.series = {series};
  panel.rules = {{true, 1.5, bad, Role::bound, true}};
  figure.panels = {panel, panel};
  figure.panels[1].categories = {bad, bad};
  Panel empty;
  empty.empty_note = bad;
  figure.panels.push_back(empty);
  page.blocks.emplace_back(figure);
  const std::string html = page.to_html();
  EXPECT_EQ(count(html, "<script"), 1U);
  EXPECT_EQ(count(html, "</script"), 1U);
  EXPECT_EQ(count(html, "<img"), 0U);
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  EXPECT_EQ(html.find('\xff'), std::string::npos);
  // A raw quote of the name would end an attribute; all of them must be escaped.
  EXPECT_EQ(count(html, "alert(1)</script>"), 0U);
  EXPECT_EQ(count(html, "\"'>"), 0U);
}

TEST(Page, NeedsNothingFromOutside) {
  const std::string html = sample::page(2000).to_html();
  for (const std::string_view part : {"http:", "https:", "//cdn", "@import", "<link", "src=",
                                      "url(h", "fetch(", "XMLHttpRequest", "eval(", "innerHTML"}) {
    EXPECT_EQ(html.find(part), std::string::npos) << part;
  }
  for (const auto& each : {std::regex("href=\"([^\"]{0,5})")}) {
    for (std::sregex_iterator at(html.begin(), html.end(), each), end; at != end; ++at) {
      EXPECT_EQ((*at)[1].str(), "data:");
    }
  }
  EXPECT_LT(page_script().size(), 10000U);
}

TEST(Page, IdsAreUniqueEvenForFiguresOfOneName) {
  Page page = sample::page(500);
  const std::vector<Block> blocks = page.blocks;
  page.blocks.insert(page.blocks.end(), blocks.begin(), blocks.end());
  const std::string html = page.to_html();
  std::set<std::string> seen;
  const std::regex id(" id=\"([^\"]*)\"");
  for (std::sregex_iterator at(html.begin(), html.end(), id), end; at != end; ++at) {
    EXPECT_TRUE(seen.insert((*at)[1].str()).second) << (*at)[1].str();
  }
  EXPECT_GT(seen.size(), 20U);
}

TEST(Page, ElementsAreBalanced) {
  const std::string html = sample::page(500).to_html();
  for (const std::string_view tag :
       {"div",   "section", "figure", "figcaption", "svg",  "g",     "text",    "table",
        "tr",    "td",      "th",     "dl",         "dd",   "dt",    "details", "clipPath",
        "title", "p",       "span",   "a",          "code", "style", "main"}) {
    const std::string open = "<" + std::string(tag);
    EXPECT_EQ(count(html, open + ">") + count(html, open + " "),
              count(html, "</" + std::string(tag) + ">"))
        << tag;
  }
}

TEST(Page, TheDownloadHoldsTheValues) {
  Page page;
  TableBlock block;
  block.title = "Runs & more";
  block.table.add_numbers("time", "s", {0.1, 2.5});
  page.blocks.emplace_back(block);
  const std::string html = page.to_html();
  EXPECT_NE(html.find("download=\"Runs-more.csv\""), std::string::npos);
  EXPECT_NE(html.find("time%20[s]%0A0.1%0A2.5"), std::string::npos);
}

TEST(Page, AHugeTableStaysSmallAndSaysSo) {
  Page page;
  TableBlock block;
  std::vector<double> values(300000, 1.0 / 3);
  block.table.add_numbers("x", "W", values);
  page.blocks.emplace_back(block);
  const std::string html = page.to_html();
  EXPECT_LT(html.size(), 200000U);
  EXPECT_NE(html.find("The first 200 of 300000 rows."), std::string::npos);
  EXPECT_NE(html.find("of 300000 rows)"), std::string::npos);
}

TEST(Headline, TurnsItsWordWithTheSignAndDoubtsWhatTheIntervalDoubts) {
  const Headline saved = change_headline({-0.2, -0.25, -0.15, 5}, "Energy", "saved", "added");
  EXPECT_EQ(saved.label, "Energy saved");
  EXPECT_EQ(saved.value, "20.0\u00a0%");
  EXPECT_EQ(saved.interval, "[15.0\u00a0%, 25.0\u00a0%]");
  EXPECT_EQ(saved.tone, Tone::good);
  const Headline added = change_headline({0.05, 0.04, 0.06, 5}, "Time", "saved", "added");
  EXPECT_EQ(added.label, "Time added");
  EXPECT_EQ(added.tone, Tone::bad);
  EXPECT_EQ(change_headline({-0.1, -0.3, 0.1, 3}, "Energy", "saved", "added").tone, Tone::neutral);
  const Headline one = change_headline({-0.1, kNoValue, kNoValue, 1}, "Energy", "saved", "added");
  EXPECT_EQ(one.tone, Tone::neutral);
  EXPECT_TRUE(one.interval.empty());
  EXPECT_EQ(change_headline({kNoValue, 0, 0, 0}, "Energy", "saved", "added").value, "no value");
}

TEST(Escape, WellFormedTextPassesAndTheRestIsReplaced) {
  EXPECT_EQ(escape_html("a<b>&\"'é→𝛗"), "a&lt;b&gt;&amp;&quot;&#39;é→𝛗");
  EXPECT_EQ(escape_html("\xc3"), "\uFFFD");
  EXPECT_EQ(escape_html("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(escape_html("\xc0\xaf"), "\uFFFD\uFFFD");
}

}  // namespace
}  // namespace mete
