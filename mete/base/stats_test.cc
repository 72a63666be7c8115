// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/stats.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/clock.h"
#include "mete/base/rng.h"
#include "mete/base/units.h"

namespace mete {
namespace {

// Two-sided 95 % points of Student's t (any printed table).
TEST(Student, AgreesWithPrintedTables) {
  EXPECT_NEAR(student_t(0.95, 1), 12.706, 0.001);
  EXPECT_NEAR(student_t(0.95, 2), 4.303, 0.001);
  EXPECT_NEAR(student_t(0.95, 4), 2.776, 0.001);
  EXPECT_NEAR(student_t(0.95, 10), 2.228, 0.001);
  EXPECT_NEAR(student_t(0.95, 1e6), 1.960, 0.001);
  EXPECT_NEAR(student_t(0.99, 5), 4.032, 0.001);
}

TEST(Quantile, InterpolatesAsNumpyDoes) {
  const std::vector<double> v{4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(median_of(v), 2.5);
  EXPECT_DOUBLE_EQ(quantile_of(v, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile_of(v, 1), 4);
  EXPECT_TRUE(std::isnan(quantile_of({}, 0.5)));
}

TEST(Intervals, OneRepeatIsUnbounded) {
  const std::vector<double> one{3};
  EXPECT_FALSE(mean_interval(one).bounded());
  EXPECT_FALSE(paired_relative_change(one, one).bounded());
}

// The judge is simulation: a 95 % interval covers the truth in about 95 % of experiments.
TEST(Intervals, CoverTheTruthAsOftenAsTheySay) {
  Rng rng(7);
  int covered = 0;
  constexpr int kExperiments = 2000;
  for (int e = 0; e < kExperiments; ++e) {
    std::vector<double> a(5);
    std::vector<double> b(5);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double drift = std::exp(0.3 * rng.normal());  // shared by a pair
      a[i] = 0.9 * drift * std::exp(0.01 * rng.normal());
      b[i] = drift * std::exp(0.01 * rng.normal());
    }
    const auto change = paired_relative_change(a, b);
    covered += change.low <= -0.1 && -0.1 <= change.high ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kExperiments, 0.95, 0.02);
}

TEST(Intervals, OfPositiveValuesHoldNothingBelowZeroAndTheTruthAsOften) {
  EXPECT_EQ(positive_mean_interval(std::vector<double>{100, 200}).low, 0);
  EXPECT_FALSE(positive_mean_interval(std::vector<double>{100}).bounded());
  Rng rng(8);
  int covered = 0;
  constexpr int kExperiments = 4000;
  for (int e = 0; e < kExperiments; ++e) {
    std::vector<double> values(2 + rng.below(4));
    for (auto& v : values) v = std::abs(1 + 0.3 * rng.normal());
    const auto plain = mean_interval(values);
    const auto cut = positive_mean_interval(values);
    ASSERT_GE(cut.low, 0);
    ASSERT_EQ(cut.high, plain.high);
    if (plain.low >= 0) {
      ASSERT_EQ(cut.low, plain.low);
    }
    covered += cut.low <= 1 && 1 <= cut.high ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(covered) / kExperiments, 0.95, 0.02);
}

TEST(LatencyHistogram, QuantilesWithinABucketOfTheSortedOnes) {
  Rng rng(3);
  std::vector<double> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(std::exp(-9 + 2 * rng.normal()));
    histogram.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double q : {0.01, 0.5, 0.99, 0.999}) {
    const double exact = values[static_cast<std::size_t>(std::ceil(q * 20000)) - 1];
    EXPECT_NEAR(histogram.quantile(q) / exact, 1, 0.016) << q;
  }
  EXPECT_EQ(histogram.worst(), values.back());
  EXPECT_NEAR(histogram.mean(), mean_of(values), 1e-12);
  LatencyHistogram odd;
  for (const double v : {-1.0, 0.0, 1e9}) odd.add(v);
  EXPECT_EQ(odd.quantile(1), 1e9);
}

TEST(Rng, SameSeedSameAnswerAndPlausibleMoments) {
  Rng a(1);
  Rng b(1);
  std::vector<double> normals;
  for (int i = 0; i < 20000; ++i) {
    EXPECT_EQ(a.next(), b.next());
    normals.push_back(a.normal());
    b.normal();
  }
  EXPECT_NEAR(mean_of(normals), 0, 0.03);
  EXPECT_NEAR(stddev_of(normals), 1, 0.03);
  EXPECT_NE(Rng(1).fork(1).next(), Rng(1).fork(2).next());
}

TEST(Stats, MedianIntervalIsTheSignTests) {
  // Tables of the sign test: of 10 values the 2nd and the 9th, of 20 the 6th and the 15th, of 6 the
  // first and the last, and five do not suffice.
  std::vector<double> values;
  for (int i = 20; i >= 1; --i) values.push_back(i);
  const auto all = median_interval(values);
  EXPECT_DOUBLE_EQ(all.estimate, 10.5);
  EXPECT_DOUBLE_EQ(all.low, 6);
  EXPECT_DOUBLE_EQ(all.high, 15);
  values.assign({1, 2, 3, 4, 5, 6, 7, 8, 9, 1e9});
  EXPECT_DOUBLE_EQ(median_interval(values).low, 2);
  EXPECT_DOUBLE_EQ(median_interval(values).high, 9);
  values.resize(6);
  EXPECT_DOUBLE_EQ(median_interval(values).low, 1);
  EXPECT_DOUBLE_EQ(median_interval(values).high, 6);
  values.resize(5);
  EXPECT_FALSE(median_interval(values).bounded());
}

TEST(Clock, VirtualTimeOnlyMovesForward) {
  VirtualClock clock(100);
  clock.sleep_until(from_seconds(2));
  clock.sleep_until(from_seconds(1));
  EXPECT_EQ(clock.now(), from_seconds(2));
  EXPECT_DOUBLE_EQ(clock.wall_seconds(), 102);
  EXPECT_EQ(format_wall_time(0), "Thu Jan 01 00:00:00 1970");
}

TEST(Units, OnlyMeaningfulArithmeticCompiles) {
  EXPECT_DOUBLE_EQ((Joules{10} / Seconds{4}).value, 2.5);
  EXPECT_DOUBLE_EQ((Watts{2} * Seconds{3}).value, 6);
  EXPECT_LT(Hertz{1}, Hertz{2});
}

}  // namespace
}  // namespace mete
