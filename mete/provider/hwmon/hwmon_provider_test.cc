// The hwmon provider on servers and odd chips.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/hwmon/hwmon_provider.h"

#include <map>

#include "tests/fixtures/sys/sensor_sys.h"
#include <gtest/gtest.h>

#include "mete/signal/platform.h"

namespace mete {
namespace {

std::map<std::string, double> values_of(const fake::FakeSys& sys) {
  const VirtualClock clock;
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_hwmon_provider(sys.root(), clock));
  Platform platform(std::move(providers));
  std::map<std::string, double> values;
  for (const auto& info : platform.signals()) {
    values[info.name] = platform.read_signal({info.name, Domain::board, 0}).value_or(-1);
  }
  return values;
}

TEST(Hwmon, GraceMetersAreNamedByTheirMaker) {
  fake::FakeSys sys;
  fake::hwmon_grace(sys);
  EXPECT_EQ(values_of(sys), (std::map<std::string, double>{
                                {"HWMON::POWER_METER#0:MODULE_POWER_SOCKET_0_POWER", 300},
                                {"HWMON::POWER_METER#1:GRACE_POWER_SOCKET_0_POWER", 200},
                                {"HWMON::POWER_METER#2:CPU_POWER_SOCKET_0_POWER", 100}}));
}

TEST(Hwmon, AveragesProductsEnergiesAndTemperatures) {
  fake::FakeSys sys;
  fake::hwmon_mixed(sys);
  const auto values = values_of(sys);
  const std::map<std::string, double> expected{{"HWMON::XE:POWER1_POWER", 70},
                                               {"HWMON::XE:CARD_ENERGY", 5},
                                               {"HWMON::XE:TCTL_C_X_TEMPERATURE", 45.5},
                                               {"HWMON::INA3221:12V_POWER", 18},
                                               {"HWMON::INA3221:12V_CURR2_POWER", 36},
                                               {"HWMON::NVME#0:COMPOSITE_TEMPERATURE", 39},
                                               {"HWMON::NVME#1:COMPOSITE_TEMPERATURE", 41}};
  ASSERT_EQ(values.size(), expected.size());
  for (const auto& [name, value] : expected) {
    ASSERT_EQ(values.count(name), 1U) << name;
    EXPECT_NEAR(values.at(name), value, 1e-9) << name;
  }
}

TEST(Hwmon, ManySensorsAndLongLabelsAreBounded) {
  fake::FakeSys sys;
  const std::string folder = "/sys/class/hwmon/hwmon0/";
  sys.write(folder + "name", std::string(5000, 'n') + "\n");
  sys.write(folder + "temp1_label", std::string(5000, 'x') + "\n");
  for (int i = 1; i <= 300; ++i) sys.write(fmt::format("{}temp{}_input", folder, i), "1000\n");
  const VirtualClock clock;
  const auto provider = make_hwmon_provider(sys.root(), clock);
  EXPECT_EQ(provider->info().signals.size(), 256U);
  for (const auto& info : provider->info().signals) EXPECT_LT(info.name.size(), 160U);
}

}  // namespace
}  // namespace mete
