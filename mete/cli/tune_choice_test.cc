// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/tune_choice.h"

#include <cmath>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

SettingSummary setting(double clock, double seconds, double joules) {
  SettingSummary out;
  out.values = {clock};
  out.seconds = {seconds};
  out.joules = {joules};
  out.time.estimate = seconds;
  out.energy.estimate = joules;
  return out;
}

/// Time falls with the clock; energy has its least at 1.0 GHz.
std::vector<SweptClock> valley() {
  return *swept_clocks({setting(0.8e9, 14, 110), setting(1.0e9, 12, 100), setting(1.2e9, 10.8, 105),
                        setting(1.4e9, 10, 125)});
}

TEST(Slowdown, IsPerCentOrFraction) {
  EXPECT_DOUBLE_EQ(*parse_slowdown("10%"), 0.1);
  EXPECT_DOUBLE_EQ(*parse_slowdown(" 2.5 % "), 0.025);
  EXPECT_DOUBLE_EQ(*parse_slowdown("0.1"), 0.1);
  EXPECT_DOUBLE_EQ(*parse_slowdown("0"), 0);
  for (const char* bad : {"10", "-1%", "nan", "", "%", "ten", "inf", "99999%"}) {
    const auto got = parse_slowdown(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code, Errc::invalid);
  }
}

TEST(SweptClocks, BadFiguresAndOneClockAreRefused) {
  EXPECT_FALSE(swept_clocks({}));
  EXPECT_FALSE(swept_clocks({setting(1e9, 1, 1)}));
  EXPECT_FALSE(swept_clocks({setting(1e9, 1, std::nan("")), setting(2e9, 1, 1)}));
  EXPECT_FALSE(swept_clocks({setting(1e9, 0, 1), setting(2e9, 1, 1)}));
}

TEST(Choose, PhiEndsAreTheFastestAndTheThriftiest) {
  const auto clocks = valley();
  EXPECT_EQ(choose(clocks, {.phi = 0.0}).fixed.clock, 1.4e9);
  EXPECT_EQ(choose(clocks, {.phi = 1.0}).fixed.clock, 1.0e9);
}

TEST(Choose, ABoundIsKeptAndUsed) {
  const auto clocks = valley();
  const auto tight = choose(clocks, {.phi = {}, .max_slowdown = 0.05});
  EXPECT_EQ(tight.fixed.clock, 1.4e9);
  EXPECT_EQ(tight.at_phi.clock, 1.4e9);
  const auto middle = choose(clocks, {.phi = {}, .max_slowdown = 0.10});
  EXPECT_EQ(middle.fixed.clock, 1.2e9);
  const auto loose = choose(clocks, {.phi = {}, .max_slowdown = 0.50});
  EXPECT_EQ(loose.fixed.clock, 1.0e9);
  EXPECT_EQ(loose.phi, 1.0);
  EXPECT_NE(middle.why.find("1.2 GHz"), std::string::npos) << middle.why;
}

TEST(Choose, AgreesWithAPlainSearchOnRandomSweeps) {
  Rng rng(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<SettingSummary> settings;
    const std::size_t n = 2 + rng.below(9);
    for (std::size_t i = 0; i < n; ++i) {
      settings.push_back(setting(1e9 + 1e8 * static_cast<double>(i), 1 + rng.uniform(),
                                 100 * (1 + rng.uniform())));
    }
    const auto clocks = *swept_clocks(settings);
    const double bound = rng.uniform();
    const auto choice = choose(clocks, {.phi = {}, .max_slowdown = bound});
    const double top_time = settings.back().time.estimate;
    double least = settings.back().energy.estimate;
    for (const auto& s : settings) {
      if (s.time.estimate / top_time - 1 <= bound) least = std::min(least, s.energy.estimate);
    }
    EXPECT_EQ(choice.fixed.joules, least);
    EXPECT_LE(choice.at_phi.slowdown, bound);
    // No larger phi of the eleven keeps the bound.
    double fastest = top_time;
    for (const auto& s : settings) fastest = std::min(fastest, s.time.estimate);
    for (int tenth = 10; tenth / 10.0 > choice.phi + 1e-9; --tenth) {
      const double phi = tenth / 10.0;
      std::size_t best = 0;
      double value = 1e300;
      for (std::size_t i = 0; i < n; ++i) {
        const double v = (1 - phi) * settings[i].time.estimate / fastest +
                         phi * settings[i].energy.estimate / settings.back().energy.estimate;
        if (v <= value) {
          value = v;
          best = i;
        }
      }
      EXPECT_GT(settings[best].time.estimate / top_time - 1, bound);
    }
  }
}

ArmRuns arm(std::string name, double time, double energy, double noise, std::uint64_t seed,
            std::size_t n = 6) {
  ArmRuns out{std::move(name), {}, {}};
  Rng rng(seed);
  for (std::size_t i = 0; i < n; ++i) {
    out.seconds.push_back(time * (1 + noise * rng.normal()));
    out.joules.push_back(energy * (1 + noise * rng.normal()));
  }
  return out;
}

TEST(Recommend, TheBetterArmWins) {
  const std::vector<ArmRuns> arms{arm("baseline", 10, 100, 0.002, 1),
                                  arm("torch", 10.5, 70, 0.002, 2),
                                  arm("fixed", 10.5, 85, 0.002, 3)};
  const TuneVerdict verdict = recommend(arms, {.phi = {}, .max_slowdown = 0.10});
  EXPECT_EQ(verdict.arm, "torch");
  EXPECT_TRUE(verdict.cautions.empty());
}

TEST(Recommend, EqualArmsMeanTheSimplerOne) {
  const std::vector<ArmRuns> arms{arm("baseline", 10, 100, 0.01, 1),
                                  arm("torch", 10.5, 79.9, 0.01, 2),
                                  arm("fixed", 10.5, 80, 0.01, 3)};
  EXPECT_EQ(recommend(arms, {.phi = {}, .max_slowdown = 0.10}).arm, "fixed");
}

TEST(Recommend, ABrokenBoundIsSaidAndNotRecommended) {
  const std::vector<ArmRuns> arms{arm("baseline", 10, 100, 0.002, 1),
                                  arm("torch", 12, 60, 0.002, 2), arm("fixed", 10.5, 85, 0.002, 3)};
  const TuneVerdict verdict = recommend(arms, {.phi = {}, .max_slowdown = 0.10});
  EXPECT_EQ(verdict.arm, "fixed");
  ASSERT_EQ(verdict.cautions.size(), 1U);
  EXPECT_NE(verdict.cautions[0].find("torch: breaks the bound"), std::string::npos);
}

TEST(Recommend, NoiseOrACostMeansLeaveItAlone) {
  const std::vector<ArmRuns> noise{arm("baseline", 10, 100, 0.05, 1),
                                   arm("torch", 10, 99.5, 0.05, 2)};
  const TuneVerdict chance = recommend(noise, {.phi = {}, .max_slowdown = 0.10});
  EXPECT_EQ(chance.arm, "baseline");
  ASSERT_FALSE(chance.cautions.empty());
  EXPECT_NE(chance.cautions[0].find("includes zero"), std::string::npos);
  const std::vector<ArmRuns> cost{arm("baseline", 10, 100, 0.002, 1),
                                  arm("torch", 10, 110, 0.002, 2)};
  const TuneVerdict worse = recommend(cost, {.phi = 1.0});
  EXPECT_EQ(worse.arm, "baseline");
  EXPECT_NE(worse.cautions.at(0).find("costs"), std::string::npos) << worse.cautions[0];
  EXPECT_EQ(recommend({noise.data(), 1}, {}).arm, "baseline") << "the baseline alone";
}

TEST(Recommend, OneRepeatGivesNoCertainty) {
  const std::vector<ArmRuns> arms{arm("baseline", 10, 100, 0, 1, 1), arm("torch", 10, 50, 0, 2, 1)};
  const TuneVerdict verdict = recommend(arms, {.phi = 1.0});
  EXPECT_EQ(verdict.arm, "baseline");
  ASSERT_EQ(verdict.cautions.size(), 1U);
  EXPECT_NE(verdict.cautions[0].find("--repeats"), std::string::npos);
}

TEST(ChangeWords, TellSavingCostAndChanceApart) {
  EXPECT_EQ(change_words({-0.2, -0.25, -0.15, 5}, "energy"),
            "saves 20.0 % energy (95 %: 15.0 % to 25.0 %)");
  EXPECT_EQ(change_words({0.2, 0.15, 0.25, 5}, "time"),
            "costs 20.0 % more time (95 %: 15.0 % to 25.0 %)");
  EXPECT_NE(change_words({-0.01, -0.03, 0.01, 5}, "time").find("may be chance"), std::string::npos);
  EXPECT_NE(change_words({-0.01, std::nan(""), std::nan(""), 1}, "time").find("no interval"),
            std::string::npos);
}

}  // namespace
}  // namespace mete
