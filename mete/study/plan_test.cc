// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "mete/base/text.h"

namespace mete {
namespace {

const ControlInfo kClock{"GPU_CORE_FREQUENCY_MAX_CONTROL", "", "Hz", Domain::gpu,
                         Aggregation::expect_same};
const ControlLimits kSteps{0.5e9, 1.5e9, {0.5e9, 1.0e9, 1.2e9, 1.5e9}};
const ControlLimits kContinuous{100, 300, {}};

StudyAxis axis(std::vector<double> values) { return {kClock.name, "Hz", std::move(values)}; }

StudyPlan plan_of(std::vector<double> values, std::int64_t trials, std::size_t every,
                  std::uint64_t seed = 1) {
  StudyPlan plan;
  plan.axes = {axis(std::move(values))};
  plan.trials = trials;
  plan.reference_every = every;
  plan.seed = seed;
  plan.app = plan.app_config = "vectorAdd";
  plan.node = "host";
  return plan;
}

Result<StudyAxis> resolve(const ControlLimits& limits, std::string_view spec,
                          const ControlInfo& info = kClock) {
  std::vector<std::string> notes;
  return resolve_axis(info, limits, spec, 5, notes);
}

TEST(Axis, AllIsWhatTheDeviceSupports) {
  const auto all = resolve(kSteps, "all");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->values, kSteps.supported);
}

TEST(Axis, AllOfAContinuousControlIsEvenAndSaidSo) {
  const ControlInfo power{"GPU_POWER_LIMIT_CONTROL", "", "W", Domain::gpu, Aggregation::sum};
  std::vector<std::string> notes;
  const auto all = resolve_axis(power, kContinuous, "all", 5, notes);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->values, (std::vector<double>{100, 150, 200, 250, 300}));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("5 evenly spaced"), std::string::npos);
}

TEST(Axis, ListIsSortedWithoutRepeats) {
  const auto got = resolve(kSteps, "1.5GHz, 500MHz,1500 MHz");
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->values, (std::vector<double>{0.5e9, 1.5e9}));
}

TEST(Axis, UnsupportedValuesGiveOneErrorWithTheNearest) {
  const auto got = resolve(kSteps, "1GHz,1.1GHz,2GHz");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::invalid);
  EXPECT_NE(got.error().what.find("does not support 1.1 GHz, 2 GHz;"), std::string::npos)
      << got.error().what;
  EXPECT_NE(got.error().what.find("nearest: 1 GHz, 1.5 GHz"), std::string::npos);
}

TEST(Axis, BareMegahertzAreExplained) {
  const auto got = resolve(kSteps, "1200");
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().what.find("1380MHz"), std::string::npos) << got.error().what;
}

TEST(Axis, RangeIsMovedToSupportedValues) {
  std::vector<std::string> notes;
  const auto got = resolve_axis(kClock, kSteps, "900MHz:1500MHz:100MHz", 5, notes);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->values, (std::vector<double>{1.0e9, 1.2e9, 1.5e9}));
  EXPECT_EQ(notes.size(), 1U);
}

TEST(Axis, BadSpecsAreRefused) {
  for (const std::string_view spec :
       {"", ",", "nan", "inf", "1GHz:2GHz", "1GHz:2GHz:0", "1GHz:2GHz:-1GHz", "1GHz:2GHz:1Hz",
        "2GHz:3GHz:100MHz", "1W", "fast", "1GHz,,1.2GHz", "1GHz:2GHz:nan"}) {
    const auto got = resolve(kSteps, spec);
    EXPECT_FALSE(got) << spec;
    if (!got) {
      EXPECT_EQ(got.error().code, Errc::invalid) << spec;
    }
  }
  EXPECT_FALSE(split_axis_spec("GPU"));
  EXPECT_FALSE(split_axis_spec("=all"));
  EXPECT_FALSE(split_axis_spec("GPU="));
}

TEST(Plan, EveryTrialHasEverySettingOnce) {
  const auto points = lay_out(plan_of({1e9, 1.1e9, 1.2e9, 1.3e9}, 3, 5));
  ASSERT_TRUE(points);
  std::map<std::int64_t, std::multiset<double>> seen;
  for (const auto& p : *points) {
    if (!p.reference) seen[p.trial].insert(p.values[0]);
  }
  ASSERT_EQ(seen.size(), 3U);
  for (const auto& [trial, values] : seen) {
    EXPECT_EQ(values, (std::multiset<double>{1e9, 1.1e9, 1.2e9, 1.3e9})) << trial;
  }
}

TEST(Plan, ReferencesStandFirstLastAndEveryK) {
  for (const std::size_t every : {1U, 3U, 10U, 1000U}) {
    const auto points = lay_out(plan_of({1e9, 1.1e9, 1.2e9, 1.3e9}, 6, every));
    ASSERT_TRUE(points);
    EXPECT_TRUE(points->front().reference);
    EXPECT_TRUE(points->back().reference);
    std::size_t run = 0;
    for (const auto& p : *points) {
      if (p.reference) {
        EXPECT_EQ(p.values[0], 1.3e9) << "the reference is the highest setting";
        run = 0;
      } else {
        EXPECT_LE(++run, every);
      }
    }
  }
  const auto without = lay_out(plan_of({1e9, 1.1e9}, 2, 0));
  ASSERT_TRUE(without);
  EXPECT_EQ(without->size(), 4U);
}

TEST(Plan, OrderIsRandomButTheSeedDecides) {
  const std::vector<double> values{1e9, 1.1e9, 1.2e9, 1.3e9, 1.4e9, 1.5e9, 1.6e9, 1.7e9};
  const auto a = lay_out(plan_of(values, 3, 10, 7));
  const auto b = lay_out(plan_of(values, 3, 10, 7));
  const auto c = lay_out(plan_of(values, 3, 10, 8));
  EXPECT_EQ(*a, *b);
  EXPECT_NE(*a, *c);
  std::vector<double> first;
  std::vector<double> second;
  for (const auto& p : *a) {
    if (!p.reference && p.trial == 1) first.push_back(p.values[0]);
    if (!p.reference && p.trial == 2) second.push_back(p.values[0]);
  }
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  EXPECT_NE(first, second) << "each trial has an order of its own";
}

/// The tutorial's reader: split at '.', keep pieces with '_', each must be exactly key_value.
std::map<std::string, std::string> tutorial_name(std::string name) {
  name = name.substr(name.find('/') + 1);
  std::map<std::string, std::string> out;
  for (const auto piece : split(name, '.')) {
    const auto parts = split(piece, '_');
    if (parts.size() == 1) continue;
    EXPECT_EQ(parts.size(), 2U) << name;
    out[std::string(parts[0])] = std::string(parts[1]);
  }
  return out;
}

TEST(Plan, FileNamesReadAsTheTutorialReadsThem) {
  StudyPlan plan = plan_of({945e6, 1380e6}, 2, 0);
  plan.app = "my_odd app.v2/ü";
  const auto points = lay_out(plan);
  ASSERT_TRUE(points);
  for (const auto& p : *points) {
    const auto keys = tutorial_name(p.id);
    EXPECT_EQ(parse_int(keys.at("gpufreq")).value_or(0),
              static_cast<std::int64_t>(p.values[0] / 1e6));
    EXPECT_EQ(parse_int(keys.at("trial")).value_or(0), p.trial);
    EXPECT_EQ(keys.at("agent"), "monitor");
  }
}

TEST(Plan, FileNamesAreUniqueEvenForNearSettings) {
  StudyPlan plan = plan_of({1236.0e6, 1236.25e6, 1236.75e6}, 4, 3);
  plan.axes.push_back({"GPU_POWER_LIMIT_CONTROL", "W", {150, 150.5}});
  const auto points = lay_out(plan);
  ASSERT_TRUE(points);
  std::set<std::string> ids;
  for (const auto& p : *points) EXPECT_TRUE(ids.insert(p.id).second) << p.id;
}

TEST(Plan, ImpossiblePlansAreRefused) {
  EXPECT_FALSE(lay_out(StudyPlan{}));
  EXPECT_FALSE(lay_out(plan_of({1e9}, 0, 10)));
  EXPECT_FALSE(lay_out(plan_of({}, 1, 10)));
  EXPECT_FALSE(lay_out(plan_of({1e9, 2e9}, 60'000, 10)));
  StudyPlan twice = plan_of({1e9}, 1, 10);
  twice.axes.push_back(twice.axes[0]);
  EXPECT_FALSE(lay_out(twice));
  StudyPlan huge = plan_of({1e9}, 1, 10);
  for (const char* name : {"A", "B", "C", "D", "E", "F", "G"}) {
    huge.axes.push_back({name, "", std::vector<double>(4000)});
  }
  EXPECT_FALSE(lay_out(huge)) << "the number of points must not overflow";
}

TEST(Plan, DifferencesNameWhatChanged) {
  const StudyPlan a = plan_of({1e9, 2e9}, 3, 10);
  StudyPlan b = a;
  EXPECT_TRUE(differences(a, b).empty());
  b.trials = 5;
  b.axes[0].values = {1e9};
  const auto lines = differences(a, b);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[1].find("3 here, 5 asked"), std::string::npos);
}

TEST(Plan, AppNamesComeFromTheCommand) {
  EXPECT_EQ(app_name({"/usr/bin/stress", "-c", "2"}), "stress");
  EXPECT_EQ(app_name({"examples/demo/training.program"}), "training");
  EXPECT_EQ(app_name({"train.py"}), "train");
  EXPECT_EQ(app_name({".py"}), ".py");
  EXPECT_EQ(app_name({}), "app");
}

}  // namespace
}  // namespace mete
