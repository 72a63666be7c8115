// The nvml provider on a machine that the fake libnvidia-ml plays.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_provider.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "tests/fakes/nvml/fake_machine.h"
#include <gtest/gtest.h>

#include "mete/provider/driver_thread.h"
#include "mete/provider/nvml/nvml_energy.h"
#include "mete/signal/control_guard.h"
#include "mete/signal/device_processes.h"
#include "mete/signal/platform.h"

namespace mete {
namespace {

using fake::FakeNvml;
using namespace std::chrono_literals;

NvmlOptions options_for(const std::string& library) {
  return {.library = library, .start_patience = 5s, .patience = 300ms, .wait = 300ms};
}

class Nvml : public ::testing::Test {
 protected:
  void SetUp() override { fake_.script("gpus=2;time=manual"); }
  void TearDown() override { fake_.release(); }

  Platform platform(NvmlOptions options = options_for(METE_FAKE_NVML)) {
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_nvml_provider(std::move(options)));
    return Platform(std::move(providers));
  }
  double read(const char* name, int gpu) {
    return platform().read_signal({name, Domain::gpu, gpu}).value_or(-1);
  }
  FakeNvml fake_{METE_FAKE_NVML};
};

TEST_F(Nvml, TellsEachGpuInSiUnits) {
  fake_.script("power=1,212.5;clock=1,1200;utilization=1,37;memory=1,3;temperature=1,61");
  EXPECT_DOUBLE_EQ(read("GPU_POWER", 0), 100);
  EXPECT_DOUBLE_EQ(read("GPU_POWER", 1), 212.5);
  EXPECT_DOUBLE_EQ(read("GPU_POWER_INSTANT", 1), 212.5);
  EXPECT_DOUBLE_EQ(read("GPU_CORE_FREQUENCY_STATUS", 1), 1.2e9);
  EXPECT_DOUBLE_EQ(read("GPU_UNCORE_FREQUENCY_STATUS", 1), 1.215e9);
  EXPECT_DOUBLE_EQ(read("GPU_UTILIZATION", 1), 0.37);
  EXPECT_DOUBLE_EQ(read("GPU_MEMORY_USED", 1), 3.0 * 1024 * 1024);
  EXPECT_DOUBLE_EQ(read("GPU_MEMORY_TOTAL", 1), 40.0 * 1024 * 1024 * 1024);
  EXPECT_DOUBLE_EQ(read("GPU_TEMPERATURE", 1), 61);
  EXPECT_DOUBLE_EQ(read("GPU_ENERGY", 1), 1000);
  EXPECT_DOUBLE_EQ(read("GPU_CORE_FREQUENCY_MIN_AVAIL", 0), 210e6);
  EXPECT_DOUBLE_EQ(read("GPU_CORE_FREQUENCY_MAX_AVAIL", 0), 1410e6);
  EXPECT_DOUBLE_EQ(read("GPU_CORE_FREQUENCY_STEP", 0), 15e6);
  EXPECT_DOUBLE_EQ(read("NVML::POWER", 0), 100) << "an old name";
  auto both = platform();
  EXPECT_DOUBLE_EQ(both.read_signal({"GPU_POWER", Domain::board, 0}).value_or(-1), 312.5);
}

TEST_F(Nvml, OpensNothingBeforeItIsAsked) {
  const unsigned long before = fake_.calls("nvmlInit_v2");
  auto one = platform();
  EXPECT_EQ(fake_.calls("nvmlInit_v2"), before);
  EXPECT_EQ(one.topology().count(Domain::board), 1);
  EXPECT_EQ(fake_.calls("nvmlInit_v2"), before);
  EXPECT_EQ(one.topology().count(Domain::gpu), 2);
  EXPECT_EQ(fake_.calls("nvmlInit_v2"), before + 1);
}

TEST_F(Nvml, IntegratesTheDriversSamplesAndAgreesWithTheCounter) {
  auto one = platform();
  const int counter = one.push_signal({"GPU_ENERGY", Domain::gpu, 0}).value();
  fake_.advance(20ms);
  const int integral = one.push_signal({"GPU_ENERGY_INTEGRATED", Domain::gpu, 0}).value();
  const int check = one.push_signal({"GPU_ENERGY_CHECK", Domain::gpu, 0}).value();
  one.read_batch();
  EXPECT_EQ(one.value(check), 0) << "too early";
  const double from = one.value(counter);
  // 100 W for 4 s, then 300 W for 4 s, read every second.
  for (int i = 0; i < 8; ++i) {
    if (i == 4) fake_.script("power=0,300");
    fake_.advance(1s);
    one.read_batch();
  }
  EXPECT_NEAR(one.value(counter) - from, 1600, 1e-6);
  // The step falls between two samples of 20 ms: the trapezoid may miss half of it.
  EXPECT_NEAR(one.value(integral), 1600, 0.02 * 200 / 2 + 1e-6);
  EXPECT_EQ(one.value(check), 1);
}

TEST_F(Nvml, FlagsACounterThatDisagrees) {
  fake_.script("counter=1,1.5");
  auto one = platform();
  fake_.advance(20ms);
  const int good = one.push_signal({"GPU_ENERGY_CHECK", Domain::gpu, 0}).value();
  const int bad = one.push_signal({"GPU_ENERGY_CHECK", Domain::gpu, 1}).value();
  for (int i = 0; i < 20; ++i) {
    fake_.advance(1s);
    one.read_batch();
  }
  EXPECT_EQ(one.value(good), 1);
  EXPECT_EQ(one.value(bad), 2);
}

TEST(EnergyCheckRule, StartsAgainAfterAGapOrAStepBack) {
  SampleIntegral integral;
  EnergyCheck check;
  for (int t = 0; t <= 10; ++t) integral.add(t, 100);
  EXPECT_EQ(check.look(10, 5000, integral), EnergyVerdict::too_early) << "begins here";
  for (int t = 11; t <= 20; ++t) integral.add(t, 100);
  EXPECT_EQ(check.look(20, 6000, integral), EnergyVerdict::agree);
  EXPECT_EQ(check.look(20, 5500, integral), EnergyVerdict::too_early) << "the driver was reloaded";
  integral.add(60, 100);
  EXPECT_EQ(integral.gaps(), 1);
  EXPECT_EQ(check.look(60, 5600, integral), EnergyVerdict::too_early) << "nobody looked for 40 s";
  integral.add(60, 1e9);
  integral.add(59, 1e9);
  integral.add(61, std::nan(""));
  EXPECT_DOUBLE_EQ(integral.joules(), 6000) << "times that stand still and nonsense add nothing";
}

TEST_F(Nvml, ALostGpuFaultsItsOwnSignalsOnly) {
  auto one = platform();
  const int alive = one.push_signal({"GPU_POWER", Domain::gpu, 0}).value();
  const int lost = one.push_signal({"GPU_POWER", Domain::gpu, 1}).value();
  const int sum = one.push_signal({"GPU_POWER", Domain::board, 0}).value();
  one.read_batch();
  EXPECT_TRUE(one.sample(lost).ok());
  fake_.script("lose=1");
  one.read_batch();
  EXPECT_DOUBLE_EQ(one.value(alive), 100);
  EXPECT_EQ(one.sample(lost).fault, Errc::gone);
  EXPECT_EQ(one.sample(sum).fault, Errc::gone) << "a sum with a part missing is not the sum";
  const auto refused = one.push_signal({"GPU_ENERGY", Domain::gpu, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().what,
            "GPU_ENERGY: gpu 1 (Fake GPU 1): the NVIDIA driver says: GPU is lost");
}

TEST_F(Nvml, AGpuLostFromTheStartLeavesTheOther) {
  fake_.script("lose=0");
  EXPECT_DOUBLE_EQ(read("GPU_POWER", 1), 150);
  EXPECT_EQ(platform().push_signal({"GPU_POWER", Domain::gpu, 0}).error().code, Errc::gone);
}

TEST_F(Nvml, OneFailedCallIsOneFault) {
  auto one = platform();
  const int power = one.push_signal({"GPU_POWER", Domain::gpu, 0}).value();
  one.read_batch();
  fake_.script(fmt::format("fail_once=nvmlDeviceGetPowerUsage,*,{},999",
                           fake_.calls("nvmlDeviceGetPowerUsage") + 1));
  one.read_batch();
  EXPECT_EQ(one.sample(power).fault, Errc::failed);
  one.read_batch();
  EXPECT_DOUBLE_EQ(one.value(power), 100);
  EXPECT_EQ(one.faults(power), 1U);
}

TEST_F(Nvml, ADriverThatHangsIsWaitedForOnceAndMarked) {
  auto one = platform();
  const int power = one.push_signal({"GPU_POWER", Domain::gpu, 0}).value();
  const int total = one.push_signal({"GPU_MEMORY_TOTAL", Domain::gpu, 0}).value();
  one.read_batch();
  EXPECT_TRUE(one.sample(power).ok());
  fake_.script("hang=nvmlDeviceGetPowerUsage,*,1");
  const auto begin = std::chrono::steady_clock::now();
  one.read_batch();  // waits its patience out, then takes what was read last
  EXPECT_DOUBLE_EQ(one.value(power), 100) << "the last value is not old yet";
  while (one.sample(power).ok() && std::chrono::steady_clock::now() - begin < 10s) {
    std::this_thread::sleep_for(10ms);
    one.read_batch();
  }
  EXPECT_EQ(one.sample(power).fault, Errc::unavailable);
  EXPECT_TRUE(one.sample(total).ok()) << "what does not change does not grow old";
  // Whatever else is asked comes back, with words.
  const auto refused = one.push_signal({"GPU_ENERGY", Domain::gpu, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_NE(refused.error().what.find("does not answer"), std::string::npos);
  // And when the driver comes back, so do the values.
  fake_.script("gpus=2");
  fake_.release();
  const auto back = std::chrono::steady_clock::now();
  while (!one.sample(power).ok() && std::chrono::steady_clock::now() - back < 10s) {
    std::this_thread::sleep_for(10ms);
    one.read_batch();
  }
  EXPECT_DOUBLE_EQ(one.value(power), 100);
}

TEST_F(Nvml, ADriverThatHangsAtTheStartIsAbsent) {
  fake_.script("hang=nvmlInit_v2,*,1");
  auto options = options_for(METE_FAKE_NVML);
  options.start_patience = 50ms;
  const auto provider = make_nvml_provider(options);
  EXPECT_FALSE(provider->info().available);
  ASSERT_EQ(provider->info().absences.size(), 1U);
  EXPECT_NE(provider->info().absences[0].why.find("did not start"), std::string::npos);
}

TEST_F(Nvml, ASlowStartIsTold) {
  fake_.script("hang=nvmlInit_v2,*,1");
  auto options = options_for(METE_FAKE_NVML);
  options.start_patience = DriverThread::kSlow + 50ms;
  std::vector<std::string> told;
  options.notice = [&](std::string_view line) { told.emplace_back(line); };
  const auto provider = make_nvml_provider(options);
  EXPECT_FALSE(provider->info().available);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_NE(told[0].find("NVIDIA driver"), std::string::npos);
}

TEST_F(Nvml, AtItsOwnPaceItReadsWithoutBeingAsked) {
  auto options = options_for(METE_FAKE_NVML);
  options.wait = 0ms;
  auto one = platform(options);
  const int power = one.push_signal({"GPU_POWER", Domain::gpu, 0}).value();
  fake_.script("power=0,123");
  const auto begin = std::chrono::steady_clock::now();
  while (one.value(power) != 123 && std::chrono::steady_clock::now() - begin < 10s) {
    std::this_thread::sleep_for(5ms);
    one.read_batch();
  }
  EXPECT_DOUBLE_EQ(one.value(power), 123);
  // A thousand batches cost the driver no more than the time they take.
  const unsigned long before = fake_.calls("nvmlDeviceGetPowerUsage");
  const auto from = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) one.read_batch();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  EXPECT_LE(static_cast<double>(fake_.calls("nvmlDeviceGetPowerUsage") - before),
            2 + seconds / 0.02);
}

TEST_F(Nvml, UnderMigThereIsBoardPowerAndNoUtilisation) {
  fake_.script("mig=0;mig=1");
  auto provider = make_nvml_provider(options_for(METE_FAKE_NVML));
  bool told = false;
  for (const auto& absence : provider->info().absences)
    told =
        told || (absence.what == "GPU_UTILIZATION" && absence.why.find("MIG") != std::string::npos);
  EXPECT_TRUE(told);
  EXPECT_TRUE(provider->push_signal({"GPU_POWER", Domain::gpu, 0}).has_value());
  EXPECT_FALSE(provider->push_signal({"GPU_UTILIZATION", Domain::gpu, 0}).has_value());
  std::vector<DeviceProcess> processes;
  fake_.script("process=0,4711,100,80");
  provider->device_processes()->read(processes);
  ASSERT_EQ(processes.size(), 1U);
  EXPECT_TRUE(std::isnan(processes[0].busy_share)) << "NVML does not tell it";
  EXPECT_DOUBLE_EQ(processes[0].memory_bytes, 100.0 * 1024 * 1024);
}

TEST_F(Nvml, OneDividedGpuSaysSoOfItself) {
  fake_.script("mig=1");
  auto one = platform();
  EXPECT_TRUE(one.push_signal({"GPU_UTILIZATION", Domain::gpu, 0}).has_value());
  const auto refused = one.push_signal({"GPU_UTILIZATION", Domain::gpu, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().what.find("MIG"), std::string::npos) << refused.error().what;
}

TEST_F(Nvml, TellsWhoUsesEachGpu) {
  fake_.script("process=0,100,512,60;process=0,200,256,0;process=1,100,1024,90");
  auto provider = make_nvml_provider(options_for(METE_FAKE_NVML));
  fake_.advance(1s);
  std::vector<DeviceProcess> processes;
  DeviceProcesses& who = *provider->device_processes();
  who.read(processes);
  EXPECT_TRUE(who.complete());
  ASSERT_EQ(processes.size(), 3U);
  const auto expect = [&](std::size_t i, int device, int pid, double mib, double share) {
    EXPECT_EQ(processes[i].device, device);
    EXPECT_EQ(processes[i].pid, pid);
    EXPECT_DOUBLE_EQ(processes[i].memory_bytes, mib * 1024 * 1024);
    EXPECT_DOUBLE_EQ(processes[i].busy_share, share);
  };
  expect(0, 0, 100, 512, 0.6);
  expect(1, 0, 200, 256, 0);
  expect(2, 1, 100, 1024, 0.9);
  who.read(processes);
  EXPECT_DOUBLE_EQ(processes[0].busy_share, 0) << "nothing new since: nobody computed";
  fake_.script("lose=1");
  who.read(processes);
  EXPECT_EQ(processes.size(), 2U);
  EXPECT_FALSE(who.complete());
}

TEST_F(Nvml, ManyProcessesFit) {
  std::string script;
  for (int i = 1; i <= 5000; ++i) script += fmt::format("process=0,{},1,1;", i);
  fake_.script(script);
  fake_.advance(1s);
  auto options = options_for(METE_FAKE_NVML);
  options.wait = 10s;  // a sanitizer's build needs more than a breath for so many
  auto provider = make_nvml_provider(options);
  std::vector<DeviceProcess> processes;
  provider->device_processes()->read(processes);
  EXPECT_EQ(processes.size(), 5000U);
  EXPECT_TRUE(provider->device_processes()->complete());
}

TEST_F(Nvml, LocksClocksAndGivesThemBack) {
  auto one = platform();
  const Request max{"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 0};
  const Request limit{"GPU_POWER_LIMIT_CONTROL", Domain::gpu, 0};
  {
    ControlGuard guard(one, "");
    ASSERT_TRUE(guard.borrow(max).has_value());
    ASSERT_TRUE(guard.borrow(limit).has_value());
    ASSERT_TRUE(one.write_control(max, 1.2e9).has_value());
    ASSERT_TRUE(one.write_control(limit, 250).has_value());
    EXPECT_EQ(fake_.locked(0), (std::pair<unsigned, unsigned>{210, 1200}));
    EXPECT_EQ(fake_.locked(1), std::nullopt);
    EXPECT_EQ(fake_.limit(0), 250000U);
    EXPECT_FALSE(one.write_control(max, 1.207e9).has_value()) << "not a clock of this GPU";
    EXPECT_FALSE(one.write_control(limit, 5000).has_value());
  }
  EXPECT_EQ(fake_.locked(0), std::nullopt);
  EXPECT_EQ(fake_.limit(0), 300000U);
}

TEST_F(Nvml, BothEndsGoInOneCallAndPushEachOther) {
  auto provider = make_nvml_provider(options_for(METE_FAKE_NVML));
  Controls& controls = *provider->controls();
  ASSERT_EQ(controls.push({"GPU_CORE_FREQUENCY_MIN_CONTROL", Domain::gpu, 1}).value_or(-1), 0);
  ASSERT_EQ(controls.push({"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 1}).value_or(-1), 1);
  const auto write = [&](double min, double max) {
    return controls.write_batch(std::vector<double>{min, max}).has_value();
  };
  const double leave = std::nan("");
  EXPECT_TRUE(write(600e6, 900e6));
  EXPECT_EQ(fake_.locked(1), (std::pair<unsigned, unsigned>{600, 900}));
  EXPECT_TRUE(write(leave, 450e6));
  EXPECT_EQ(fake_.locked(1), (std::pair<unsigned, unsigned>{450, 450}));
  EXPECT_TRUE(write(1200e6, leave));
  EXPECT_EQ(fake_.locked(1), (std::pair<unsigned, unsigned>{1200, 1200}));
  EXPECT_FALSE(write(900e6, 600e6));
}

TEST_F(Nvml, WithoutRootTheNextStepIsSaidAndNothingIsLeft) {
  fake_.script("root=0");
  auto one = platform();
  const Request max{"GPU_CORE_FREQUENCY_MAX_CONTROL", Domain::gpu, 0};
  ControlGuard guard(one, "");
  ASSERT_TRUE(guard.borrow(max).has_value());
  const auto refused = one.write_control(max, 1.2e9);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_NE(refused.error().what.find("sudo"), std::string::npos) << refused.error().what;
  EXPECT_TRUE(guard.restore().has_value()) << "nothing was changed, so nothing is to give back";
}

TEST(NvmlOld, AnOldDriverHasLess) {
  FakeNvml fake(METE_FAKE_NVML_OLD);
  fake.script("gpus=1;time=manual;process=0,7,64,50");
  auto provider = make_nvml_provider(options_for(METE_FAKE_NVML_OLD));
  EXPECT_TRUE(provider->push_signal({"GPU_POWER", Domain::gpu, 0}).has_value());
  const auto lacks = [&](const std::string& name) {
    for (const auto& absence : provider->info().absences)
      if (absence.what.find(name) != std::string::npos) return true;
    return false;
  };
  for (const char* name :
       {"GPU_ENERGY", "GPU_ENERGY_CHECK", "GPU_POWER_INSTANT", "GPU_CORE_FREQUENCY_MAX_CONTROL"})
    EXPECT_TRUE(lacks(name)) << name;
  // Without the driver's samples, energy is integrated from power as we read it.
  EXPECT_TRUE(provider->push_signal({"GPU_ENERGY_INTEGRATED", Domain::gpu, 0}).has_value());
  std::vector<DeviceProcess> processes;
  provider->device_processes()->read(processes);
  ASSERT_EQ(processes.size(), 1U);
  EXPECT_EQ(processes[0].pid, 7);
  EXPECT_DOUBLE_EQ(processes[0].memory_bytes, 64.0 * 1024 * 1024);
  EXPECT_TRUE(std::isnan(processes[0].busy_share));
}

TEST(NvmlAbsent, SaysWhy) {
  const auto none = make_nvml_provider(options_for("/nowhere/libnvidia-ml.so.1"));
  EXPECT_FALSE(none->info().available);
  EXPECT_NE(none->info().absences.at(0).why.find("/nowhere"), std::string::npos);
  const auto other = make_nvml_provider(options_for("libz.so.1"));
  EXPECT_FALSE(other->info().available);
  EXPECT_NE(other->info().absences.at(0).why.find("is it libnvidia-ml?"), std::string::npos);
  FakeNvml fake(METE_FAKE_NVML);
  fake.script("gpus=0");
  const auto empty = make_nvml_provider(options_for(METE_FAKE_NVML));
  EXPECT_EQ(empty->info().absences.at(0).why, "the NVIDIA driver is there, but shows no GPU");
  fake.script("gpus=1;unplug");
  const auto unplugged = make_nvml_provider(options_for(METE_FAKE_NVML));
  EXPECT_EQ(unplugged->info().absences.at(0).why, "the NVIDIA driver says: Driver Not Loaded");
}

TEST(NvmlCalls, WhicheverCallFailsNothingBreaks) {
  // Every function, failing from its first, second or third call on with each of three answers.
  const char* functions[] = {"nvmlInit_v2",
                             "nvmlDeviceGetCount_v2",
                             "nvmlDeviceGetHandleByIndex_v2",
                             "nvmlDeviceGetName",
                             "nvmlDeviceGetPowerUsage",
                             "nvmlDeviceGetClockInfo",
                             "nvmlDeviceGetUtilizationRates",
                             "nvmlDeviceGetMemoryInfo",
                             "nvmlDeviceGetMemoryInfo_v2",
                             "nvmlDeviceGetTemperature",
                             "nvmlDeviceGetSupportedMemoryClocks",
                             "nvmlDeviceGetSupportedGraphicsClocks",
                             "nvmlDeviceGetPowerManagementLimit",
                             "nvmlDeviceGetPowerManagementLimitConstraints",
                             "nvmlDeviceGetArchitecture",
                             "nvmlDeviceGetMigMode",
                             "nvmlDeviceGetTotalEnergyConsumption",
                             "nvmlDeviceGetFieldValues",
                             "nvmlDeviceGetSamples",
                             "nvmlDeviceGetCurrentClocksEventReasons",
                             "nvmlDeviceGetComputeRunningProcesses_v2",
                             "nvmlDeviceGetProcessUtilization"};
  FakeNvml fake(METE_FAKE_NVML);
  for (const char* function : functions) {
    for (const int from : {1, 2, 3}) {
      for (const int code : {3, 15, 999}) {
        SCOPED_TRACE(fmt::format("{} from call {} on: {}", function, from, code));
        fake.script("gpus=2;time=manual;process=0,9,1,1");
        fake.script(fmt::format("fail={},*,{},{}", function, from, code));
        auto provider = make_nvml_provider(options_for(METE_FAKE_NVML));
        std::vector<Reading> out;
        for (const auto& info : provider->info().signals) {
          if (const auto handle = provider->push_signal({info.name, Domain::gpu, 1}))
            out.emplace_back();
          else
            EXPECT_FALSE(handle.error().what.empty());
        }
        fake.advance(40ms);
        provider->read_batch(out);
        for (const Reading& reading : out) {
          if (reading.ok()) {
            EXPECT_TRUE(std::isfinite(reading.value));
          }
        }
        std::vector<DeviceProcess> processes;
        if (auto* who = provider->device_processes()) who->read(processes);
        EXPECT_LE(processes.size(), 1U);
        if (!provider->info().available) {
          EXPECT_FALSE(provider->info().absences.empty());
        }
      }
    }
  }
}

}  // namespace
}  // namespace mete
