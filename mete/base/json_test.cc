// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

TEST(Json, WhatIsNoUtf8IsReplacedAndReadsBack) {
  const auto text = Json::object({{"k\xc3", "a\xff\x1b\xe2\x82 é"}}).dump(-1);
  EXPECT_EQ(text, "{\"k\uFFFD\":\"a\uFFFD\\u001b\uFFFD\uFFFD é\"}");
  const auto back = parse_json(text);
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ((*back)["k\uFFFD"].as_string(), "a\uFFFD\x1b\uFFFD\uFFFD é");
}

TEST(Json, ReadsBackWhatItWrites) {
  Json j = Json::object({{"name", "a \"quoted\"\n\x01 line"},
                         {"n", 3},
                         {"x", 0.1},
                         {"big", 1.38e9},
                         {"flag", true},
                         {"none", nullptr}});
  j.set("list", Json::array_of(std::vector<double>{1, 2.5}));
  for (const int indent : {-1, 2}) {
    const auto back = parse_json(j.dump(indent));
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ((*back)["name"].as_string(), "a \"quoted\"\n\x01 line");
    EXPECT_EQ((*back)["n"].as_integer(), 3);
    EXPECT_EQ((*back)["x"].as_number(), 0.1);
    EXPECT_EQ((*back)["big"].as_number(), 1.38e9);
    EXPECT_TRUE((*back)["flag"].as_bool());
    EXPECT_TRUE((*back)["none"].is_null());
    EXPECT_EQ((*back)["list"].items().size(), 2U);
    EXPECT_TRUE((*back)["absent"].is_null());
  }
}

TEST(Json, NonFiniteNumbersAreNull) {
  EXPECT_EQ(Json(std::numeric_limits<double>::quiet_NaN()).dump(), "null");
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
}

TEST(Json, RefusesWhatIsNotJsonAndSaysWhere) {
  for (const char* bad : {"", "{", "{\"a\":}", "[1,]", "nul", "{\"a\":1}x", "\"\xff\""}) {
    const auto parsed = parse_json(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Errc::invalid);
    EXPECT_NE(parsed.error().what.find("line"), std::string::npos) << parsed.error().what;
  }
}

TEST(Json, OfAKeyGivenTwiceTheLastCounts) {
  const auto j = parse_json(R"({"a":1,"b":2,"a":{"c":3}})");
  ASSERT_TRUE(j);
  EXPECT_EQ(j->members().size(), 2U);
  EXPECT_EQ((*j)["a"]["c"].as_integer(), 3);
}

TEST(Json, ManyKeysAreReadInLinearTime) {
  // Quadratic, this is 10^10 comparisons and the test's time limit ends it.
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += fmt::format("\"key-of-some-length-{}\":{},", i, i);
  text.back() = '}';
  const auto j = parse_json(text);
  ASSERT_TRUE(j);
  EXPECT_EQ(j->members().size(), 200000U);
  EXPECT_EQ(j->members().back().second.as_integer(), 199999);
}

TEST(Json, RefusesDepthWithoutCrashing) {
  EXPECT_FALSE(parse_json(std::string(1000000, '[')));
  EXPECT_TRUE(parse_json(std::string(60, '[') + std::string(60, ']')));
}

TEST(Yaml, NumbersOfAllSpellingsAreNumbers) {
  const auto y =
      parse_yaml("a: 1e+09\nb: nan\nc: 2.5\nd: 7\ne: \"1e+09\"\nf: 0x725e8066\ng: text\nh:\n");
  ASSERT_TRUE(y) << y.error().what;
  EXPECT_EQ((*y)["a"].as_number(), 1e9);
  EXPECT_TRUE((*y)["b"].is_number());
  EXPECT_TRUE(std::isnan((*y)["b"].as_number()));
  EXPECT_EQ((*y)["c"].as_number(), 2.5);
  EXPECT_EQ((*y)["d"].as_integer(), 7);
  EXPECT_EQ((*y)["e"].as_string(), "1e+09");
  EXPECT_EQ((*y)["f"].as_string(), "0x725e8066");
  EXPECT_EQ((*y)["g"].as_string(), "text");
  EXPECT_TRUE((*y)["h"].is_null());
}

TEST(Yaml, NestsMapsAndLists) {
  const auto y = parse_yaml(
      "Hosts:\n  h1:\n    Regions:\n    -\n      region: \"r\"\n      count: 2\n    - {x: 1}\n    "
      "Totals: {}\n");
  ASSERT_TRUE(y) << y.error().what;
  const Json& regions = (*y)["Hosts"]["h1"]["Regions"];
  ASSERT_EQ(regions.items().size(), 2U);
  EXPECT_EQ(regions.items()[0]["region"].as_string(), "r");
  EXPECT_EQ(regions.items()[0]["count"].as_integer(), 2);
  EXPECT_EQ(regions.items()[1]["x"].as_integer(), 1);
  EXPECT_TRUE((*y)["Hosts"]["h1"]["Totals"].is_object());
}

TEST(Yaml, RefusesAliasesDepthAndNonsense) {
  EXPECT_FALSE(parse_yaml("a: &x [1]\nb: [*x, *x]\n"));
  EXPECT_FALSE(parse_yaml(std::string(100000, '[')));
  const auto bad = parse_yaml("a: 1\n  b: : 2\n");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().what.find("line 2"), std::string::npos) << bad.error().what;
}

/// Lines of keys and scalars at random indents: some are maps that need no YAML, some are not.
std::string random_maps(Rng& rng) {
  static constexpr std::array<const char*, 12> kKeys{"a",
                                                     "runtime (s)",
                                                     "GPU_ENERGY@gpu-0",
                                                     "MSR::APERF:ACNT",
                                                     "b c",
                                                     "x/y",
                                                     "_k",
                                                     "k ",
                                                     "-k",
                                                     "count",
                                                     "k#",
                                                     "1"};
  static constexpr std::array<const char*, 22> kValues{
      "",     " 1",   " 1e+09",     " nan", " text", " 0x7f", " true",  " -",
      " -5",  " 'q'", " two words", " ~",   " null", " .5",   " -.inf", " ...",
      " ---", " a:b", " 1 ",        " [1]", " # c",  " \t1"};
  std::string text;
  std::size_t indent = 0;
  const std::size_t lines = 1 + rng.below(7);
  for (std::size_t i = 0; i < lines; ++i) {
    text += std::string(indent, ' ') + kKeys[rng.below(kKeys.size())] + ":" +
            kValues[rng.below(kValues.size())] + (rng.below(12) == 0 ? "\n\n" : "\n");
    const auto next = rng.below(4);
    if (next == 0) indent += 1 + rng.below(3);
    if (next == 1) indent -= std::min<std::size_t>(indent, 2);
  }
  return text;
}

TEST(Json, PlainMapsAreReadAsTheWholeOfYamlReadsThem) {
  Rng rng(4);
  int maps = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string text = random_maps(rng);
    const auto got = parse_yaml(text);
    // A comment is beyond the short way: yaml-cpp reads this one.
    const auto want = parse_yaml("# comment\n" + text);
    ASSERT_EQ(got.has_value(), want.has_value()) << text;
    if (!got) continue;
    ++maps;
    EXPECT_EQ(got->dump(), want->dump()) << text;
  }
  EXPECT_GT(maps, 3000);
}

}  // namespace
}  // namespace mete
