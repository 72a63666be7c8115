// The board's signals and controls.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/board_provider.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace mete {
namespace {

using namespace std::chrono_literals;

struct Node {
  VirtualClock clock;
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Provider> provider;
  std::vector<Reading> readings;

  explicit Node(const std::string& board, int gpus = 1,
                MachineOptions options = MachineOptions::exact())
      : machine(Machine::make(load_board(board).value(), options, gpus, clock, 1).value()),
        provider(make_board_provider(*machine)) {}
  int push(const std::string& name, int gpu = 0) {
    const int handle = provider->push_signal({name, Domain::gpu, gpu}).value();
    readings.resize(static_cast<std::size_t>(handle) + 1);
    return handle;
  }
  void read_at(Nanoseconds t) {
    clock.advance_to(t);
    provider->read_batch(readings);
  }
  double operator[](int handle) const {
    return readings[static_cast<std::size_t>(handle)].or_nan();
  }
  void start(const std::string& program) {
    machine->start(load_program(program, machine->board()).value());
  }
};

const std::string kTiny = METE_SOURCE_DIR "/tests/fixtures/boards/tiny.csv";

TEST(BoardProvider, EverySignalIsReplayedAndReads) {
  Node node("v100", 2);
  EXPECT_TRUE(node.provider->info().available);
  for (const auto& signal : node.provider->info().signals) {
    EXPECT_EQ(signal.source, Source::replayed) << signal.name;
    EXPECT_EQ(signal.domain, Domain::gpu) << signal.name;
    node.push(signal.name, 1);
  }
  node.start("vectorAdd:1s");
  for (const auto t : {0ms, 0ms, 500ms, 500ms, 3000ms}) {
    node.read_at(t);
    for (const auto& reading : node.readings) {
      EXPECT_TRUE(reading.ok());
      EXPECT_FALSE(std::isnan(reading.value));
    }
  }
  Topology topology;
  node.provider->describe(topology);
  EXPECT_EQ(topology.count(Domain::gpu), 2);
}

TEST(BoardProvider, SaysWhatTheTableLacks) {
  const Node node("jetson-agx");
  const auto& info = node.provider->info();
  const auto has = [&](const char* name) {
    return std::any_of(info.signals.begin(), info.signals.end(),
                       [&](const auto& s) { return s.name == name; });
  };
  EXPECT_TRUE(has("GPU_POWER"));
  EXPECT_FALSE(has("GPU_CORE_ACTIVITY"));
  const auto absent = std::find_if(info.absences.begin(), info.absences.end(),
                                   [](const auto& a) { return a.what == "GPU_CORE_ACTIVITY"; });
  ASSERT_NE(absent, info.absences.end());
  EXPECT_NE(absent->why.find("sm_active"), std::string::npos);
  EXPECT_EQ(node.provider->push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).error().code,
            Errc::unavailable);
}

TEST(BoardProvider, AveragesActivityOverTheTimeSinceTheLastRead) {
  Node node(kTiny);
  const int use = node.push("GPU_UTILIZATION");
  const int core = node.push("GPU_CORE_ACTIVITY");
  const int memory = node.push("GPU_UNCORE_ACTIVITY");
  const int done = node.push("BOARD_KERNELS_COMPLETED");
  node.read_at(0s);
  EXPECT_EQ(node[use], 0) << "no time has passed";
  node.start("compute:1s");
  node.read_at(400ms);
  EXPECT_NEAR(node[use], 1, 1e-12);
  EXPECT_NEAR(node[core], 0.9, 1e-12);
  EXPECT_NEAR(node[memory], 0.4, 1e-12);
  node.read_at(400ms);
  EXPECT_NEAR(node[core], 0.9, 1e-12) << "a second read at the same time sees the same";
  node.read_at(2400ms);  // 0.6 s of 2 s
  EXPECT_NEAR(node[use], 0.3, 1e-9);
  EXPECT_NEAR(node[core], 0.27, 1e-9);
  EXPECT_NEAR(node[done], 1000, 1e-6);
  node.read_at(3s);
  EXPECT_EQ(node[use], 0);
}

TEST(BoardProvider, EnergyIsTheIntegralOfPower) {
  Node node(kTiny, 2);
  const int power = node.push("GPU_POWER", 1);
  const int energy = node.push("GPU_ENERGY", 1);
  node.start("memory:1s");
  node.read_at(500ms);
  EXPECT_DOUBLE_EQ(node[power], 150);
  EXPECT_NEAR(node[energy], 75, 1e-9);
  node.read_at(2s);
  EXPECT_DOUBLE_EQ(node[power], 50);
  EXPECT_NEAR(node[energy], 200, 1e-6);
}

TEST(BoardProvider, SetsTheClockOfOneGpu) {
  Node node(kTiny, 2);
  auto* controls = node.provider->controls();
  ASSERT_NE(controls, nullptr);
  const Request max{"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 1};
  const Request min{"GPU_CORE_FREQUENCY_MIN_CONTROL", Domain::gpu, 1};
  const auto limits = controls->limits(max).value();
  EXPECT_EQ(limits.supported, (std::vector<double>{500e6, 1000e6, 2000e6}));
  EXPECT_EQ(controls->push(max).value(), 0);
  EXPECT_EQ(controls->push(min).value(), 1);
  const int clock0 = node.push("GPU_CORE_FREQUENCY_STATUS", 0);
  const int clock1 = node.push("GPU_CORE_FREQUENCY_STATUS", 1);
  const int asked = node.push("GPU_CORE_FREQUENCY_MAX_CONTROL", 1);
  const int floor = node.push("GPU_CORE_FREQUENCY_MIN_CONTROL", 1);
  const std::string before = controls->save(max).value();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ASSERT_TRUE(controls->write_batch(std::vector<double>{1000e6, nan}));
  node.read_at(1s);
  EXPECT_EQ(node[clock0], 2000e6);
  EXPECT_EQ(node[clock1], 1000e6);
  EXPECT_EQ(node[asked], 1000e6);
  EXPECT_EQ(node[floor], 500e6) << "NaN leaves it";
  ASSERT_TRUE(controls->restore(max, before));
  node.read_at(2s);
  EXPECT_EQ(node[clock1], 2000e6);
  for (const char* bad : {"", "x", "nan", "1", "9e9"})
    EXPECT_FALSE(controls->restore(max, bad)) << bad;
}

TEST(BoardProvider, TellsTheRangeAndStep) {
  MachineOptions options = MachineOptions::exact();
  options.clock_step = 250e6;
  Node node(kTiny, 1, options);
  const int low = node.push("GPU_CORE_FREQUENCY_MIN_AVAIL");
  const int high = node.push("GPU_CORE_FREQUENCY_MAX_AVAIL");
  const int step = node.push("GPU_CORE_FREQUENCY_STEP");
  node.read_at(0s);
  EXPECT_EQ(node[low], 500e6);
  EXPECT_EQ(node[high], 2000e6);
  EXPECT_DOUBLE_EQ(node[step], 250e6);
}

TEST(BoardProvider, RefusesWhatItHasNot) {
  Node node("v100", 2);
  EXPECT_FALSE(node.provider->push_signal({"GPU_PWER", Domain::gpu, 0}));
  EXPECT_FALSE(node.provider->push_signal({"GPU_POWER", Domain::gpu, 2}));
  EXPECT_FALSE(node.provider->push_signal({"GPU_POWER", Domain::gpu, -1}));
  EXPECT_FALSE(node.provider->push_signal({"GPU_POWER", Domain::board, 0}));
  EXPECT_FALSE(node.provider->push_signal({"GPU_TEMPERATURE", Domain::gpu, 0}));
  EXPECT_FALSE(node.provider->controls()->push({"GPU_POWER_LIMIT_CONTROL", Domain::gpu, 0}));
  EXPECT_FALSE(
      node.provider->controls()->limits({"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 2}));
  node.provider->read_batch({});
}

}  // namespace
}  // namespace mete
