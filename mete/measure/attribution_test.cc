// Attribution against a rule that shares no code with it: joule by joule, tick by tick.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/attribution.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(AttributionTest, ByHand) {
  Attribution a("package");
  std::vector<double> energy(2, 0.0);
  // Two CPUs for a second, busy for half of it all; of this half 0.6 s and 0.2 s are ours.
  a.add(100, {2, 1}, std::vector<double>{0.6, 0.2}, energy);
  EXPECT_DOUBLE_EQ(energy[0], 30);
  EXPECT_DOUBLE_EQ(energy[1], 10);
  EXPECT_DOUBLE_EQ(a.balance().idle, 50);
  EXPECT_DOUBLE_EQ(a.balance().others, 10);
}

TEST(AttributionTest, BruteForceOnAScript) {
  // A script decides for every one of 200 time slots of every CPU who runs there: a process, a
  // stranger, nobody. Each slot costs the same energy, which is the rule's whole meaning.
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Rng rng(seed);
    constexpr int kCpus = 4;
    constexpr int kSlots = 200;
    constexpr int kOurs = 5;
    Attribution a("package");
    std::vector<double> energy(kOurs, 0.0);
    std::vector<double> truth(kOurs + 2, 0.0);  // ours, a stranger, nobody
    double measured = 0;
    for (int interval = 0; interval < 10; ++interval) {
      std::vector<int> slots(kOurs + 2, 0);
      for (int i = 0; i < kCpus * kSlots; ++i) ++slots[rng.below(kOurs + 2)];
      const double joules = 1 + 99 * rng.uniform();
      measured += joules;
      for (int p = 0; p < kOurs + 2; ++p) {
        truth[static_cast<std::size_t>(p)] +=
            joules * slots[static_cast<std::size_t>(p)] / (kCpus * kSlots);
      }
      std::vector<double> used;
      double busy = slots[kOurs] * 0.01;
      for (int p = 0; p < kOurs; ++p) {
        used.push_back(slots[static_cast<std::size_t>(p)] * 0.01);
        busy += used.back();
      }
      a.add(joules, {kCpus * kSlots * 0.01, busy}, used, energy);
    }
    for (std::size_t p = 0; p < kOurs; ++p) EXPECT_NEAR(energy[p], truth[p], 1e-9 * measured);
    EXPECT_NEAR(a.balance().others, truth[kOurs], 1e-9 * measured);
    EXPECT_NEAR(a.balance().idle, truth[kOurs + 1], 1e-9 * measured);
    EXPECT_LT(balance_error(a.balance(), measured), 1e-12);
  }
}

TEST(AttributionTest, ConservesWhateverTheClocksSay) {
  Rng rng(7);
  Attribution a("gpu");
  std::vector<double> energy(3, 0.0);
  double measured = 0;
  const auto odd = [&rng](double scale) {
    const double u = rng.uniform();
    return u < 0.1 ? kNaN : u < 0.2 ? 0.0 : u < 0.3 ? -1.0 : scale * u;
  };
  for (int i = 0; i < 10'000; ++i) {
    const double joules = odd(50);
    if (joules >= 0) measured += joules;
    a.add(joules, {odd(2), odd(3)}, std::vector<double>{odd(2), odd(2), odd(2)}, energy);
  }
  double sum = a.balance().idle + a.balance().others;
  for (const double one : energy) {
    EXPECT_GE(one, 0);
    sum += one;
  }
  EXPECT_GE(a.balance().idle, 0);
  EXPECT_GE(a.balance().others, -1e-9);
  EXPECT_NEAR(sum, measured, 1e-9 * measured);
}

TEST(AttributionTest, WhatIsUnknownIsOthers) {
  Attribution a("package");
  std::vector<double> energy(1, 0.0);
  a.add(5, {0, 0}, std::vector<double>{1}, energy);
  EXPECT_DOUBLE_EQ(a.balance().others, 5);
  a.add(kNaN, {1, 1}, std::vector<double>{1}, energy);
  a.add(-3, {1, 1}, std::vector<double>{1}, energy);
  EXPECT_DOUBLE_EQ(a.balance().measured, 5);
  EXPECT_DOUBLE_EQ(energy[0], 0);
}

}  // namespace
}  // namespace mete
