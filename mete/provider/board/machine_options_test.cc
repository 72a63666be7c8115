// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/machine_options.h"

#include <gtest/gtest.h>

namespace mete {
namespace {

TEST(MachineOptions, ReadsNamesValuesAndUnits) {
  const auto options = parse_machine_options("sensor_lag=500ms, idle_power=30W,clock_step=15MHz");
  ASSERT_TRUE(options) << options.error().what;
  EXPECT_DOUBLE_EQ(options->sensor_lag, 0.5);
  EXPECT_DOUBLE_EQ(options->idle_power.value(), 30);
  EXPECT_DOUBLE_EQ(options->clock_step, 15e6);
  EXPECT_DOUBLE_EQ(options->power_noise, MachineOptions().power_noise);
}

TEST(MachineOptions, ExactIsAllZeroAndMayBeChanged) {
  const auto options = parse_machine_options("exact,switch_latency=0.1");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->sensor_lag, 0);
  EXPECT_EQ(options->sensor_period, 0);
  EXPECT_EQ(options->power_noise, 0);
  EXPECT_EQ(options->quantisation, 0);
  EXPECT_EQ(options->time_variation, 0);
  EXPECT_EQ(options->power_variation, 0);
  EXPECT_DOUBLE_EQ(options->switch_latency, 0.1);
  EXPECT_FALSE(options->idle_power);
}

TEST(MachineOptions, PrintsWhatItReads) {
  const auto options =
      parse_machine_options("sensor_lag=0.3,time_variation=0.01,idle_power=12.5").value();
  const auto again = parse_machine_options(format_machine_options(options)).value();
  EXPECT_EQ(format_machine_options(again), format_machine_options(options));
  EXPECT_DOUBLE_EQ(again.sensor_lag, 0.3);
  EXPECT_DOUBLE_EQ(again.idle_power.value(), 12.5);
}

TEST(MachineOptions, RefusesOthers) {
  const auto error = [](const char* text) {
    const auto options = parse_machine_options(text);
    return options ? std::string("(no error)") : options.error().what;
  };
  EXPECT_NE(error("sensor_lga=1").find("did you mean sensor_lag"), std::string::npos);
  EXPECT_NE(error("xyzzy=1").find("switch_latency"), std::string::npos);
  EXPECT_NE(error("sensor_lag").find("NAME=VALUE"), std::string::npos);
  for (const char* bad : {"sensor_lag=-1", "sensor_lag=nan", "sensor_lag=1e9", "power_noise=2",
                          "idle_power=x", "idle_power=", "clock_step=inf"}) {
    EXPECT_NE(error(bad).find("board option"), std::string::npos) << bad << " → " << error(bad);
  }
}

}  // namespace
}  // namespace mete
