// The nvml and dcgm providers on real GPUs, reading only: nothing here sets anything. Skipped, with
// the provider's own reason, where there are none.
//
//   build/release/bin/mete_hardware_test        prints what it saw; 20 s
// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "mete/base/clock.h"
#include "mete/base/stats.h"
#include "mete/provider/dcgm/dcgm_provider.h"
#include "mete/provider/nvml/nvml_provider.h"
#include "mete/signal/device_processes.h"
#include "mete/signal/platform.h"

namespace mete {
namespace {

using namespace std::chrono_literals;

std::string why_absent(const ProviderInfo& info) {
  return info.absences.empty() ? "absent" : info.absences[0].why;
}

/// Made anew for each test, as a process would.
class NvidiaHardware : public ::testing::Test {
 protected:
  void SetUp() override {
    auto provider = make_nvml_provider({});
    if (!provider->info().available) GTEST_SKIP() << why_absent(provider->info());
    info_ = provider->info();
    provider_ = provider.get();
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(std::move(provider));
    platform_ = std::make_unique<Platform>(std::move(providers));
  }
  [[nodiscard]] int gpus() const { return platform_->topology().count(Domain::gpu); }
  /// NaN if this GPU has no such signal.
  double read(const char* name, int gpu) {
    const auto value = platform_->read_signal({name, Domain::gpu, gpu});
    return value ? *value : std::nan("");
  }
  void wait(Nanoseconds time) { clock_.sleep_until(clock_.now() + time); }

  SteadyClock clock_;
  ProviderInfo info_;
  Provider* provider_ = nullptr;
  std::unique_ptr<Platform> platform_;
};

TEST_F(NvidiaHardware, ValuesArePossible) {
  for (int g = 0; g < gpus(); ++g) {
    for (const auto& signal : info_.signals) {
      fmt::print("gpu {} {:32} {}\n", g, signal.name, read(signal.name.c_str(), g));
    }
    const auto within = [&](const char* name, double low, double high) {
      const double value = read(name, g);
      if (std::isnan(value)) return;
      EXPECT_GE(value, low) << name;
      EXPECT_LE(value, high) << name;
    };
    within("GPU_POWER", 1, 3000);
    within("GPU_POWER_INSTANT", 1, 3000);
    within("GPU_TEMPERATURE", 1, 120);
    within("GPU_UTILIZATION", 0, 1);
    within("GPU_CORE_FREQUENCY_STATUS", 1e6, 5e9);
    within("GPU_MEMORY_USED", 0, read("GPU_MEMORY_TOTAL", g));
    within("GPU_MEMORY_TOTAL", 1e8, 2e12);
  }
}

TEST_F(NvidiaHardware, CounterAndIntegralAndPowerTellOfTheSameEnergy) {
  std::vector<int> counters;
  std::vector<int> integrals;
  std::vector<int> checks;
  std::vector<int> powers;
  for (int g = 0; g < gpus(); ++g) {
    const auto push = [&](const char* name) {
      return platform_->push_signal({name, Domain::gpu, g}).value_or(-1);
    };
    counters.push_back(push("GPU_ENERGY"));
    integrals.push_back(push("GPU_ENERGY_INTEGRATED"));
    checks.push_back(push("GPU_ENERGY_CHECK"));
    powers.push_back(push("GPU_POWER"));
  }
  platform_->read_batch();
  std::vector<double> from;
  for (const int handle : counters) from.push_back(handle < 0 ? 0 : platform_->value(handle));
  std::vector<double> integral_from;
  for (const int handle : integrals)
    integral_from.push_back(handle < 0 ? 0 : platform_->value(handle));
  std::vector<double> sums(powers.size());
  constexpr int kSteps = 100;
  for (int i = 0; i < kSteps; ++i) {
    wait(100ms);
    platform_->read_batch();
    for (std::size_t g = 0; g < powers.size(); ++g)
      sums[g] += powers[g] < 0 ? 0 : platform_->value(powers[g]) * 0.1;
  }
  for (std::size_t g = 0; g < counters.size(); ++g) {
    if (counters[g] < 0 || integrals[g] < 0 || powers[g] < 0) continue;
    const double counted = platform_->value(counters[g]) - from[g];
    const double integrated = platform_->value(integrals[g]) - integral_from[g];
    fmt::print(
        "gpu {}: 10 s: counter {:.1f} J, samples {:.1f} J, power x time {:.1f} J, check {}\n", g,
        counted, integrated, sums[g], checks[g] < 0 ? -1 : platform_->value(checks[g]));
    EXPECT_GT(counted, 0);
    // What is between them is for the eye: sensors differ. A factor of two is a defect of ours.
    EXPECT_NEAR(integrated / sums[g], 1, 0.5);
  }
}

TEST_F(NvidiaHardware, LimitsHoldWhatTheGpuIsSetTo) {
  Controls* controls = provider_->controls();
  if (controls == nullptr) GTEST_SKIP() << "no controls";
  for (const auto& control : info_.controls) {
    const auto limits = controls->limits({control.name, control.domain, 0});
    ASSERT_TRUE(limits.has_value()) << limits.error().what;
    fmt::print("{}: {} to {} {}, {} settings\n", control.name, limits->min, limits->max,
               control.unit, limits->supported.size());
    EXPECT_LT(limits->min, limits->max);
  }
  const double limit = read("GPU_POWER_LIMIT_CONTROL", 0);
  const auto range = controls->limits({"GPU_POWER_LIMIT_CONTROL", Domain::gpu, 0});
  if (!std::isnan(limit) && range) {
    EXPECT_GE(limit, range->min);
    EXPECT_LE(limit, range->max);
  }
}

TEST_F(NvidiaHardware, ReadingIsCheapForTheSampler) {
  for (const auto& signal : info_.signals) {
    [[maybe_unused]] const auto handle = platform_->push_signal({signal.name, Domain::gpu, 0});
  }
  LatencyHistogram batches;
  for (int i = 0; i < 2000; ++i) {
    const auto before = clock_.now();
    platform_->read_batch();
    batches.add(to_seconds(clock_.now() - before));
    wait(1ms);
  }
  fmt::print("read_batch: median {:.1f} us, 99 % {:.1f} us, worst {:.1f} us\n",
             batches.quantile(0.5) * 1e6, batches.quantile(0.99) * 1e6, batches.worst() * 1e6);
}

TEST_F(NvidiaHardware, ProcessesAreTold) {
  DeviceProcesses* who = provider_->device_processes();
  ASSERT_NE(who, nullptr);
  std::vector<DeviceProcess> processes;
  who->read(processes);
  wait(2s);
  who->read(processes);
  for (const auto& p : processes)
    fmt::print("gpu {} pid {}: {} of the time, {} bytes\n", p.device, p.pid, p.busy_share,
               p.memory_bytes);
}

TEST(DcgmHardware, ValuesArePossible) {
  auto provider = make_dcgm_provider({});
  if (!provider->info().available) GTEST_SKIP() << why_absent(provider->info());
  const auto signals = provider->info().signals;
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(std::move(provider));
  Platform platform(std::move(providers));
  std::vector<int> handles;
  for (const auto& signal : signals)
    handles.push_back(platform.push_signal({signal.name, Domain::gpu, 0}).value_or(-1));
  SteadyClock clock;
  for (int i = 0; i < 30; ++i) {
    clock.sleep_until(clock.now() + 100ms);
    platform.read_batch();
  }
  for (std::size_t i = 0; i < handles.size(); ++i) {
    if (handles[i] < 0) continue;
    fmt::print("{} {}\n", signals[i].name, platform.value(handles[i]));
    EXPECT_TRUE(platform.sample(handles[i]).ok()) << signals[i].name << " after 3 s";
  }
}

}  // namespace
}  // namespace mete
