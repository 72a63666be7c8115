// The closed loop over CPU clocks, on a fake machine whose truth is two formulas: what the agents
// choose is judged by these, evaluated here at every clock. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/agent_fake_model.h"
#include "tests/fakes/cpu_machine.h"
#include "tests/fakes/cpu_meter.h"
#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/control/agents/torch_agent.h"
#include "mete/control/controller.h"
#include "mete/control/policy.h"
#include "mete/measure/session.h"
#include "mete/provider/builtin.h"

namespace mete::test {
namespace {

constexpr double kTop = 1e3 * CpuMachine::kMaxKilohertz;

struct Scene {
  int packages = 1;
  bool shared_clock = true;
  CpuMeter::Has has{};
  double epochs_per_second = 0;
  CpuWork work{};
  double seconds = 60;
  std::function<void(double, CpuMachine&)> meanwhile = nullptr;
};

struct Outcome {
  std::string refused;  ///< the error, if nothing was run
  RunResult run;
  double slowdown = 0;  ///< of the whole run, trials included, against the top clock
  double saved = 0;     ///< energy, likewise
  std::map<std::string, std::string> report;
  std::string limit_after;  ///< kHz
};

Outcome fly(std::unique_ptr<Agent> agent, const std::string& policy, const Scene& scene) {
  VirtualClock clock(1'795'000'000);
  fake::FakeSys sys;
  CpuMachine machine(sys, scene.packages, scene.shared_clock, scene.has.power);
  machine.epochs_per_second = scene.epochs_per_second;
  auto providers = builtin_providers({.clock = clock, .root = sys.root()});
  providers.push_back(std::make_unique<CpuMeter>(machine, clock, scene.has));
  Platform platform(std::move(providers));
  const auto values = resolve_policy(parse_policy(policy, agent->info()).value(), agent->info());
  Controller controller(std::move(agent), values.value());
  CpuMachineWorkload workload(machine, clock, scene.work, scene.seconds);
  if (scene.meanwhile) workload.on_wait = [&](double now) { scene.meanwhile(now, machine); };
  const NoInterrupt never;
  Session session(platform, clock, never, sys.folder() + "/state");
  Outcome out;
  auto run = session.run(workload, &controller, {});
  out.limit_after = machine.limit(0);
  EXPECT_TRUE(list_directory(sys.folder() + "/state").value_or(std::vector<std::string>{}).empty());
  if (!run) {
    out.refused = run.error().what;
    return out;
  }
  out.run = *run;
  out.slowdown = run->seconds / scene.seconds - 1;
  const double top_joules = scene.work.watts(1) * scene.seconds * scene.packages;
  out.saved = 1 - machine.joules() / top_joules;
  for (auto& [key, value] : controller.report_lines()) out.report[key] = value;
  return out;
}

Outcome fly(const std::string& agent, const std::string& policy, const Scene& scene) {
  return fly(make_agent(agent, {}).value(), policy, scene);
}

/// The most that any one clock within the bound saves.
double oracle_saving(const CpuWork& work, double bound) {
  double most = 0;
  for (int kilohertz = CpuMachine::kMinKilohertz; kilohertz <= CpuMachine::kMaxKilohertz;
       kilohertz += 1000) {
    const double share = 1e3 * kilohertz / kTop;
    if (work.time(share) > 1 + bound) continue;
    most = std::max(most, 1 - work.time(share) * work.watts(share) / work.watts(1));
  }
  return most;
}

TEST(CpuLoop, FrontierSavesWithinTheBoundOnWorkOfAllKinds) {
  for (const bool shared : {true, false}) {
    for (const double compute : {0.05, 0.3, 0.9}) {
      Scene scene{.shared_clock = shared, .has = {.instructions = true}, .work = {compute}};
      const auto out = fly("frontier@package", "MAX_SLOWDOWN=10%", scene);
      ASSERT_EQ("", out.refused);
      EXPECT_LE(out.slowdown, 0.10) << compute;
      // Of what the best clock would save from the first second on; trials cost some.
      EXPECT_GE(out.saved, 0.75 * oracle_saving(scene.work, 0.10)) << compute;
      EXPECT_EQ("3200000", out.limit_after);
      EXPECT_TRUE(out.run.warnings.empty()) << out.run.warnings[0];
    }
  }
}

TEST(CpuLoop, FrontierTakesTheProgramsOwnEpochsWhereThereAreSome) {
  for (const double epochs : {2000.0, 200.0, 60.0}) {
    Scene scene{
        .has = {.epochs = true}, .epochs_per_second = epochs, .work = {0.3}, .seconds = 120};
    const auto out = fly("frontier@package", "MAX_SLOWDOWN=10%", scene);
    ASSERT_EQ("", out.refused);
    EXPECT_LE(out.slowdown, 0.10) << epochs;
    EXPECT_GE(out.saved, 0.7 * oracle_saving(scene.work, 0.10)) << epochs;
  }
}

TEST(CpuLoop, WithoutProgressTheBoundIsKept) {
  for (const double compute : {0.0, 0.5, 1.0}) {
    Scene scene{.work = {compute}};
    const auto out = fly("frontier@package", "MAX_SLOWDOWN=0.1", scene);
    ASSERT_EQ("", out.refused);
    EXPECT_LE(out.slowdown, 0.11) << compute;
  }
}

TEST(CpuLoop, TwoPackagesThatWorkTogether) {
  Scene scene{.packages = 2, .shared_clock = false, .has = {.instructions = true}, .work = {0.2}};
  const auto out = fly("frontier@package", "MAX_SLOWDOWN=10%", scene);
  ASSERT_EQ("", out.refused);
  EXPECT_LE(out.slowdown, 0.10);
  EXPECT_GE(out.saved, 0.6 * oracle_saving(scene.work, 0.10));
  EXPECT_TRUE(out.report.contains("CPU 1 Frontier Phase 1"));
}

TEST(CpuLoop, FixedHoldsEveryPackageAtItsClock) {
  Scene scene{.packages = 2, .work = {0.5}, .seconds = 10};
  const auto out = fly("fixed@package", "CPU_FREQ=1.6GHz", scene);
  ASSERT_EQ("", out.refused);
  EXPECT_NEAR(scene.work.time(0.5) - 1, out.slowdown, 0.001);
  EXPECT_NEAR(1 - scene.work.time(0.5) * scene.work.watts(0.5) / scene.work.watts(1), out.saved,
              0.001);
  EXPECT_EQ("3200000", out.limit_after);
  EXPECT_EQ("1600000000", out.report.at("CPU 1 Fixed Frequency (Hz)"));
  EXPECT_NE(std::string::npos,
            fly("fixed@package", "CPU_FREQ=9GHz", scene).refused.find("CPU_FREQ is 9.000 GHz"));
}

TEST(CpuLoop, TorchAsksItsModelAboutThePackage) {
  // Half the top clock, once it sees the package at work; it is shown what its names say.
  Scene scene{.work = {0.5}, .seconds = 20};
  std::vector<double> seen;
  const auto rule = [&seen](std::span<const double> row) {
    seen.assign(row.begin(), row.end());
    return 1.6;
  };
  auto agent = make_model_agent(std::make_unique<FakeModel>(rule), Domain::package);
  EXPECT_EQ("CPU_PHI", agent->info().policy.back().name);
  // The machine has neither memory power nor a temperature.
  const auto out = fly(std::move(agent), "CPU_PHI=1", scene);
  EXPECT_NE(std::string::npos, out.refused.find("DRAM_POWER, CPU_PACKAGE_TEMPERATURE"));
}

TEST(CpuLoop, WithoutPowerFrontierIsRefusedAndSaysWhat) {
  const auto out = fly("frontier@package", "", {.has = {.power = false}});
  EXPECT_NE(std::string::npos, out.refused.find("CPU_POWER")) << out.refused;
  EXPECT_NE(std::string::npos, out.refused.find("fixed@package")) << out.refused;
}

TEST(CpuLoop, ACapOfTheDeviceIsNoReasonToBreakTheBound) {
  Scene scene{.has = {.instructions = true}, .work = {0.3}};
  scene.meanwhile = [](double now, CpuMachine& machine) {
    machine.cap_hertz = now > 20 && now < 40 ? 1.6e9 : 0;
  };
  const auto out = fly("frontier@package", "MAX_SLOWDOWN=5%", scene);
  ASSERT_EQ("", out.refused);
  // What the cap costs by itself is no fault of the agent's; that it is over must be found out.
  const double by_cap = 20 * (1 - 1 / scene.work.time(0.5)) / scene.seconds;
  EXPECT_LE(out.slowdown, 0.05 + by_cap + 0.04);
  EXPECT_EQ("3200000", out.limit_after);
}

TEST(CpuLoop, ALimitThatAnotherProgramSetsIsSetAgain) {
  // It changes one CPU of the package, once.
  Scene scene{.shared_clock = false, .work = {0.5}, .seconds = 20};
  bool done = false;
  scene.meanwhile = [&done](double now, CpuMachine& machine) {
    if (now < 5 || std::exchange(done, true)) return;
    machine.sys().write(fake::FakeSys::policy_folder(2) + "scaling_max_freq", "900000\n");
  };
  const auto out = fly("fixed@package", "CPU_FREQ=2GHz", scene);
  ASSERT_EQ("", out.refused);
  ASSERT_EQ(1U, out.run.warnings.size());
  EXPECT_NE(std::string::npos, out.run.warnings[0].find("set it to 900.0 MHz"));
  EXPECT_NE(std::string::npos, out.run.warnings[0].find("set again 1 time"));
  // A quarter of a second at 900 MHz would cost more than this.
  EXPECT_NEAR(scene.work.time(2.0 / 3.2) - 1, out.slowdown, 0.01);
}

TEST(CpuLoop, WhatSteersNoPackageSaysSo) {
  const auto agent = make_agent("gpu_activity@package", {});
  ASSERT_FALSE(agent);
  EXPECT_EQ(Errc::invalid, agent.error().code);
  EXPECT_NE(std::string::npos, agent.error().what.find("it steers: gpu"));
  EXPECT_FALSE(make_agent("frontier@core", {}));
  EXPECT_FALSE(make_agent("frontier@nowhere", {}));
  EXPECT_FALSE(make_agent("frontier@", {}));
}

}  // namespace
}  // namespace mete::test
