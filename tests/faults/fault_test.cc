// Every fault of docs/faults.md, injected into runs on a board: the run ends or goes on as that
// page says, the controls are given back, and the report has a line about it.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/agent_fake_model.h"
#include "tests/fakes/faulty_provider.h"
#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/control/agents/torch_agent.h"
#include "mete/control/controller.h"
#include "mete/control/policy.h"
#include "mete/measure/board_workload.h"
#include "mete/measure/session.h"
#include "mete/provider/board/board_provider.h"
#include "mete/provider/board/program.h"
#include "mete/provider/time/time_provider.h"
#include "mete/study/local_engine.h"

namespace mete::test {
namespace {

using Kind = Fault::Kind;
const std::string kMax = "GPU_CORE_FREQUENCY_MAX_CONTROL";
const std::string kStatus = "GPU_CORE_FREQUENCY_STATUS";
constexpr double kTop = 1380e6;

std::unique_ptr<Agent> make(const std::string& name) {
  if (name != "torch") return make_agent(name, {}).value();
  return make_model_agent(
      std::make_unique<FakeModel>([](std::span<const double>) { return 0.945; }));
}

/// State files are flushed to disk: in memory, a hundred runs take a second.
std::filesystem::path memory_folder() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

/// A GPU of a board with faults, and all that a run on it needs.
class Site final : public PointSite {
 public:
  Site(const std::string& program, const std::string& agent, const std::string& policy,
       std::vector<Fault> faults)
      : machine_(Machine::make(load_board("v100").value(), MachineOptions::exact(), 1, clock_, 1)
                     .value()),
        workload_(*machine_, load_program(program, machine_->board()).value()) {
    std::string folder = (memory_folder() / "mete-fault-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    auto faulty =
        std::make_unique<FaultyProvider>(make_board_provider(*machine_), std::move(faults));
    device = faulty.get();
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_time_provider(clock_, clock_.now()));
    providers.push_back(std::move(faulty));
    platform_ = std::make_unique<Platform>(std::move(providers));
    auto made = make(agent);
    const auto named = parse_policy(policy, made->info()).value();
    auto values = resolve_policy(named, made->info()).value();
    controller_ = std::make_unique<Controller>(std::move(made), std::move(values));
  }
  ~Site() override { std::filesystem::remove_all(folder_); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  Platform& platform() override { return *platform_; }
  Clock& clock() override { return clock_; }
  Workload& workload() override { return workload_; }
  Steering* steering() override { return controller_.get(); }
  std::string state_directory() const override { return folder_ + "/state"; }
  bool replayed() const override { return true; }

  Result<RunResult> run() {
    SessionOptions options;
    options.report_path = folder_ + "/report";
    const NoInterrupt never;
    Session session(*platform_, clock_, never, state_directory());
    auto result = session.run(workload_, controller_.get(), options);
    // Whatever happened: what was borrowed was given back, and nothing is noted as held.
    EXPECT_EQ(kTop, machine_->range(0).max);
    const auto left = list_directory(state_directory());
    EXPECT_TRUE(!left || left->empty());
    return result;
  }
  [[nodiscard]] std::string report() const {
    return read_file(folder_ + "/report").value_or("no report");
  }
  /// The setting written last before this read.
  [[nodiscard]] double setting_at(int read) const {
    double value = kTop;
    for (const auto& write : device->writes) {
      if (write.read <= read && write.request.name == kMax) value = write.value;
    }
    return value;
  }
  const std::string& folder() const { return folder_; }

  FaultyProvider* device = nullptr;

 private:
  VirtualClock clock_{1'795'000'000};
  std::unique_ptr<Machine> machine_;
  BoardWorkload workload_;
  std::string folder_;
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<Controller> controller_;
};

bool warns(const RunResult& run, const std::string& words) {
  return std::any_of(run.warnings.begin(), run.warnings.end(),
                     [&](const auto& line) { return line.find(words) != std::string::npos; });
}

std::string all_warnings(const RunResult& run) { return join(run.warnings, "\n"); }

struct AgentPolicy {
  std::string agent;
  std::string policy;
};
const std::vector<AgentPolicy> kAgents{{"monitor", ""},           {"fixed", "GPU_FREQ=945MHz"},
                                       {"torch", "GPU_PHI=1"},    {"gpu_activity", "1"},
                                       {"frontier", "GPU_PHI=1"}, {"frontier", "MAX_SLOWDOWN=5%"}};

/// Every fault against every agent: the program ends as it would, controls are back (checked by
/// run()), and whoever reads the report is told.
TEST(Faults, NoneEndsTheRunOrKeepsTheControls) {
  struct Case {
    Fault fault;
    std::string says;         ///< in a warning ..
    bool of_steering = true;  ///< .. if the agent sets clocks
  };
  const std::vector<Case> cases{
      {{Kind::missing, "GPU_POWER", 60}, "GPU_POWER@gpu-0:", false},
      {{Kind::missing, "GPU_ENERGY", 60}, "GPU_ENERGY@gpu-0:", false},
      {{Kind::missing, "GPU_CORE_ACTIVITY", 60, 90}, "GPU_CORE_ACTIVITY@gpu-0:", false},
      {{Kind::missing, kStatus, 60, 90}, "GPU_CORE_FREQUENCY_STATUS@gpu-0:", false},
      {{Kind::reset, "GPU_ENERGY", 60}, "went back during the run", false},
      {{Kind::stuck, "GPU_ENERGY", 60}, "stood still", true},
      {{Kind::cap, kMax, 60, 140, 405e6}, "stayed below", true},
      {{Kind::overwrite, kMax, 60, 61, 405e6}, "set it to 405.0 MHz", true},
      {{Kind::overwrite, kMax, 60, 9999, 405e6}, "then left to it", true},
  };
  for (const auto& [agent, policy] : kAgents) {
    for (const auto& [fault, says, of_steering] : cases) {
      Site site("BlackScholes:10s", agent, policy, {fault});
      const auto run = site.run();
      ASSERT_TRUE(run) << agent << ": " << says << ": " << run.error().what;
      EXPECT_EQ(0, run->exit.code);
      EXPECT_FALSE(run->interrupted);
      if (of_steering && agent == "monitor") continue;
      // A top clock that is capped below the limit is no cap to an agent that asks for less.
      EXPECT_TRUE(warns(*run, says)) << agent << ": " << says << "\n" << all_warnings(*run);
      EXPECT_NE(std::string::npos, site.report().find("mete warning 1: ")) << agent;
    }
  }
}

TEST(Faults, WhatCannotBeSeenIsNotSlowed) {
  for (const char* agent : {"torch", "frontier"}) {
    Site site("BlackScholes:20s", agent, "GPU_PHI=1",
              {{Kind::missing, "GPU_POWER", 150, 200}, {Kind::missing, "GPU_ENERGY", 150, 200}});
    const auto run = site.run();
    ASSERT_TRUE(run);
    EXPECT_LT(site.setting_at(150), kTop) << agent;
    EXPECT_EQ(kTop, site.setting_at(160)) << agent;
    EXPECT_EQ(kTop, site.setting_at(199)) << agent;
    EXPECT_EQ(site.setting_at(150), site.setting_at(380)) << agent << ": seen again";
  }
}

TEST(Faults, AStuckPowerSensorLeavesTheTopClock) {
  // There is no energy counter to see power by.
  Site site("BlackScholes:20s", "frontier", "MAX_SLOWDOWN=10%",
            {{Kind::missing, "GPU_ENERGY"}, {Kind::stuck, "GPU_POWER"}});
  const auto run = site.run();
  ASSERT_TRUE(run);
  EXPECT_EQ(kTop, site.setting_at(390));
  EXPECT_TRUE(warns(*run, "a sensor that is stuck")) << all_warnings(*run);
}

TEST(Faults, ASensorAtRestIsNotStuck) {
  // The exact board shows the very same power at a steady clock, and that is as it should be.
  for (const auto& [agent, policy] : kAgents) {
    Site site("BlackScholes:20s", agent, policy, {});
    const auto run = site.run();
    ASSERT_TRUE(run);
    EXPECT_EQ("", all_warnings(*run)) << agent;
  }
}

TEST(Faults, ACounterThatBeginsAnewChangesNoDecision) {
  Site well("BlackScholes:20s", "frontier", "GPU_PHI=1", {});
  Site site("BlackScholes:20s", "frontier", "GPU_PHI=1", {{Kind::reset, "GPU_ENERGY", 200}});
  ASSERT_TRUE(well.run());
  const auto run = site.run();
  ASSERT_TRUE(run);
  EXPECT_TRUE(std::isnan(run->total("GPU_ENERGY"))) << "no figure is better than a wrong one";
  for (const int read : {190, 210, 300, 390}) {
    EXPECT_EQ(well.setting_at(read), site.setting_at(read)) << read;
  }
}

TEST(Faults, ARefusedFirstSettingIsNotRunOn) {
  for (const auto& [agent, policy] : kAgents) {
    if (agent == "monitor") continue;
    Site site("BlackScholes:10s", agent, policy, {{Kind::refuse, kMax}});
    const auto run = site.run();
    ASSERT_FALSE(run) << agent;
    EXPECT_NE(std::string::npos, run.error().what.find("nothing was run")) << run.error().what;
    EXPECT_NE(std::string::npos, run.error().what.find("the device refuses"));
  }
}

TEST(Faults, ASettingRefusedLaterIsTriedAgain) {
  Site site("BlackScholes:20s", "frontier", "GPU_PHI=1", {{Kind::refuse, kMax, 20, 60}});
  const auto run = site.run();
  ASSERT_TRUE(run);
  EXPECT_GT(site.device->refused, 0);
  EXPECT_TRUE(warns(*run, fmt::format("{} settings could not be written", site.device->refused)))
      << all_warnings(*run);
  EXPECT_LT(site.setting_at(390), kTop) << "it went on once the device let it";
}

TEST(Faults, ACapCostsNoMoreThanItMust) {
  // The same cap, with every clock asked to be the top one.
  const Fault cap{Kind::cap, kMax, 100, 300, 1005e6};
  Site top("BlackScholes:20s", "fixed", "", {cap});
  Site site("BlackScholes:20s", "frontier", "MAX_SLOWDOWN=5%", {cap});
  const auto reference = top.run();
  const auto run = site.run();
  ASSERT_TRUE(reference);
  ASSERT_TRUE(run);
  EXPECT_TRUE(warns(*reference, "thermal or power cap")) << all_warnings(*reference);
  EXPECT_LE(run->seconds, 1.06 * reference->seconds);
  EXPECT_LT(run->total("GPU_ENERGY"), 1.01 * reference->total("GPU_ENERGY"));
}

TEST(Faults, AnotherProgramIsResistedThreeTimesAndNoMore) {
  Site site("BlackScholes:10s", "fixed", "GPU_FREQ=945MHz",
            {{Kind::overwrite, kMax, 60, 9999, 405e6}});
  ASSERT_TRUE(site.run());
  // The first setting, three that set it again.
  EXPECT_EQ(1U + kMostRewrites, site.device->writes.size());
}

TEST(Faults, AProgramThatEndsAtOnceIsSaidToHaveBeenUnseen) {
  for (const auto& [agent, policy] : kAgents) {
    Site site("BlackScholes:0.02s", agent, policy, {});
    const auto run = site.run();
    ASSERT_TRUE(run) << agent;
    EXPECT_LT(run->seconds, 0.05);
    const bool looks = agent != "monitor" && agent != "fixed";
    EXPECT_EQ(looks, warns(*run, "within the first period")) << agent << all_warnings(*run);
  }
}

TEST(Faults, ASecondOneIsToldWhoHoldsTheControl) {
  Site first("BlackScholes:10s", "fixed", "", {});
  ControlGuard holder(first.platform(), first.folder() + "/state2");
  ASSERT_TRUE(holder.borrow({kMax, Domain::gpu, 0}));
  const auto refused =
      check_not_held(first.platform(), {kMax, Domain::board, 0}, first.folder() + "/state2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(Errc::denied, refused.error().code);
  for (const std::string& word : {fmt::format("process {}", ::getpid()), std::string("since "),
                                  std::string("UTC"), std::string("fault_test")}) {
    EXPECT_NE(std::string::npos, refused.error().what.find(word)) << refused.error().what;
  }
  ASSERT_TRUE(holder.restore());
  EXPECT_TRUE(
      check_not_held(first.platform(), {kMax, Domain::board, 0}, first.folder() + "/state2"));
}

TEST(Faults, ASweepDoesNotCountAPointWhoseCounterWasReset) {
  for (const bool reset : {false, true}) {
    std::vector<Fault> faults;
    if (reset) faults.push_back({Kind::reset, "GPU_ENERGY", 50});
    std::string folder;
    LocalEngine engine([&](const PointJob&) -> Result<std::unique_ptr<PointSite>> {
      auto site = std::make_unique<Site>("BlackScholes:5s", "monitor", "", faults);
      folder = site->folder();
      return std::unique_ptr<PointSite>(std::move(site));
    });
    PointJob job;
    job.energy_signals = {"GPU_ENERGY"};
    ASSERT_TRUE(engine.submit(job));
    const NoInterrupt never;
    const auto done = engine.wait(never);
    ASSERT_TRUE(done);
    const PointOutcome& outcome = done->front();
    EXPECT_EQ(reset ? PointOutcome::Kind::failed : PointOutcome::Kind::done, outcome.kind);
    if (!reset) continue;
    EXPECT_NE(std::string::npos, outcome.error.what.find("went back")) << outcome.error.what;
  }
}

}  // namespace
}  // namespace mete::test
