// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/ticks.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

/// The rule, told again the slow way: among all steps {1,2,5}·10^k the smallest whose multiples in
/// the range number at most `most`.
std::size_t brute_force_count(double low, double high, std::size_t most, double* step) {
  for (int k = -25; k <= 25; ++k) {
    for (const int digit : {1, 2, 5}) {
      const double each = digit * std::pow(10.0, k);
      if ((high - low) / each > 1000) continue;
      std::size_t count = 0;
      for (double i = std::floor(low / each) - 1; i <= std::ceil(high / each) + 1; ++i) {
        const double slack = each * 1e-8;
        if (i * each >= low - slack && i * each <= high + slack) ++count;
      }
      if (count <= most) {
        *step = each;
        return count;
      }
    }
  }
  return 0;
}

TEST(Ticks, AreTheFinestNiceStepThatFits) {
  Rng rng(7);
  for (int trial = 0; trial < 2000; ++trial) {
    const double size = std::pow(10.0, rng.uniform() * 20 - 8);
    const double low = (rng.uniform() * 2 - 1) * size;
    const double high = low + size * (0.01 + rng.uniform());
    const std::size_t most = 2 + rng.below(10);
    const Ticks ticks = linear_ticks(low, high, most);
    double step = 0;
    const std::size_t count = brute_force_count(low, high, most, &step);
    ASSERT_EQ(ticks.at.size(), count) << low << " " << high << " " << most;
    ASSERT_NEAR(ticks.step / step, 1, 1e-9);
    for (const double at : ticks.at) {
      ASSERT_GE(at, low - step * 1e-6);
      ASSERT_LE(at, high + step * 1e-6);
      ASSERT_NEAR(at / step, std::round(at / step), 1e-6);
    }
  }
}

TEST(Ticks, LogarithmicOnesAreRoundAndFit) {
  Rng rng(8);
  for (int trial = 0; trial < 500; ++trial) {
    const double low = std::pow(10.0, rng.uniform() * 10 - 5);
    const double high = low * std::pow(10.0, 1 + rng.uniform() * 30);
    const std::size_t most = 3 + rng.below(8);
    const Ticks ticks = log_ticks(low, high, most);
    ASSERT_LE(ticks.at.size(), most);
    for (const double at : ticks.at) {
      ASSERT_GE(at, low * 0.999999);
      ASSERT_LE(at, high * 1.000001);
      const double digit = at / std::pow(10.0, std::floor(std::log10(at) + 1e-9));
      ASSERT_NEAR(digit, std::round(digit), 1e-6);
    }
  }
}

TEST(Ticks, NeighboursHaveDifferentLabels) {
  Rng rng(9);
  for (int trial = 0; trial < 1000; ++trial) {
    const double low = (rng.uniform() - 0.3) * 2e9;
    const double high = low + std::pow(10.0, 2 + rng.uniform() * 8);
    const Ticks ticks = linear_ticks(low, high, 8);
    const DisplayUnit unit = display_unit("Hz", std::max(std::abs(low), std::abs(high)));
    std::set<std::string> labels;
    for (const double at : ticks.at) labels.insert(tick_label(at, ticks.step, unit, false));
    ASSERT_EQ(labels.size(), ticks.at.size()) << low << " " << high;
  }
}

TEST(Ticks, ValuesReadAsPeopleWriteThem) {
  EXPECT_EQ(show_value(1.38e9, "Hz", 3), "1.38\u00a0GHz");
  EXPECT_EQ(show_value(945e6, "Hz", 3), "945\u00a0MHz");
  EXPECT_EQ(show_value(-0.195, "1", 4, true), "\u221219.5\u00a0%");
  EXPECT_EQ(show_value(0.05, "1", 4, true), "+5.0\u00a0%");
  EXPECT_EQ(show_value(-0.0, "1", 4, true), "0.0\u00a0%");
  EXPECT_EQ(show_value(std::nan(""), "W"), "no value");
  EXPECT_EQ(display_unit("s", 900).symbol, "min");
  EXPECT_EQ(display_unit("s", 0.002).symbol, "ms");
  EXPECT_EQ(display_unit("J", 2500).symbol, "kJ");
  EXPECT_FALSE(drawable(std::numeric_limits<double>::max()));
}

}  // namespace
}  // namespace mete
