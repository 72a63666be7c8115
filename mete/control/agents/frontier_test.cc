// The frontier agent on a small GPU of our own whose truth is a formula.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/json.h"
#include "mete/base/rng.h"
#include "mete/control/agents/frontier_agent.h"
#include "mete/control/agents/frontier_part.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kColumns = 13;

/// A GPU that runs one of several pieces of work: T = compute/f + memory, P = idle + k·f·(what is
/// busy). Gives rows of the agent's columns.
struct Work {
  double compute = 0.5;  ///< of the time at the top clock
  double watts = 150;    ///< at the top clock
};

class TinyGpu {
 public:
  explicit TinyGpu(std::vector<double> clocks)
      : clocks_(std::move(clocks)), clock_(clocks_.back()) {}

  [[nodiscard]] double time(const Work& work, double clock) const {
    return work.compute * clocks_.back() / clock + 1 - work.compute;
  }
  [[nodiscard]] double power(const Work& work, double clock) const {
    const double share = clock / clocks_.back();
    return 30 + (work.watts - 30) * share * share;
  }
  /// One period of 50 ms at the present clock; the wish of the step before has taken effect.
  void run(const Work& work) {
    constexpr double kPeriod = 0.05;
    now_ += kPeriod;
    const double slower = time(work, clock_);
    joules_ += power(work, clock_) * kPeriod;
    done_ += kPeriod / slower;
    row_ = {clock_,  power(work, clock_),
            joules_, 1,
            0.9,     0.9 * (1 - work.compute) / slower,
            0,       0.4 * work.compute * clocks_.back() / clock_ / slower,
            0,       0,
            kNan,    kNan,
            kNan};
  }
  void pause() {
    now_ += 0.05;
    joules_ += 30 * 0.05;
    row_ = {clock_, 30, joules_, 0, 0, 0, 0, 0, 0, 0, kNan, kNan, kNan};
  }
  void set(double clock) {
    if (clock != clock_) ++switches_;
    clock_ = clock;
  }

  std::array<double, kColumns>& row() { return row_; }
  [[nodiscard]] double now() const { return now_; }
  [[nodiscard]] double clock() const { return clock_; }
  [[nodiscard]] double joules() const { return joules_; }
  [[nodiscard]] double done() const { return done_; }
  [[nodiscard]] int switches() const { return switches_; }
  [[nodiscard]] const std::vector<double>& clocks() const { return clocks_; }

 private:
  std::vector<double> clocks_;
  double clock_;
  double now_ = 0;
  double joules_ = 0;
  double done_ = 0;
  int switches_ = 0;
  std::array<double, kColumns> row_{};
};

std::vector<double> evenly(std::size_t n) {
  std::vector<double> clocks;
  for (std::size_t i = 0; i < n; ++i) {
    clocks.push_back(4e8 + 1e9 * static_cast<double>(i) / static_cast<double>(n - 1));
  }
  return clocks;
}

/// An agent of one GPU, without anything learned.
class Pilot {
 public:
  Pilot(const std::vector<double>& clocks, double phi, double bound)
      : agent_(make_frontier_agent({}).value()), policy_{phi, bound} {
    const PartLimits limits{clocks.front(), clocks.back(), clocks};
    EXPECT_TRUE(agent_->start({&limits, 1}, policy_));
  }
  double step(TinyGpu& gpu) {
    std::array<double, 1> decision{kNan};
    agent_->step({gpu.now(), 1, gpu.row()}, policy_, decision);
    return decision[0];
  }
  /// Runs the work for so many steps; the clock at the end.
  double fly(TinyGpu& gpu, const Work& work, int steps) {
    for (int i = 0; i < steps; ++i) {
      gpu.run(work);
      gpu.set(step(gpu));
    }
    return gpu.clock();
  }
  std::array<double, 2> told() {
    EXPECT_EQ(agent_->trace_columns(),
              (std::vector<std::string>{"FRONTIER_STATE-gpu-0", "FRONTIER_PHASE-gpu-0"}));
    std::array<double, 2> values{};
    agent_->trace_values(values);
    return values;
  }
  std::map<std::string, std::string> report() {
    const auto lines = agent_->report_lines();
    return {lines.begin(), lines.end()};
  }

 private:
  std::unique_ptr<Agent> agent_;
  std::array<double, 2> policy_;
};

double objective_at(const TinyGpu& gpu, const Work& work, double clock, double phi) {
  const double time = gpu.time(work, clock);
  const double energy = time * gpu.power(work, clock) / gpu.power(work, gpu.clocks().back());
  return (1 - phi) * time + phi * energy;
}

TEST(Frontier, FindsTheBestClockOfDevicesWithAnyNumberOfClocks) {
  for (const std::size_t n : {2U, 5U, 10U, 14U, 31U, 81U, 200U}) {
    for (const double compute : {0.0, 0.3, 0.7, 1.0}) {
      for (const double phi : {0.0, 0.3, 0.6, 1.0}) {
        TinyGpu gpu(evenly(n));
        Pilot pilot(gpu.clocks(), phi, kNan);
        const Work work{compute, 180};
        const double clock = pilot.fly(gpu, work, 50);
        EXPECT_EQ(clock, pilot.fly(gpu, work, 100)) << "had not settled";
        double least = 1e9;
        for (const double c : gpu.clocks()) {
          least = std::min(least, objective_at(gpu, work, c, phi));
        }
        EXPECT_LT(objective_at(gpu, work, clock, phi) - least, 0.01)
            << n << " clocks, compute " << compute << ", phi " << phi << ": " << clock;
      }
    }
  }
}

TEST(Frontier, KeepsABoundAndUsesIt) {
  for (const double bound : {0.02, 0.05, 0.10, 0.30}) {
    for (const double compute : {0.0, 0.2, 0.5, 1.0}) {
      TinyGpu gpu(evenly(81));
      Pilot pilot(gpu.clocks(), kNan, bound);
      const Work work{compute, 180};
      const double slowdown = gpu.time(work, pilot.fly(gpu, work, 60)) - 1;
      EXPECT_LE(slowdown, bound + 0.001) << compute;
      if (compute == 1.0 && bound >= 0.10) {
        EXPECT_GT(slowdown, bound / 2 - 0.03);
      }
    }
  }
}

TEST(Frontier, TellsWhatItDoesAndWhatItBelievesOfEveryClock) {
  TinyGpu gpu(evenly(6));
  Pilot pilot(gpu.clocks(), 0.5, kNan);
  const Work work{0.5, 180};
  std::vector<double> states;
  for (int i = 0; i < 60; ++i) {
    pilot.fly(gpu, work, 1);
    const auto [state, phase] = pilot.told();
    if (states.empty() || states.back() != state) states.push_back(state);
    EXPECT_EQ(std::isnan(phase), state == 1 || state == 6) << i;
  }
  // Nothing to compare the first sample with; looked, tried, settled.
  EXPECT_EQ(states, (std::vector<double>{6, 1, 2, 3}));
  const auto curve = parse_json(pilot.report().at("GPU 0 Frontier Curve 1"));
  ASSERT_TRUE(curve) << curve.error().what;
  EXPECT_EQ((*curve)["settled"].as_number(), gpu.clock());
  const auto& clocks = (*curve)["clock"].items();
  ASSERT_EQ(clocks.size(), gpu.clocks().size());
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    if (!(*curve)["tried"].items()[i].as_bool()) continue;
    EXPECT_NEAR((*curve)["found_time"].items()[i].as_number(),
                gpu.time(work, clocks[i].as_number()) - 1, 0.03)
        << i;
  }
  pilot.fly(gpu, {0.95, 230}, 1);
  EXPECT_EQ(pilot.told()[0], 4);  // outside the dead band, and not yet acted upon
}

TEST(Frontier, KnowsWorkThatComesBackAndDoesNotTryItAgain) {
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 0.5, kNan);
  const Work memory{0.05, 120};
  const Work compute{0.95, 220};
  const double first = pilot.fly(gpu, memory, 60);
  const double second = pilot.fly(gpu, compute, 60);
  ASSERT_NE(first, second);
  for (int round = 0; round < 10; ++round) {
    const int before = gpu.switches();
    EXPECT_EQ(first, pilot.fly(gpu, memory, 6)) << round;
    EXPECT_EQ(second, pilot.fly(gpu, compute, 6)) << round;
    if (round > 0) {
      EXPECT_LE(gpu.switches() - before, 2) << round;
    }
  }
  const auto report = pilot.report();
  EXPECT_TRUE(report.contains("GPU 0 Frontier Phase 2"));
  EXPECT_FALSE(report.contains("GPU 0 Frontier Phase 3"));
}

TEST(Frontier, AlternatingWorkSavesMoreThanAnyOneClockWithinTheBound) {
  constexpr double kBound = 0.10;
  constexpr int kSteps = 40;  // 2 s
  constexpr int kRounds = 30;
  const std::array<Work, 2> works{Work{0.05, 130}, Work{0.95, 220}};
  TinyGpu gpu(evenly(12));
  double least = 1e300;
  const double top = gpu.clocks().back();
  double top_joules = 0;
  for (const Work& work : works) top_joules += gpu.power(work, top);
  for (const double clock : gpu.clocks()) {
    double time = 0;
    double joules = 0;
    for (const Work& work : works) {
      time += gpu.time(work, clock) / 2;
      joules += gpu.time(work, clock) * gpu.power(work, clock);
    }
    if (time <= 1 + kBound) least = std::min(least, joules / top_joules);
  }
  Pilot pilot(gpu.clocks(), kNan, kBound);
  double joules = 0;
  double would_have = 0;
  double seconds = 0;
  double work_done = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (const Work& work : works) {
      const double j = gpu.joules();
      const double d = gpu.done();
      const double t = gpu.now();
      // As much work as takes 2 s at the top clock.
      while (gpu.done() - d < kSteps * 0.05) pilot.fly(gpu, work, 1);
      joules += gpu.joules() - j;
      seconds += gpu.now() - t;
      work_done += gpu.done() - d;
      would_have += gpu.power(work, top) * (gpu.done() - d);
    }
  }
  EXPECT_LT(joules / would_have, least);
  EXPECT_LT(seconds / work_done, 1 + kBound);
}

TEST(Frontier, AnyCountThatMovesTellsWhatAClockCosts) {
  // Activities that say nothing, and two works that look alike in power: which of them it is, only
  // a count of what is done can tell. The columns from kFirst on: epochs, regions, kernels.
  constexpr std::size_t kFirst = 10;
  constexpr double kBound = 0.10;
  constexpr double kRate = 3000;  // steps of the work in a second at the top clock
  for (const std::size_t column : {kFirst, kFirst + 1, kFirst + 2, kColumns}) {
    std::array<double, 2> clocks{};
    const std::array<double, 2> computes{0.1, 0.9};
    for (std::size_t which = 0; which < 2; ++which) {
      TinyGpu gpu(evenly(11));
      Pilot pilot(gpu.clocks(), kNan, kBound);
      const Work work{computes[which], 180};
      for (int i = 0; i < 200; ++i) {
        gpu.run(work);
        for (std::size_t c = 4; c < kFirst; ++c) gpu.row()[c] = kNan;
        for (std::size_t c = kFirst; c < kColumns; ++c) gpu.row()[c] = c <= column ? 0 : kNan;
        if (column < kColumns) gpu.row().at(column) = std::floor(gpu.done() * kRate);
        gpu.set(pilot.step(gpu));
      }
      clocks[which] = gpu.clock();
      if (column < kColumns) {
        EXPECT_LE(gpu.time(work, gpu.clock()), 1 + kBound + 0.01) << column;
      }
    }
    if (column == kColumns) {
      EXPECT_EQ(clocks[0], clocks[1]) << "nothing tells them apart";
    } else {
      EXPECT_LT(clocks[0], 0.7 * clocks[1]) << column;
    }
  }
}

TEST(Frontier, DoesNotChatterUnderNoiseWithinItsDeadBand) {
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 0.5, kNan);
  const Work work{0.4, 180};
  pilot.fly(gpu, work, 60);
  const int before = gpu.switches();
  Rng rng(9);
  double joules = gpu.row()[2];
  for (int i = 0; i < 2000; ++i) {
    gpu.run(work);
    joules += gpu.row()[1] * 0.05 * (1 + 0.02 * rng.normal());
    gpu.row()[2] = joules;
    for (std::size_t c = 4; c < 10; ++c) gpu.row()[c] *= 1 + 0.02 * rng.normal();
    gpu.set(pilot.step(gpu));
  }
  EXPECT_EQ(before, gpu.switches());
}

TEST(Frontier, WaitsAtLeastThreeStepsBetweenTwoClocks) {
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 0.7, kNan);
  Rng rng(4);
  int since = 100;
  double asked = gpu.clock();
  for (int i = 0; i < 5000; ++i) {
    gpu.run({rng.uniform(), 60 + 200 * rng.uniform()});  // other work at every step
    const double wish = pilot.step(gpu);
    ++since;
    if (wish != asked) {
      EXPECT_GE(since, kSettleSteps + 1) << i;
      since = 0;
    }
    asked = wish;
    gpu.set(wish);
  }
  EXPECT_TRUE(pilot.report().contains("GPU 0 Frontier Shelters"));
}

TEST(Frontier, WorkThatCannotBeSeenIsNotSlowed) {
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 1, kNan);
  const Work work{0.0, 150};
  const double settled = pilot.fly(gpu, work, 60);
  ASSERT_LT(settled, gpu.clocks().back());
  for (int i = 0; i < 10; ++i) {
    gpu.run(work);
    gpu.row()[0] = kNan;
    gpu.set(pilot.step(gpu));
  }
  EXPECT_EQ(gpu.clocks().back(), gpu.clock());
  EXPECT_EQ(settled, pilot.fly(gpu, work, 60));  // and is known again
}

TEST(Frontier, IdleTimesChangeNothing) {
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 1, kNan);
  const Work work{0.2, 150};
  const double settled = pilot.fly(gpu, work, 60);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 7; ++i) {
      gpu.pause();
      gpu.set(pilot.step(gpu));
      EXPECT_EQ(settled, gpu.clock());
    }
    EXPECT_EQ(settled, pilot.fly(gpu, work, 5));
  }
}

TEST(Frontier, AClockThatNeverComesIsLeftAlone) {
  // The device refuses all clocks below 1 GHz.
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 1, kNan);
  const Work work{0.0, 150};
  double wish = 0;
  for (int i = 0; i < 200; ++i) {
    gpu.run(work);
    wish = pilot.step(gpu);
    gpu.set(std::max(wish, *std::lower_bound(gpu.clocks().begin(), gpu.clocks().end(), 1e9)));
  }
  EXPECT_GE(wish, 1e9);
  EXPECT_EQ(wish, gpu.clock());
}

TEST(Frontier, AnEnergyCounterThatStartsAnewIsNoOtherWork) {
  TinyGpu gpu(evenly(10));
  Pilot pilot(gpu.clocks(), 0.8, kNan);
  const Work work{0.3, 150};
  const double settled = pilot.fly(gpu, work, 60);
  for (int i = 0; i < 30; ++i) {
    gpu.run(work);
    gpu.row()[2] -= i >= 10 ? 1e6 : 0;
    gpu.set(pilot.step(gpu));
    EXPECT_EQ(settled, gpu.clock()) << i;
  }
}

}  // namespace
}  // namespace mete
