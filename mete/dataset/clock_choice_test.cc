// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/clock_choice.h"

#include <cmath>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

RunFigures run(double frequency, double runtime, double energy, std::size_t app = 0) {
  return {app, 0, frequency, runtime, energy, 0, 0};
}

TEST(GoalClocks, AveragesTrialsBeforeItChooses) {
  // 1 GHz looks best for energy in one lucky trial (60 J), but its mean is 100 J.
  std::vector<RunFigures> runs{run(1e9, 11, 60),     run(1e9, 11, 140),   run(1.2e9, 10.5, 80),
                               run(1.2e9, 10.5, 82), run(1.4e9, 10, 120), run(1.4e9, 10, 120)};
  auto lucky = runs;
  const auto ours = choose_clocks(runs, 1);
  const auto tutorial = choose_clocks_as_tutorial(lucky, 1);
  ASSERT_EQ(ours[0].choices.size(), kPhiSteps);
  EXPECT_EQ(ours[0].choices.front().frequency, 1.4e9);
  EXPECT_EQ(ours[0].choices.back().frequency, 1.2e9);
  EXPECT_EQ(ours[0].choices.back().phi, 1.0);
  EXPECT_EQ(ours[0].min_energy_frequency, 1.2e9);
  EXPECT_EQ(tutorial[0].choices.back().frequency, 1e9) << "the luckiest trial wins there";
  EXPECT_EQ(tutorial[0].min_energy_frequency, 1.2e9) << "this one the tutorial averages too";
  EXPECT_DOUBLE_EQ(runs[0].runtime_vs_best, 1.1);
  EXPECT_DOUBLE_EQ(runs[0].energy_vs_top, 0.5);
}

TEST(GoalClocks, GivesTheHigherClockWhereBothAreAsGood) {
  std::vector<RunFigures> runs{run(1e9, 10, 100), run(2e9, 10, 100)};
  const auto chosen = choose_clocks(runs, 1);
  ASSERT_EQ(chosen[0].choices.size(), kPhiSteps);
  for (const auto& choice : chosen[0].choices) EXPECT_EQ(choice.frequency, 2e9);
}

TEST(GoalClocks, MakesNoChoiceFromOneClock) {
  std::vector<RunFigures> runs{run(1e9, 10, 100), run(1e9, 11, 90), run(2e9, 5, 50, 1)};
  const auto choices = choose_clocks(runs, 3);
  for (const auto& choice : choices) {
    EXPECT_TRUE(choice.choices.empty());
    EXPECT_TRUE(std::isnan(choice.min_energy_frequency));
  }
}

TEST(GoalClocks, AgreesWithTryingEveryClock) {
  Rng rng(11);
  for (int i = 0; i < 300; ++i) {
    std::vector<RunFigures> runs;
    const std::size_t clocks = 2 + rng.below(6);
    for (std::size_t c = 0; c < clocks; ++c) {
      for (std::size_t t = 0; t <= rng.below(3); ++t) {
        runs.push_back(run(1e9 + 1e8 * static_cast<double>(c), 5 + 10 * rng.uniform(),
                           50 + 100 * rng.uniform()));
      }
    }
    rng.shuffle(runs);
    const auto choices = choose_clocks(runs, 1)[0].choices;
    std::vector<double> time(clocks), energy(clocks);
    double best_time = 1e9;
    for (std::size_t c = 0; c < clocks; ++c) {
      double n = 0;
      for (const auto& r : runs) {
        if (r.frequency != 1e9 + 1e8 * static_cast<double>(c)) continue;
        time[c] += r.runtime;
        energy[c] += r.energy;
        ++n;
      }
      time[c] /= n;
      energy[c] /= n;
      best_time = std::min(best_time, time[c]);
    }
    for (const auto& choice : choices) {
      const auto objective = [&](std::size_t c) {
        return (1 - choice.phi) * time[c] / best_time + choice.phi * energy[c] / energy[clocks - 1];
      };
      const auto chosen = static_cast<std::size_t>(std::llround((choice.frequency - 1e9) / 1e8));
      for (std::size_t c = 0; c < clocks; ++c) EXPECT_LE(objective(chosen), objective(c) + 1e-12);
    }
  }
}

}  // namespace
}  // namespace mete
