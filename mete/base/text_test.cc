// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/text.h"

#include <cmath>

#include <gtest/gtest.h>

namespace mete {
namespace {

TEST(ParseDouble, WholeTextOnly) {
  EXPECT_EQ(parse_double("1e+09"), 1e9);
  EXPECT_EQ(parse_double("+2"), 2.0);
  EXPECT_TRUE(std::isnan(*parse_double("nan")));
  EXPECT_TRUE(std::isinf(*parse_double("-inf")));
  EXPECT_TRUE(std::isinf(*parse_double("1e999")));
  for (const char* bad : {"", " 1", "1 ", "1x", "0x10", "1,5", "--1", "e5"})
    EXPECT_FALSE(parse_double(bad)) << bad;
}

TEST(ParseQuantity, TakesUnitsAsPeopleTypeThem) {
  const auto value = [](std::string_view text, std::string_view unit) {
    const auto parsed = parse_quantity(text, unit);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(NAN);
  };
  EXPECT_DOUBLE_EQ(value("1.2GHz", "Hz"), 1.2e9);
  EXPECT_DOUBLE_EQ(value("945 MHz", "Hz"), 945e6);
  EXPECT_DOUBLE_EQ(value("1.38e9", "Hz"), 1.38e9);
  EXPECT_DOUBLE_EQ(value("1.2G", "Hz"), 1.2e9);
  EXPECT_DOUBLE_EQ(value("50ms", "s"), 0.05);
  EXPECT_DOUBLE_EQ(value("250 W", "W"), 250);
  EXPECT_DOUBLE_EQ(value("4GiB", "B"), 4.0 * 1073741824);
  EXPECT_DOUBLE_EQ(value("0.5", ""), 0.5);
  for (const char* bad : {"", "GHz", "1.2 GW", "1.2 QHz", "12 parsecs"}) {
    EXPECT_FALSE(parse_quantity(bad, "Hz")) << bad;
  }
}

TEST(FormatQuantity, ThreeDigitsAndAPrefix) {
  EXPECT_EQ(format_quantity(1.38e9, "Hz"), "1.38 GHz");
  EXPECT_EQ(format_quantity(0.00123, "s"), "1.23 ms");
  EXPECT_EQ(format_quantity(0, "W"), "0.00 W");
  EXPECT_EQ(format_quantity(250, "W"), "250 W");
  EXPECT_EQ(format_quantity(-1500, "J"), "-1.50 kJ");
  EXPECT_EQ(format_quantity(0.5, "1"), "0.500 1");
}

TEST(Text, SplitsTrimsAndJoins) {
  EXPECT_EQ(split("a,,b", ',').size(), 3U);
  EXPECT_EQ(split("", ',').size(), 1U);
  EXPECT_EQ(trim(" \t x y \r\n"), "x y");
  EXPECT_EQ(join({"a", "b"}, "|"), "a|b");
}

TEST(NearestNames, FindsSlipsSwapsAndParts) {
  const std::vector<std::string> names{"GPU_POWER", "GPU_ENERGY", "GPU_CORE_FREQUENCY_STATUS",
                                       "TIME", "CPU_POWER"};
  EXPECT_EQ(nearest_names("GPU_POWR", names).at(0), "GPU_POWER");
  EXPECT_EQ(nearest_names("gpu_power", names).at(0), "GPU_POWER");
  EXPECT_EQ(nearest_names("GPU_FREQUENCY_CORE_STATUS", names).at(0), "GPU_CORE_FREQUENCY_STATUS");
  EXPECT_EQ(nearest_names("CORE_FREQ", names).at(0), "GPU_CORE_FREQUENCY_STATUS");
  EXPECT_TRUE(nearest_names("zzzzzzzz", names).empty());
  EXPECT_EQ(did_you_mean("GPU_POWR", names).rfind("; did you mean GPU_POWER", 0), 0U);
}

}  // namespace
}  // namespace mete
