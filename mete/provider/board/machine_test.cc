// The machine against simple judges: the table's own numbers, and a small-step simulation that
// shares no code with it. SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/machine.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace mete {
namespace {

using namespace std::chrono_literals;

Board tiny() { return load_board(METE_SOURCE_DIR "/tests/fixtures/boards/tiny.csv").value(); }

struct Node {
  VirtualClock clock;
  std::unique_ptr<Machine> machine;

  explicit Node(Board board, MachineOptions options = MachineOptions::exact(), int gpus = 1,
                std::uint64_t seed = 1)
      : machine(Machine::make(std::move(board), options, gpus, clock, seed).value()) {}
  void run_to_end() {
    while (!machine->finished()) clock.advance_to(machine->next_stop(clock.now() + 1h));
  }
  double joules(int gpu = 0) { return machine->gpu(gpu).totals().joules; }
};

TEST(Machine, EveryKernelAtEveryClockTakesTheTablesTimeAndEnergy) {
  std::size_t checked = 0;
  for (const std::string name : {"v100", "jetson-agx"}) {
    const Board board = load_board(name).value();
    std::ifstream in(METE_SOURCE_DIR "/boards/" + name + ".csv");
    std::vector<std::string> header;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::vector<std::string> cells;
      std::stringstream stream(line + ",");
      for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
      if (header.empty()) {
        header = cells;
        continue;
      }
      const auto cell = [&](const char* column) {
        return cells.at(static_cast<std::size_t>(std::find(header.begin(), header.end(), column) -
                                                 header.begin()));
      };
      std::string kernel = cell("benchmark");
      if (cell("set") == "micro") kernel += "/" + cell("args");
      Node node(board);
      node.machine->set_range(0, {board.clocks.front(), std::stod(cell("core_mhz")) * 1e6});
      // A thousand runs of the kernel.
      const auto index = board.find_kernel(kernel).value();
      node.machine->start({kernel, {{Phase::Kind::kernel, index, 1000, 1}}});
      node.run_to_end();
      const double seconds = std::stod(cell("time"));  // ms of one are s of a thousand
      EXPECT_NEAR(node.machine->gpu(0).run_seconds() / seconds, 1, 1e-12) << line;
      EXPECT_NEAR(to_seconds(node.clock.now()), seconds, 1e-9) << line;
      // The clock counts whole nanoseconds: up to one of them is idle.
      EXPECT_NEAR(node.joules() / (seconds * std::stod(cell("power_w"))), 1, 1e-7) << line;
      EXPECT_NEAR(node.machine->gpu(0).totals().kernels, 1000, 1e-8);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 1580U + 672U);
}

/// The judge: steps of 10 us, the tiny board's figures written out, Euler's rule.
struct SmallSteps {
  static constexpr double kStep = 1e-5;
  double latency = 0;
  double clock = 2e9, wanted = 2e9, coming = 0, switch_end = -1;
  double now = 0, joules = 0, busy = 0;
  std::size_t phase = 0;
  double done = 0;
  double end = -1;

  static double seconds_of(std::size_t kernel, double hz) {
    if (kernel == 0) return 2e6 / hz;
    return hz >= 1e9 ? 1.5e-3 : 1e-3 + 0.5e6 / hz;
  }
  static double watts_of(std::size_t kernel, double hz) {
    const double ghz = hz / 1e9;
    if (kernel == 0) return 100 * ghz;
    return 30 + 60 * ghz;
  }
  void request(double hz) {
    wanted = hz;
    if (switch_end >= 0 || wanted == clock) return;
    if (latency == 0) {
      clock = wanted;
    } else {
      coming = wanted;
      switch_end = now + latency;
    }
  }
  void step(const Program& program) {
    if (switch_end >= 0 && now >= switch_end - kStep / 2) {
      clock = coming;
      switch_end = -1;
      request(wanted);
    }
    double watts = 50;
    if (phase < program.phases.size()) {
      const Phase& p = program.phases[phase];
      if (p.kind == Phase::Kind::kernel) {
        watts = watts_of(p.kernel, clock);
        done += kStep / seconds_of(p.kernel, clock) / p.count;
        busy += kStep;
      } else {
        done += kStep / p.seconds;
      }
      if (done >= 1 - 1e-9) {
        ++phase;
        done = 0;
        if (phase == program.phases.size()) end = now + kStep;
      }
    }
    joules += watts * kStep;
    now += kStep;
  }
};

TEST(Machine, FollowsAnyClockSwitchingAsSmallStepsDo) {
  const Board board = tiny();
  const Program program = parse_program(
                              "repeat 4\nkernel compute 0.03\nidle 0.011\nkernel memory "
                              "0.02\nend\nkernel compute 0.05\n",
                              "p", board)
                              .value();
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed);
    MachineOptions options = MachineOptions::exact();
    SmallSteps judge;
    judge.latency = options.switch_latency = std::array{0.0, 0.003, 0.02}[seed % 3];
    options.clock_step = 1e6;
    Node node(board, options);
    node.machine->start(program);
    while (judge.end < 0) {
      const double hz = 500e6 + 1e6 * static_cast<double>(rng.below(1501));
      node.machine->set_range(0, {500e6, hz});
      judge.request(hz);
      const std::size_t steps = 1 + rng.below(3000);
      for (std::size_t i = 0; i < steps; ++i) judge.step(program);
      node.clock.advance_to(from_seconds(judge.now));
      ASSERT_NEAR(node.joules() / judge.joules, 1, 2e-3) << "seed " << seed << " at " << judge.now;
      ASSERT_NEAR(node.machine->gpu(0).totals().busy_seconds, judge.busy, 2e-4) << "seed " << seed;
      if (judge.switch_end < 0) {
        ASSERT_EQ(node.machine->gpu(0).clock_hertz(), judge.clock);
      }
    }
    ASSERT_TRUE(node.machine->finished());
    // Each of the 13 phases ends up to one step late in the judge.
    EXPECT_NEAR(node.machine->gpu(0).run_seconds(), judge.end, 13 * SmallSteps::kStep)
        << "seed " << seed;
  }
}

TEST(Machine, CarriesProgressAcrossAClockChange) {
  // compute at 2 GHz takes 1 ms, at 500 MHz 4 ms: half of 1000 runs at each.
  Node node(tiny());
  node.machine->start(load_program("compute:1s", node.machine->board()).value());
  node.clock.advance_to(500ms);
  node.machine->set_range(0, {500e6, 500e6});
  EXPECT_NEAR(node.machine->gpu(0).totals().kernels, 500, 1e-9);
  node.run_to_end();
  EXPECT_EQ(node.clock.now(), 2500ms);
  EXPECT_NEAR(node.joules(), 0.5 * 200 + 2 * 50, 1e-6);
  EXPECT_NEAR(node.machine->gpu(0).totals().kernels, 1000, 1e-9);
}

TEST(Machine, IdlesAtTheLowestPowerOrTheGivenOne) {
  for (const double watts : {50.0, 7.0}) {
    MachineOptions options = MachineOptions::exact();
    if (watts == 7) options.idle_power = 7;
    Node node(tiny(), options);
    node.machine->start(
        parse_program("repeat 10\nidle 0.1\nkernel memory 0.1\nend\n", "p", node.machine->board())
            .value());
    node.run_to_end();
    EXPECT_EQ(node.clock.now(), 2s);
    EXPECT_NEAR(node.joules(), 1 * watts + 1 * 150, 1e-6);
    EXPECT_NEAR(node.machine->gpu(0).totals().busy_seconds, 1, 1e-9);
    node.clock.advance_to(5s);
    EXPECT_NEAR(node.joules(), 4 * watts + 150, 1e-6) << "idle after the end as well";
  }
}

TEST(Machine, SwitchesOneClockAtATimeAfterItsLatency) {
  MachineOptions options = MachineOptions::exact();
  options.switch_latency = 0.1;
  Node node(tiny(), options);
  const auto at = [&](Nanoseconds t) {
    node.clock.advance_to(t);
    return node.machine->gpu(0).clock_hertz();
  };
  node.machine->set_range(0, {500e6, 500e6});
  EXPECT_EQ(at(99'999'999ns), 2000e6);
  node.machine->set_range(0, {500e6, 1000e6});  // waits for the first switch
  EXPECT_EQ(at(100ms), 500e6);
  EXPECT_EQ(at(199ms), 500e6);
  EXPECT_EQ(at(200ms), 1000e6);
  node.machine->set_range(0, {500e6, 1000e6});  // nothing to do
  EXPECT_EQ(at(400ms), 1000e6);
}

TEST(Machine, RunsManyGpusEachAtItsOwnClock) {
  Node node(tiny(), MachineOptions::exact(), 3);
  node.machine->set_range(1, {500e6, 1000e6});
  node.machine->set_range(2, {500e6, 500e6});
  node.machine->start(load_program("compute:1s", node.machine->board()).value());
  node.run_to_end();
  EXPECT_EQ(node.clock.now(), 4s) << "the slowest ends the run";
  EXPECT_NEAR(node.machine->gpu(0).run_seconds(), 1, 1e-12);
  EXPECT_NEAR(node.machine->gpu(1).run_seconds(), 2, 1e-12);
  EXPECT_NEAR(node.joules(0), 200 * 1 + 50 * 3, 1e-6);
  EXPECT_NEAR(node.joules(1), 100 * 2 + 50 * 2, 1e-6);
  EXPECT_NEAR(node.joules(2), 50 * 4, 1e-6);
}

TEST(Machine, IsNotDisturbedByBeingWatched) {
  const auto start = [](Node& node) {
    node.machine->start(load_program("vectorAdd:3s", node.machine->board()).value());
  };
  Node watched(load_board("v100").value(), MachineOptions(), 2, 5);
  start(watched);
  while (!watched.machine->finished()) {
    watched.clock.advance_to(watched.machine->next_stop(watched.clock.now() + 1ms));
    EXPECT_GT(watched.machine->gpu(1).sensor_watts(), 0);
    if (watched.clock.now() == 2s) watched.machine->set_range(0, {405e6, 802e6});
  }
  Node alone(load_board("v100").value(), MachineOptions(), 2, 5);
  start(alone);
  alone.clock.advance_to(2s);
  alone.machine->set_range(0, {405e6, 802e6});
  alone.run_to_end();
  const Gpu& a = watched.machine->gpu(0);
  const Gpu& b = alone.machine->gpu(0);
  EXPECT_NEAR(to_seconds(watched.clock.now()), to_seconds(alone.clock.now()), 1.5e-9);
  EXPECT_NEAR(a.run_seconds() / b.run_seconds(), 1, 1e-12);
  EXPECT_NEAR(a.totals().joules / b.totals().joules, 1, 1e-9);
  EXPECT_NEAR(a.sensor_watts(), b.sensor_watts(), 1.1e-3) << "but for one step of the sensor";
}

TEST(Machine, RepeatsItselfFromItsSeedAndVariesFromRunToRun) {
  const auto runs = [](std::uint64_t seed) {
    Node node(tiny(), MachineOptions(), 1, seed);
    std::vector<double> figures;
    for (int i = 0; i < 200; ++i) {
      const double before = node.joules();
      node.machine->start(load_program("compute:1s", node.machine->board()).value());
      node.run_to_end();
      figures.push_back(node.machine->gpu(0).run_seconds());
      figures.push_back((node.joules() - before) / figures.back());
    }
    return figures;
  };
  const auto first = runs(1);
  EXPECT_EQ(first, runs(1));
  EXPECT_NE(first, runs(2));
  const MachineOptions defaults;
  for (const std::size_t column : {0U, 1U}) {
    double sum = 0, squares = 0;
    for (std::size_t i = column; i < first.size(); i += 2) {
      const double deviation = first[i] / (column == 0 ? 1 : 200) - 1;
      sum += deviation;
      squares += deviation * deviation;
    }
    const double sd = std::sqrt(squares / 200);
    const double asked = column == 0 ? defaults.time_variation : defaults.power_variation;
    // The spread of 200 draws is known to 5 %: four times that.
    EXPECT_NEAR(sd / asked, 1, 0.2);
    EXPECT_NEAR(sum / 200, 0, 4 * asked / std::sqrt(200.0));
  }
}

TEST(Machine, SensorLagsExponentially) {
  MachineOptions options = MachineOptions::exact();
  options.sensor_lag = 0.7;
  Node node(tiny(), options);
  node.machine->start(load_program("compute:2s", node.machine->board()).value());
  for (const auto t : {0ms, 1ms, 100ms, 700ms, 1999ms}) {
    node.clock.advance_to(t);
    EXPECT_NEAR(node.machine->gpu(0).sensor_watts(),
                200 + (50 - 200) * std::exp(-to_seconds(t) / 0.7), 1e-9);
  }
  const double at_end = 200 - 150 * std::exp(-2 / 0.7);
  node.clock.advance_to(3s);
  EXPECT_NEAR(node.machine->gpu(0).sensor_watts(), 50 + (at_end - 50) * std::exp(-1 / 0.7), 1e-6);
}

TEST(Machine, SensorHoldsBetweenReadOutsAndRoundsToItsStep) {
  MachineOptions options = MachineOptions::exact();
  options.sensor_period = 0.1;
  options.quantisation = 7;
  Node node(tiny(), options);
  node.clock.advance_to(150ms);
  node.machine->start(load_program("compute:1s", node.machine->board()).value());
  const auto at = [&](Nanoseconds t) {
    node.clock.advance_to(t);
    return node.machine->gpu(0).sensor_watts();
  };
  EXPECT_DOUBLE_EQ(at(199ms), 49) << "50 W idle in steps of 7";
  EXPECT_DOUBLE_EQ(at(200ms), 203);
  EXPECT_DOUBLE_EQ(at(1149ms), 203);
  EXPECT_DOUBLE_EQ(at(1199ms), 203) << "the kernel ended at 1150 ms, the sensor has not looked";
  EXPECT_DOUBLE_EQ(at(1200ms), 49);
}

TEST(Machine, SensorNoiseHasTheSpreadAskedFor) {
  MachineOptions options = MachineOptions::exact();
  options.power_noise = 0.02;
  options.sensor_period = 0.01;
  Node node(tiny(), options);
  double sum = 0, squares = 0;
  constexpr int kReads = 4000;
  for (int i = 1; i <= kReads; ++i) {
    node.clock.advance_to(i * 10ms);
    const double deviation = node.machine->gpu(0).sensor_watts() / 50 - 1;
    sum += deviation;
    squares += deviation * deviation;
  }
  EXPECT_NEAR(sum / kReads, 0, 5 * 0.02 / std::sqrt(kReads));
  EXPECT_NEAR(std::sqrt(squares / kReads) / 0.02, 1, 0.06);
  EXPECT_NEAR(node.joules(), 50 * 0.01 * kReads, 1e-6) << "noise is the sensor's, not the energy's";
}

TEST(Machine, StopsWhereItIs) {
  Node node(tiny());
  node.machine->start(load_program("compute:1s", node.machine->board()).value());
  node.clock.advance_to(250ms);
  node.machine->stop();
  EXPECT_TRUE(node.machine->finished());
  EXPECT_DOUBLE_EQ(node.machine->gpu(0).run_seconds(), 0.25);
  EXPECT_EQ(node.machine->next_stop(1s), 250ms);
  node.machine->start(load_program("memory:1s", node.machine->board()).value());
  node.run_to_end();
  EXPECT_EQ(node.clock.now(), 1250ms);
}

TEST(Machine, OffersClocksByStep) {
  MachineOptions options = MachineOptions::exact();
  options.clock_step = 400e6;
  const Node node(tiny(), options);
  EXPECT_EQ(node.machine->clocks(), (std::vector<double>{500e6, 900e6, 1300e6, 1700e6, 2000e6}));
  VirtualClock clock;
  options.clock_step = 1;
  EXPECT_NE(Machine::make(tiny(), options, 1, clock, 1).error().what.find("clock_step"),
            std::string::npos);
  for (const int gpus : {0, -1, 1025}) {
    EXPECT_EQ(Machine::make(tiny(), MachineOptions(), gpus, clock, 1).error().code, Errc::invalid);
  }
}

TEST(Machine, EndsLongProgramsOfShortPhases) {
  Node node(tiny());
  node.machine->start(parse_program("repeat 20000\nkernel compute 0.0000003\nidle 0.0000001\nend\n",
                                    "p", node.machine->board())
                          .value());
  node.run_to_end();
  EXPECT_NEAR(to_seconds(node.clock.now()), 20000 * 4e-7, 2e-9);
  EXPECT_NEAR(node.machine->gpu(0).totals().kernels, 20000 * 3e-4, 1e-9);
}

}  // namespace
}  // namespace mete
