// The jetson provider on every board of its table.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/jetson/jetson_provider.h"

#include <map>

#include "tests/fixtures/sys/sensor_sys.h"
#include <gtest/gtest.h>

#include "mete/signal/platform.h"

namespace mete {
namespace {

using fake::FakeSys;
using Expected = std::map<std::string, double>;

struct Bench {
  explicit Bench(void (*fill)(FakeSys&)) { fill(sys); }
  Platform platform() {
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_jetson_provider(sys.root(), clock));
    return Platform(std::move(providers));
  }
  FakeSys sys;
  VirtualClock clock;
};

void expect_values(void (*fill)(FakeSys&), const Expected& expected) {
  Bench bench(fill);
  Platform platform = bench.platform();
  for (const char* name : {"BOARD_POWER", "GPU_POWER", "CPU_POWER", "DRAM_POWER", "GPU_UTILIZATION",
                           "GPU_CORE_FREQUENCY_STATUS"}) {
    const auto wanted = expected.find(name);
    EXPECT_EQ(platform.has_signal(name), wanted != expected.end()) << name;
    if (wanted == expected.end()) continue;
    const auto value = platform.read_signal({name, Domain::board, 0});
    ASSERT_TRUE(value.has_value()) << value.error().what;
    EXPECT_NEAR(*value, wanted->second, 1e-9) << name;
  }
}

TEST(Jetson, EveryBoardHasItsOwnTotal) {
  expect_values(fake::jetson_nano, {{"BOARD_POWER", 2.0},
                                    {"GPU_POWER", 0.2},
                                    {"CPU_POWER", 0.5},
                                    {"GPU_UTILIZATION", 0.437},
                                    {"GPU_CORE_FREQUENCY_STATUS", 76.8e6}});
  expect_values(fake::jetson_nano_2gb,
                {{"GPU_UTILIZATION", 0.437}, {"GPU_CORE_FREQUENCY_STATUS", 76.8e6}});
  expect_values(fake::jetson_tx2, {{"BOARD_POWER", 5.7},
                                   {"GPU_POWER", 1.9},
                                   {"CPU_POWER", 1.14},
                                   {"DRAM_POWER", 0.76},
                                   {"GPU_UTILIZATION", 0.437},
                                   {"GPU_CORE_FREQUENCY_STATUS", 114.75e6}});
  expect_values(fake::jetson_agx_xavier, {{"BOARD_POWER", 19 * 0.25},
                                          {"GPU_POWER", 1.9},
                                          {"CPU_POWER", 0.95},
                                          {"DRAM_POWER", 0.19},
                                          {"GPU_UTILIZATION", 0.437},
                                          {"GPU_CORE_FREQUENCY_STATUS", 114.75e6}});
  expect_values(
      fake::jetson_xavier_nx,
      {{"BOARD_POWER", 5.0}, {"GPU_UTILIZATION", 0.437}, {"GPU_CORE_FREQUENCY_STATUS", 114.75e6}});
  // 19 V x 0.25 A + 5 V x 0.9 A: VDDQ_VDD2_1V8AO is within VIN_SYS_5V0.
  expect_values(
      fake::jetson_agx_orin,
      {{"BOARD_POWER", 9.25}, {"GPU_UTILIZATION", 0.437}, {"GPU_CORE_FREQUENCY_STATUS", 306e6}});
  expect_values(
      fake::jetson_orin_nano,
      {{"BOARD_POWER", 6.0}, {"GPU_UTILIZATION", 0.437}, {"GPU_CORE_FREQUENCY_STATUS", 306e6}});
}

TEST(Jetson, RailsAreOfferedAndUnconnectedOnesAreNot) {
  Bench bench(fake::jetson_agx_orin);
  Platform platform = bench.platform();
  const auto value = platform.read_signal({"JETSON::VDDQ_VDD2_1V8AO_POWER", Domain::board, 0});
  ASSERT_TRUE(value.has_value()) << value.error().what;
  EXPECT_NEAR(*value, 1.5, 1e-9);
  for (const auto& info : platform.signals()) {
    EXPECT_EQ(info.name.find("NC_"), std::string::npos) << info.name;
    EXPECT_EQ(info.name.find("SHUNT"), std::string::npos) << info.name;
  }
}

TEST(Jetson, AMissingRailMakesNoSmallerTotal) {
  Bench bench(fake::jetson_agx_orin);
  const std::string folder = "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/";
  bench.sys.write(folder + "in2_enable", "0\n");
  Platform platform = bench.platform();
  EXPECT_FALSE(platform.has_signal("BOARD_POWER"));
  const auto absent = platform.providers().front()->absences;
  ASSERT_FALSE(absent.empty());
  EXPECT_NE(absent.front().why.find("VDD_CPU_CV"), std::string::npos) << absent.front().why;
}

TEST(Jetson, EnergyIsTheTrapezoidAndGapsAreUnknown) {
  Bench bench(fake::jetson_orin_nano);
  Platform platform = bench.platform();
  const int energy = platform.push_signal({"BOARD_ENERGY", Domain::board, 0}).value_or(-1);
  ASSERT_EQ(energy, 0);
  const std::string amperes = "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr1_input";
  const auto read_after = [&](double seconds) {
    bench.clock.advance_to(bench.clock.now() + from_seconds(seconds));
    platform.read_batch();
    return platform.sample(energy);
  };
  EXPECT_NEAR(read_after(1).value, 6, 1e-9);
  bench.sys.write(amperes, "2400\n");
  EXPECT_NEAR(read_after(1).value, 15, 1e-9) << "6 W to 12 W over a second: 9 J";
  bench.sys.write(amperes, "?\n");
  EXPECT_FALSE(read_after(1).ok());
  bench.sys.write(amperes, "2400\n");
  EXPECT_NEAR(read_after(1).value, 39, 1e-9) << "a short fault is bridged";
  EXPECT_FALSE(read_after(60).ok()) << "a long pause is unknown";
  EXPECT_NEAR(read_after(1).value, 12, 1e-9) << "and the integral begins again";
}

TEST(Jetson, TheGpuClockIsBorrowedAndGivenBack) {
  Bench bench(fake::jetson_agx_xavier);
  const std::string folder = "/sys/class/devfreq/17000000.gv11b/";
  Platform platform = bench.platform();
  const Request max{"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 0};
  const Request min{"GPU_CORE_FREQUENCY_MIN_CONTROL", Domain::gpu, 0};
  const auto saved = platform.save(max);
  ASSERT_TRUE(saved.has_value());
  EXPECT_TRUE(platform.write_control(min, 905.25e6).has_value());
  EXPECT_EQ(bench.sys.read(folder + "min_freq"), "905250000");
  EXPECT_TRUE(platform.write_control(max, 114.75e6).has_value());
  EXPECT_EQ(bench.sys.read(folder + "max_freq"), "114750000");
  EXPECT_EQ(bench.sys.read(folder + "min_freq"), "114750000") << "taken down with it";
  EXPECT_FALSE(platform.write_control(max, 1e9).has_value()) << "no such clock";
  EXPECT_TRUE(platform.restore(saved->front()).has_value());
  EXPECT_EQ(bench.sys.read(folder + "max_freq"), "1377000000");
}

TEST(Jetson, NonsenseIsNoSensor) {
  Bench bench(fake::jetson_agx_xavier);
  const std::string load = "/sys/class/devfreq/17000000.gv11b/device/load";
  Platform platform = bench.platform();
  const int handle = platform.push_signal({"GPU_UTILIZATION", Domain::gpu, 0}).value_or(-1);
  ASSERT_EQ(handle, 0);
  for (const char* text : {"1001\n", "-1\n", "x\n", ""}) {
    bench.sys.write(load, text);
    platform.read_batch();
    EXPECT_FALSE(platform.sample(handle).ok()) << text;
  }
  FakeSys other;
  fake::device_tree(other, "raspberrypi,4-model-b", "Jetson Nano sticker on a Pi");
  EXPECT_FALSE(make_jetson_provider(other.root(), bench.clock)->info().available);
}

}  // namespace
}  // namespace mete
