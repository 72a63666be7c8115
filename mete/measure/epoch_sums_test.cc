// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/epoch_sums.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

SignalTotal row(const char* name, Behavior behavior) {
  return {{name, Domain::board, 0}, "", behavior, Source::counter, kNaN, 0};
}

/// One sample each second: epochs counted, joules counted, watts.
EpochTotals sums_of(const std::vector<std::array<double, 3>>& samples) {
  EpochSums sums;
  sums.begin({row("EPOCH_COUNT", Behavior::monotone), row("CPU_ENERGY", Behavior::monotone),
              row("CPU_POWER", Behavior::variable)});
  double second = 0;
  for (const auto& sample : samples) {
    sums.add(sample, from_seconds(second), second == 0 ? 0 : 1);
    second += 1;
  }
  return sums.totals(from_seconds(second - 1));
}

TEST(EpochSums, BeginWithTheFirstEpochAndGoOnToTheEnd) {
  const auto t =
      sums_of({{0, 100, 1}, {0, 110, 10}, {2, 130, 20}, {3, 160, 30}, {6, 200, 40}, {6, 210, 10}});
  EXPECT_EQ(t.count, 6);
  EXPECT_DOUBLE_EQ(t.seconds, 3);         // of the samples 2, 3, 4 and 5 the first is the start
  EXPECT_DOUBLE_EQ(t.period, 2.0 / 4.0);  // four more in two seconds; then it rested
  EXPECT_DOUBLE_EQ(t.totals.at(1).value, 80);  // 210 - 130
  EXPECT_NEAR(t.totals.at(2).value, (30 + 40 + 10) / 3.0, 1e-12);
}

TEST(EpochSums, WithoutEpochsThereIsNothing) {
  for (const auto& t :
       {sums_of({{0, 1, 1}, {0, 2, 1}}), sums_of({{kNaN, 1, 1}, {kNaN, 2, 1}}), sums_of({})}) {
    EXPECT_EQ(t.count, 0);
    EXPECT_TRUE(t.totals.empty());
    EXPECT_TRUE(std::isnan(t.period));
  }
  EpochSums no_such_signal;
  no_such_signal.begin({row("CPU_ENERGY", Behavior::monotone)});
  no_such_signal.add(std::array{5.0}, from_seconds(1), 1);
  EXPECT_EQ(no_such_signal.totals(from_seconds(1)).count, 0);
}

TEST(EpochSums, AllAtOnceHaveNoPeriod) {
  const auto t = sums_of({{0, 0, 1}, {5, 10, 1}, {5, 20, 1}});
  EXPECT_EQ(t.count, 5);
  EXPECT_TRUE(std::isnan(t.period));
  EXPECT_DOUBLE_EQ(t.totals.at(1).value, 10);
}

TEST(EpochSums, WhatWasCountedBeforeTheRunIsNotTheRuns) {
  EXPECT_EQ(sums_of({{7, 0, 1}, {7, 1, 1}, {9, 2, 1}}).count, 2);
}

}  // namespace
}  // namespace mete
