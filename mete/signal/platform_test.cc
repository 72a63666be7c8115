// Platform, aggregation and ControlGuard against a provider that the test owns.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/signal/platform.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <map>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/signal/control_guard.h"

namespace mete {
namespace {

/// The device: outlives providers, as hardware does.
struct Device {
  std::map<std::string, double> signal{{"P0", 10}, {"P1", 20}};
  std::vector<double> clock{1000e6, 1000e6};
  std::vector<std::string> log;
  bool lost = false;
  bool refuse = false;
};

class FakeProvider final : public Provider, public Controls {
 public:
  explicit FakeProvider(Device& device) : device_(device) {
    info_.name = "fake";
    info_.signals = {{"GPU_POWER", "power", "W", Domain::gpu, Aggregation::sum, Behavior::variable,
                      Source::sampled, Format::number},
                     {"GPU_UTILIZATION", "use", "1", Domain::gpu, Aggregation::average,
                      Behavior::variable, Source::sampled, Format::number}};
    info_.controls = {
        {"GPU_CORE_FREQUENCY_MAX_CONTROL", "clock", "Hz", Domain::gpu, Aggregation::expect_same}};
  }
  const ProviderInfo& info() const override { return info_; }
  void describe(Topology& t) const override { t.set_count(Domain::gpu, 2); }
  Result<int> push_signal(const Request& r) override {
    pushed_.push_back(r);
    return static_cast<int>(pushed_.size()) - 1;
  }
  void read_batch(std::span<Reading> out) noexcept override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (device_.lost && pushed_[i].index == 1) {
        out[i] = Reading::missing(Errc::gone);
      } else {
        out[i] = {pushed_[i].name == "GPU_POWER"
                      ? device_.signal[pushed_[i].index == 0 ? "P0" : "P1"]
                      : 0.5,
                  {}};
      }
    }
  }
  Controls* controls() override { return this; }
  Result<ControlLimits> limits(const Request& /*r*/) const override {
    return ControlLimits{500e6, 1500e6, {500e6, 1000e6, 1500e6}};
  }
  Result<int> push(const Request& r) override {
    set_.push_back(r.index);
    return static_cast<int>(set_.size()) - 1;
  }
  Result<void> write_batch(std::span<const double> values) override {
    if (device_.refuse) return fail(Errc::failed, "refused");
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      device_.clock[static_cast<std::size_t>(set_[i])] = values[i];
      device_.log.push_back(fmt::format("{}={}", set_[i], values[i]));
    }
    return {};
  }
  Result<std::string> save(const Request& r) const override {
    return fmt::format("{}", device_.clock[static_cast<std::size_t>(r.index)]);
  }
  Result<void> restore(const Request& r, const std::string& saved) override {
    if (device_.refuse) return fail(Errc::denied, "refused");
    device_.clock[static_cast<std::size_t>(r.index)] = std::stod(saved);
    return {};
  }

 private:
  Device& device_;
  ProviderInfo info_;
  std::vector<Request> pushed_;
  std::vector<int> set_;
};

Platform make_platform(Device& device) {
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(std::make_unique<FakeProvider>(device));
  return Platform(std::move(providers));
}

const std::string kClock = "GPU_CORE_FREQUENCY_MAX_CONTROL";

TEST(Platform, EveryOrderOfPushingReadsTheSame) {
  // All orders of the two GPUs' power, their sum and their use: in the provider's own order, out of
  // it, with others between; each pushed signal is read before the next is pushed, and after all.
  const std::vector<std::pair<Request, double>> wanted{{{"GPU_POWER", Domain::gpu, 0}, 10},
                                                       {{"GPU_POWER", Domain::gpu, 1}, 20},
                                                       {{"GPU_POWER", Domain::board, 0}, 30},
                                                       {{"GPU_UTILIZATION", Domain::gpu, 1}, 0.5}};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    Device device;
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(std::make_unique<FakeProvider>(device));
    Platform platform(std::move(providers));
    std::vector<int> handles;
    for (const auto next : order) {
      handles.push_back(platform.push_signal(wanted[next].first).value());
      platform.read_batch();
      for (std::size_t i = 0; i < handles.size(); ++i) {
        EXPECT_EQ(platform.value(handles[i]), wanted[order[i]].second);
      }
    }
    Platform moved(std::move(platform));
    device.lost = true;
    moved.read_batch();
    for (std::size_t i = 0; i < handles.size(); ++i) {
      EXPECT_EQ(moved.sample(handles[i]).ok(), order[i] == 0);
      EXPECT_EQ(moved.faults(handles[i]), order[i] == 0 ? 0U : 1U);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Platform, AggregatesTakesOldNamesAndRefusesFinerDomains) {
  Device device;
  Platform p = make_platform(device);
  EXPECT_EQ(*p.read_signal({"GPU_POWER", Domain::board, 0}), 30);
  EXPECT_EQ(*p.read_signal({"NVML::POWER", Domain::gpu, 1}), 20);
  EXPECT_EQ(*p.read_signal({"GPU_UTILIZATION", Domain::board, 0}), 0.5);
  EXPECT_EQ(*p.push_signal({"GPU_POWER", Domain::gpu, 0}),
            *p.push_signal({"NVML::POWER", Domain::gpu, 0}));
  const auto fine = p.read_signal({"GPU_POWER", Domain::gpu_chip, 0});
  ASSERT_FALSE(fine);
  EXPECT_EQ(fine.error().code, Errc::invalid);
  EXPECT_FALSE(p.read_signal({"GPU_POWER", Domain::gpu, 2}));
  EXPECT_FALSE(p.read_signal({"GPU_POWER", Domain::gpu, -1}));
  const auto unknown = p.read_signal({"GPU_POWR", Domain::board, 0});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().what.find("GPU_POWER"), std::string::npos);
}

TEST(Platform, ALostPartIsAFaultNotASmallerSum) {
  Device device;
  Platform p = make_platform(device);
  const int sum = *p.push_signal({"GPU_POWER", Domain::board, 0});
  const int one = *p.push_signal({"GPU_POWER", Domain::gpu, 0});
  const int average = *p.push_signal({"GPU_UTILIZATION", Domain::board, 0});
  device.lost = true;
  p.read_batch();
  EXPECT_FALSE(p.sample(sum).ok());
  EXPECT_TRUE(std::isnan(p.value(sum)));
  EXPECT_EQ(p.faults(sum), 1U);
  EXPECT_EQ(p.value(one), 10);
  EXPECT_EQ(p.value(average), 0.5);
}

TEST(Platform, WritesFanOutSnapAndSkipWhatDidNotChange) {
  Device device;
  Platform p = make_platform(device);
  const int all = *p.push_control({kClock, Domain::board, 0});
  p.adjust(all, 1.1e9);
  ASSERT_TRUE(p.write_batch());
  EXPECT_EQ(device.clock, (std::vector<double>{1000e6, 1000e6}));
  EXPECT_EQ(device.log.size(), 2U);
  p.adjust(all, 0.9e9);
  ASSERT_TRUE(p.write_batch());
  EXPECT_EQ(device.log.size(), 2U) << "the same setting was written again";
  p.adjust(all, 99e9);
  ASSERT_TRUE(p.write_batch());
  EXPECT_EQ(device.clock[1], 1500e6);
  p.adjust(all, NAN);
  ASSERT_TRUE(p.write_batch());
  EXPECT_EQ(device.log.size(), 4U);
}

TEST(Platform, AFailedWriteIsTriedAgain) {
  Device device;
  Platform p = make_platform(device);
  const int all = *p.push_control({kClock, Domain::board, 0});
  device.refuse = true;
  p.adjust(all, 500e6);
  EXPECT_FALSE(p.write_batch());
  device.refuse = false;
  p.adjust(all, 500e6);
  ASSERT_TRUE(p.write_batch());
  EXPECT_EQ(device.clock[0], 500e6);
}

TEST(Platform, UserSettingsMustBeSupported) {
  Device device;
  Platform p = make_platform(device);
  EXPECT_TRUE(p.write_control({kClock, Domain::gpu, 0}, 500.2e6));
  EXPECT_EQ(device.clock[0], 500e6);
  for (const double bad : {501e6, 1e3, 1e12, std::nan("")}) {
    const auto written = p.write_control({kClock, Domain::gpu, 0}, bad);
    ASSERT_FALSE(written) << bad;
    EXPECT_EQ(written.error().code, Errc::invalid);
    EXPECT_NE(written.error().what.find("supported"), std::string::npos);
  }
}

class Guard : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mete-guard-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override {
    [[maybe_unused]] const int n = std::system(("rm -rf " + folder_).c_str());
  }
  std::string folder_;
};

TEST_F(Guard, GivesBackOnScopeExitAndRemovesItsFile) {
  Device device;
  device.clock = {700e6, 800e6};
  Platform p = make_platform(device);
  {
    ControlGuard guard(p, folder_);
    ASSERT_TRUE(guard.borrow({kClock, Domain::board, 0}));
    EXPECT_EQ(list_directory(folder_)->size(), 1U);
    ASSERT_TRUE(p.write_control({kClock, Domain::board, 0}, 1500e6));
    EXPECT_EQ(device.clock[0], 1500e6);
  }
  EXPECT_EQ(device.clock, (std::vector<double>{700e6, 800e6}));
  EXPECT_TRUE(list_directory(folder_)->empty());
}

TEST_F(Guard, ChangesNothingWhenTheStateCannotBeNoted) {
  Device device;
  Platform p = make_platform(device);
  ControlGuard guard(p, "/proc/no-such-place");
  const auto borrowed = guard.borrow({kClock, Domain::board, 0});
  ASSERT_FALSE(borrowed);
  EXPECT_NE(borrowed.error().what.find("nothing was changed"), std::string::npos);
}

/// Leaves a state file as a killed process does, and returns its path.
std::string abandon(Device& device, const std::string& folder) {
  const pid_t child = fork();
  if (child == 0) {
    Platform p = make_platform(device);
    ControlGuard guard(p, folder);
    if (!guard.borrow({kClock, Domain::board, 0})) _exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const auto names = list_directory(folder);
  return names && names->size() == 1 ? path_join(folder, names->front()) : "";
}

TEST_F(Guard, TheNextStartRestoresWhatAKilledOwnerLeft) {
  Device device;
  device.clock = {700e6, 800e6};
  ASSERT_NE(abandon(device, folder_), "");
  device.clock = {1500e6, 1500e6};  // what the dead owner had set
  Platform p = make_platform(device);
  device.refuse = true;
  auto outcome = restore_abandoned(p, folder_);
  EXPECT_EQ(outcome.restored, 0);
  EXPECT_EQ(outcome.problems.size(), 2U);
  EXPECT_EQ(list_directory(folder_)->size(), 1U) << "a failed restore must keep its file";
  device.refuse = false;
  outcome = restore_abandoned(p, folder_);
  EXPECT_EQ(outcome.restored, 2);
  EXPECT_EQ(device.clock, (std::vector<double>{700e6, 800e6}));
  EXPECT_TRUE(list_directory(folder_)->empty());
}

TEST_F(Guard, ALiveOwnerIsNamedAndLeftAlone) {
  Device device;
  Platform p = make_platform(device);
  ControlGuard first(p, folder_);
  ASSERT_TRUE(first.borrow({kClock, Domain::gpu, 1}));
  ControlGuard second(p, folder_);
  const auto refused = second.borrow({kClock, Domain::board, 0});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find(fmt::format("process {}", ::getpid())), std::string::npos);
  EXPECT_EQ(restore_abandoned(p, folder_).live.size(), 1U);
}

TEST_F(Guard, DamagedStateFilesAreNamedAndKept) {
  Device device;
  Platform p = make_platform(device);
  for (const char* text : {"", "{", "{\"format\":\"x\"}", "[]"}) {
    ASSERT_TRUE(write_file_atomically(path_join(folder_, "controls-1-x.json"), text));
    const auto outcome = restore_abandoned(p, folder_);
    ASSERT_EQ(outcome.problems.size(), 1U) << text;
    EXPECT_NE(outcome.problems[0].find("controls-1-x.json"), std::string::npos);
  }
}

TEST(Aggregate, FollowsGeopm) {
  const double nan = std::nan("");
  const std::vector<double> v{3, nan, 1, 2};
  EXPECT_EQ(aggregate(Aggregation::sum, v), 6);
  EXPECT_EQ(aggregate(Aggregation::average, v), 2);
  EXPECT_EQ(aggregate(Aggregation::median, v), 2);
  EXPECT_EQ(aggregate(Aggregation::median, std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(aggregate(Aggregation::median, std::vector<double>{1, 1, 1, 9}), 1);
  EXPECT_EQ(aggregate(Aggregation::min, v), 1);
  EXPECT_EQ(aggregate(Aggregation::max, v), 3);
  EXPECT_EQ(aggregate(Aggregation::stddev, v), 1);
  EXPECT_EQ(aggregate(Aggregation::select_first, v), 3);
  EXPECT_TRUE(std::isnan(aggregate(Aggregation::expect_same, v)));
  EXPECT_EQ(aggregate(Aggregation::expect_same, std::vector<double>{nan, 5, 5}), 5);
  EXPECT_EQ(aggregate(Aggregation::integer_bitwise_or, std::vector<double>{1, 4}), 5);
  EXPECT_EQ(aggregate(Aggregation::logical_and, std::vector<double>{1, 2}), 1);
  EXPECT_EQ(aggregate(Aggregation::logical_and, std::vector<double>{-1, 0, 2}), 0);
  EXPECT_EQ(aggregate(Aggregation::logical_or, std::vector<double>{0, -2}), 1);
  EXPECT_EQ(aggregate(Aggregation::region_hash, std::vector<double>{7, 7}), 7);
  EXPECT_EQ(aggregate(Aggregation::region_hash, std::vector<double>{7, 8}), 0x725e8066);
  EXPECT_TRUE(std::isnan(aggregate(Aggregation::sum, std::vector<double>{nan, nan})));
  EXPECT_TRUE(std::isnan(aggregate(Aggregation::sum, {})));
}

TEST(Topology, NestsAsTheMachineDoes) {
  Topology t;
  // Two packages; cores 0,1 in package 0 with two threads each (cpus 0,2 and 1,3), core 2 in
  // package 1.
  t.set_cpus({{0, 0, 0}, {0, 1, 0}, {0, 0, 0}, {0, 1, 0}, {1, 2, 1}});
  t.set_count(Domain::gpu, 2);
  t.set_count(Domain::gpu_chip, 4);
  EXPECT_EQ(t.nested(Domain::cpu, Domain::core, 1), (std::vector<int>{1, 3}));
  EXPECT_EQ(t.nested(Domain::core, Domain::package, 0), (std::vector<int>{0, 1}));
  EXPECT_EQ(t.nested(Domain::cpu, Domain::memory, 1), (std::vector<int>{4}));
  EXPECT_EQ(t.nested(Domain::gpu_chip, Domain::gpu, 1), (std::vector<int>{2, 3}));
  EXPECT_EQ(t.nested(Domain::cpu, Domain::board, 0).size(), 5U);
  EXPECT_TRUE(t.nested(Domain::package, Domain::cpu, 0).empty());
  EXPECT_TRUE(t.nested(Domain::cpu, Domain::core, 9).empty());
}

TEST(Names, ThreeSpellings) {
  EXPECT_EQ(column_name({"TIME", Domain::board, 0}), "TIME");
  EXPECT_EQ(column_name({"GPU_POWER", Domain::gpu, 1}), "GPU_POWER-gpu-1");
  EXPECT_EQ(report_name({"GPU_POWER", Domain::gpu, 1}), "GPU_POWER@gpu-1");
  EXPECT_EQ(parse_signal_spec("GPU_POWER@board_accelerator")->domain, Domain::gpu);
  EXPECT_FALSE(parse_signal_spec("TIME")->domain);
  EXPECT_FALSE(parse_signal_spec("A@b@c"));
  EXPECT_FALSE(parse_signal_spec("A@nowhere"));
  EXPECT_FALSE(parse_signal_spec(""));
  EXPECT_EQ(canonical_name("DCGM::SM_ACTIVE"), "GPU_CORE_ACTIVITY");
  // No alias may lead to another alias, or hide a current name.
  for (const auto& alias : aliases())
    EXPECT_EQ(canonical_name(alias.name), alias.name) << alias.old_name;
}

TEST(Limits, SnapIsTheNearestSupported) {
  const ControlLimits limits{405e6, 1380e6, {405e6, 945e6, 1380e6}};
  EXPECT_EQ(limits.snap(700e6), 945e6);
  EXPECT_EQ(limits.snap(600e6), 405e6);
  EXPECT_EQ(limits.snap(0), 405e6);
  EXPECT_EQ(limits.snap(1e12), 1380e6);
  EXPECT_TRUE(std::isnan(limits.snap(std::nan(""))));
  EXPECT_EQ((ControlLimits{1, 2, {}}).snap(1.7), 1.7);
}

}  // namespace
}  // namespace mete
