// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/evaluation.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

/// Three clocks, by hand: T/T0 = 2, 1.08, 1; E/E0 = 0.8, 0.756, 1.
MeasuredKernel by_hand() { return {"k", {1e9, 1.5e9, 2e9}, {2, 1.08, 1}, {40, 70, 100}}; }

EvaluationGoal of_phi(double phi) { return {.phi = phi}; }
EvaluationGoal within(double bound) { return {.phi = {}, .max_slowdown = bound}; }

TEST(Evaluation, CostsAreRelativeToTheHighestClock) {
  const RelativeCost cost = relative_cost(by_hand(), 1);
  EXPECT_DOUBLE_EQ(1.08, cost.time);
  EXPECT_DOUBLE_EQ(1.08 * 0.7, cost.energy);
  EXPECT_DOUBLE_EQ(0.75 * 1.08 + 0.25 * 0.756, objective(of_phi(0.25), cost));
  EXPECT_DOUBLE_EQ(0.756, objective(within(0.1), cost));
}

TEST(Evaluation, TheOracleTakesTheBestMeasuredClock) {
  EXPECT_EQ(2U, oracle_clock(by_hand(), of_phi(0)));
  EXPECT_EQ(1U, oracle_clock(by_hand(), of_phi(1)));
  EXPECT_EQ(1U, oracle_clock(by_hand(), within(0.08 + 1e-12)));
  EXPECT_EQ(2U, oracle_clock(by_hand(), within(0.05)));
  EXPECT_EQ(2U, oracle_clock({"flat", {1, 2, 3}, {1, 1, 1}, {5, 5, 5}}, of_phi(0.5)));
}

TEST(Evaluation, NoClockHasLessRegretThanTheOracle) {
  Rng rng(5);
  for (int round = 0; round < 200; ++round) {
    MeasuredKernel kernel{"k", {}, {}, {}};
    for (int i = 0; i < 6; ++i) {
      kernel.clocks.push_back(1e9 + 1e8 * i);
      kernel.seconds.push_back(0.5 + rng.uniform());
      kernel.watts.push_back(50 + 100 * rng.uniform());
    }
    for (const double phi : {0.0, 0.3, 1.0}) {
      double least = 1e9;
      for (const double clock : kernel.clocks) {
        least = std::min(least, score_clock(kernel, of_phi(phi), clock).regret);
      }
      EXPECT_DOUBLE_EQ(0, least);
    }
  }
}

TEST(Evaluation, SaysByHowMuchABoundIsBroken) {
  const Score low = score_clock(by_hand(), within(0.10), 1e9);
  EXPECT_DOUBLE_EQ(0.9, low.over_bound);
  EXPECT_LT(score_clock(by_hand(), within(0.10), 1.5e9).over_bound, 0);
  EXPECT_DOUBLE_EQ(0, score_clock(by_hand(), of_phi(1), 1e9).over_bound);
  const std::vector<Score> scores{low, score_clock(by_hand(), within(0.10), 1.5e9),
                                  score_clock(by_hand(), within(0.075), 1.5e9)};
  const ScoreSummary all = summarise_scores(scores);
  EXPECT_EQ(1U, all.over_bound_cases);
  EXPECT_EQ(2U, all.beyond_bound);
  EXPECT_DOUBLE_EQ(0.9, all.over_bound_worst);
}

TEST(Evaluation, SumsUpByPlainMeans) {
  const std::vector<Score> scores{score_clock(by_hand(), of_phi(1), 1.5e9),
                                  score_clock(by_hand(), of_phi(1), 2e9)};
  const ScoreSummary all = summarise_scores(scores);
  EXPECT_NEAR(0.122, all.regret_mean, 1e-12);
  EXPECT_NEAR(0.244, all.regret_max, 1e-12);
  EXPECT_NEAR(0.122, all.energy_saved, 1e-12);
  EXPECT_NEAR(0.244, all.oracle_energy_saved, 1e-12);
  EXPECT_NEAR(0.5, all.saving_kept, 1e-12);
  EXPECT_EQ(0U, summarise_scores({}).cases);
  const std::vector<Score> nothing{score_clock(by_hand(), of_phi(0), 2e9)};
  EXPECT_TRUE(std::isnan(summarise_scores(nothing).saving_kept));
}

TEST(Evaluation, TheBestSingleClockIsAShareOfTheHighest) {
  const std::vector<MeasuredKernel> kernels{
      by_hand(), {"slow", {1e9, 1.5e9, 2e9}, {2, 1.3, 1}, {40, 70, 100}}};
  EXPECT_DOUBLE_EQ(1, best_single_clock(kernels, of_phi(0)));
  EXPECT_DOUBLE_EQ(0.5, best_single_clock(kernels, of_phi(1)));  // means: 0.8, 0.833, 1
  EXPECT_DOUBLE_EQ(0.75, best_single_clock(kernels, within(0.2)));
  EXPECT_DOUBLE_EQ(1, best_single_clock(kernels, within(0.1)));
  EXPECT_DOUBLE_EQ(1, best_single_clock({}, of_phi(1)));
}

}  // namespace
}  // namespace mete
