// The rule for wraps and resets, against counters whose truth is known.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/rapl/energy_count.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

constexpr std::uint64_t kModulus = 262143999939;  // 2^32 steps of 61 µJ, in µJ
constexpr CounterShape kPackage{1e-6, kModulus, 61e-6, 1500};

Nanoseconds at(double seconds) { return from_seconds(seconds); }

TEST(EnergyCount, StartsAtTheCounterAndAddsWhatItAdds) {
  EnergyCount count(kPackage);
  EXPECT_DOUBLE_EQ(count.update(5'000'000, at(0)).value, 5);
  EXPECT_DOUBLE_EQ(count.update(5'000'000, at(0)).value, 5) << "the same reading again";
  EXPECT_DOUBLE_EQ(count.update(105'000'000, at(1)).value, 105);
  EXPECT_EQ(count.wraps(), 0U);
}

TEST(EnergyCount, AWrapAtEveryEdge) {
  struct Edge {
    std::uint64_t before;
    std::uint64_t after;
  };
  for (const auto& [before, after] :
       {Edge{kModulus - 1, 0}, Edge{kModulus - 1, 1}, Edge{kModulus - 50'000'000, 0},
        Edge{kModulus - 50'000'000, 49'999'999}, Edge{kModulus - 1, 99'999'999}}) {
    EnergyCount count(kPackage);
    const double first = count.update(before, at(10)).value;
    const Reading second = count.update(after, at(11));
    ASSERT_TRUE(second.ok());
    EXPECT_NEAR(second.value - first, static_cast<double>(after + kModulus - before) * 1e-6, 1e-6);
    EXPECT_EQ(count.wraps(), 1U);
    const Reading third = count.update(after + 100'000'000, at(12));
    EXPECT_NEAR(third.value - second.value, 100, 1e-6);
    EXPECT_EQ(count.wraps(), 1U) << "none invented";
  }
}

TEST(EnergyCount, OneGarbageReadingLosesNothing) {
  for (const std::uint64_t garbage :
       {std::uint64_t{0}, kModulus - 1, kModulus, ~std::uint64_t{0}}) {
    EnergyCount count(kPackage);
    const double first = count.update(100'000'000'000, at(0)).value;
    EXPECT_TRUE(count.update(100'050'000'000, at(1)).ok());
    EXPECT_FALSE(count.update(garbage, at(2)).ok()) << garbage;
    const Reading last = count.update(100'150'000'000, at(3));
    ASSERT_TRUE(last.ok()) << garbage;
    EXPECT_NEAR(last.value - first, 150, 1e-6);
    EXPECT_EQ(count.restarts(), 0U);
  }
}

TEST(EnergyCount, AResetIsUnknownAndBeginsAgain) {
  EnergyCount count(kPackage);
  EXPECT_TRUE(count.update(100'000'000'000, at(0)).ok());
  EXPECT_FALSE(count.update(3'000'000, at(1)).ok());
  const Reading next = count.update(53'000'000, at(2));
  ASSERT_TRUE(next.ok());
  EXPECT_NEAR(next.value, 50, 1e-6) << "from 0 at the first reading after the reset";
  EXPECT_EQ(count.restarts(), 1U);
  EXPECT_EQ(count.wraps(), 0U) << "none invented";
}

TEST(EnergyCount, AnIntervalInWhichItMightHaveWrappedIsUnknown) {
  // 262 kJ at 1500 W: 175 s.
  for (const double seconds : {180.0, 3600.0}) {
    EnergyCount count(kPackage);
    EXPECT_TRUE(count.update(1'000'000'000, at(0)).ok());
    EXPECT_FALSE(count.update(2'000'000'000, at(seconds)).ok()) << "0 or 1 wraps?";
    EXPECT_EQ(count.restarts(), 1U);
    EXPECT_NEAR(count.update(2'100'000'000, at(seconds + 1)).value, 100, 1e-6);
  }
  EnergyCount count(kPackage);
  EXPECT_TRUE(count.update(1'000'000'000, at(0)).ok());
  EXPECT_TRUE(count.update(100'000'000'000, at(170)).ok()) << "it cannot have wrapped yet";
}

TEST(EnergyCount, WhatVanishedAndCameBackIsUnknown) {
  EnergyCount count(kPackage);
  count.lose();
  EXPECT_TRUE(count.update(1'000'000'000, at(0)).ok()) << "it never was read: nothing is lost";
  count.lose();
  EXPECT_FALSE(count.update(1'001'000'000, at(1)).ok());
  EXPECT_NEAR(count.update(1'002'000'000, at(1.1)).value, 1, 1e-6);
}

TEST(EnergyCount, ACounterOf64BitsNeverWraps) {
  EnergyCount count({0x1.0p-32, 0, 0, 1500});
  EXPECT_EQ(count.update(0, at(0)).value, 0);
  EXPECT_DOUBLE_EQ(count.update(std::uint64_t{100} << 32U, at(1)).value, 100);
  EXPECT_FALSE(count.update(5, at(2)).ok()) << "back without a wrap";
  EXPECT_DOUBLE_EQ(count.update(std::uint64_t{300} << 32U, at(3)).value, 300);
}

/// Random powers and pauses: the truth is a sum of steps that never wraps.
TEST(EnergyCount, LongRandomRunsAgreeWithTheTruth) {
  Rng rng(7);
  for (int run = 0; run < 20; ++run) {
    std::uint64_t truth = static_cast<std::uint64_t>(rng.uniform() * 2.6e11);
    EnergyCount count(kPackage);
    double seconds = 0;
    const auto begun = truth;
    const double first = count.update(truth % kModulus, at(0)).value;
    Reading last;
    for (int i = 0; i < 3000; ++i) {
      const double pause = std::pow(10, -3 + 4.9 * rng.uniform());  // 1 ms to 79 s
      seconds += pause;
      truth += static_cast<std::uint64_t>(pause * 1400 * rng.uniform() * 1e6);
      last = count.update(truth % kModulus, at(seconds));
      ASSERT_TRUE(last.ok()) << run << " " << i;
    }
    EXPECT_NEAR(last.value - first, static_cast<double>(truth - begun) * 1e-6, 1e-3);
    EXPECT_EQ(count.wraps(), truth / kModulus);
    EXPECT_GT(count.wraps(), 10U);
  }
}

}  // namespace
}  // namespace mete
