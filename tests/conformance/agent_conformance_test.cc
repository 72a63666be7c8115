// The contract of mete/control/agent.h, held against every agent. A new agent adds one line to
// all_cases. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "templates/agent/idle_agent.h"
#include "tests/conformance/agent_fake_model.h"
#include "tests/conformance/allocations.h"
#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/control/agents/ffnet_agent.h"
#include "mete/control/agents/fixed_agent.h"
#include "mete/control/agents/frontier_agent.h"
#include "mete/control/agents/gpu_activity_agent.h"
#include "mete/control/agents/monitor_agent.h"
#include "mete/control/agents/torch_agent.h"
#include "mete/control/controller.h"
#include "mete/control/policy.h"
#include "mete/provider/board/board_provider.h"
#include "mete/provider/board/machine.h"
#include "mete/provider/time/time_provider.h"

namespace mete::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// One line of the suite's list. Policies are text, as `mete run --policy` takes it; all must suit
/// devices with clocks from 135 MHz to 1530 MHz.
struct AgentCase {
  std::string name;
  std::function<std::unique_ptr<Agent>()> make;
  std::vector<std::string> good;
  std::vector<std::string> bad;
  /// Runs in an interpreter, which takes and gives memory as it likes; docs/agents/python.md says
  /// so.
  bool interpreted = false;
};

// gtest finds it by this name.
// NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const AgentCase& test, std::ostream* out) { *out << test.name; }

template <Result<std::unique_ptr<Agent>> (*Make)(const AgentContext&)>
std::unique_ptr<Agent> plain() {
  return Make({}).value();
}
std::unique_ptr<Agent> torch_with_rule() {
  return make_model_agent(std::make_unique<FakeModel>(plausible_clock));
}
std::unique_ptr<Agent> torch_with_wild_model() {
  return make_model_agent(std::make_unique<FakeModel>([](std::span<const double> row) {
    return row[1] > 1e6 ? kInfinity : row[1] < 0 ? -kInfinity : std::sin(row[0]) * 1e3;
  }));
}

/// Three regions scored by two signals and a rate against the time, which is the board's.
std::unique_ptr<Agent> ffnet_of(const std::string& signal) {
  const auto net = fmt::format(
      R"({{"signal_inputs": ["{}", "GPU_POWER"], "delta_inputs": [["GPU_ENERGY", "TIME"]],
          "trace_outputs": ["idle", "compute", "memory"],
          "layers": [[[[4, 0.01, 0], [-2, 0, 0.02]], [-1, 1]],
                     [[[-3, 1], [5, 0], [0, 2]], [0.5, -1, 0]]]}})",
      signal);
  const auto* map = R"({"idle": [1.53e9, 0.4e9], "compute": [1.4e9, 1.1e9, 0.7e9]})";
  return make_ffnet_agent(FeedForwardNet::parse(net, "net").value(),
                          FrequencyMap::parse(map, "map").value())
      .value();
}
std::unique_ptr<Agent> ffnet_by_activity() { return ffnet_of("GPU_CORE_ACTIVITY"); }
std::unique_ptr<Agent> ffnet_by_clock() { return ffnet_of("GPU_CORE_FREQUENCY_STATUS"); }

std::unique_ptr<Agent> template_library() {
  return make_agent(METE_TEMPLATE_AGENT_LIBRARY, {}).value();
}
#ifdef METE_TEST_PYTHON_AGENT
std::unique_ptr<Agent> python_class() { return make_agent(METE_TEST_PYTHON_AGENT, {}).value(); }
#endif

std::vector<AgentCase> all_cases() {
  const std::vector<std::string> torch_good{"", "NAN,NAN,0", "NAN,NAN,1",
                                            "GPU_FREQ_MIN=0.9GHz,GPU_FREQ_MAX=1.2GHz,GPU_PHI=0.3"};
  const std::vector<std::string> torch_bad{"GPU_PHI=1.5",
                                           "GPU_PHI=-0.1",
                                           "GPU_FREQ_MAX=9GHz",
                                           "GPU_FREQ_MIN=1MHz",
                                           "GPU_FREQ_MIN=1.2GHz,GPU_FREQ_MAX=0.9GHz",
                                           "GPU_FREQ_MIN=1001MHz,GPU_FREQ_MAX=1002MHz"};
  return {
      {"monitor", plain<make_monitor_agent>, {""}, {"GPU_PHI=1"}},
      {"fixed", plain<make_fixed_agent>, {"", "NAN", "1GHz", "1001MHz"}, {"9GHz", "1MHz", "1,2"}},
      {"torch", torch_with_rule, torch_good, torch_bad},
      {"torch_wild_model", torch_with_wild_model, torch_good, torch_bad},
      {"gpu_activity",
       plain<make_gpu_activity_agent>,
       {"", "0", "1", "GPU_PHI=0.3,GPU_FREQ_EFFICIENT=0.9GHz"},
       {"1.5", "-0.1", "GPU_FREQ_EFFICIENT=9GHz", "GPU_FREQ_EFFICIENT=1MHz"}},
      {"ffnet", ffnet_by_activity, {"", "NAN", "0.5", "1"}, {"1.5", "-0.1", "GPU_PHI=0.5"}},
      {"ffnet_by_clock", ffnet_by_clock, {"", "1"}, {"2"}},
      {"frontier",
       plain<make_frontier_agent>,
       {"", "GPU_PHI=0", "GPU_PHI=1", "MAX_SLOWDOWN=0.1", "NAN,0"},
       {"GPU_PHI=1.5", "MAX_SLOWDOWN=-1", "GPU_PHI=0.5,MAX_SLOWDOWN=0.1"}},
      {"frontier_package",
       [] { return make_agent("frontier@package", {}).value(); },
       {"", "CPU_PHI=0", "CPU_PHI=100%", "MAX_SLOWDOWN=10%"},
       {"CPU_PHI=1.5", "GPU_PHI=0.5", "CPU_PHI=0.5,MAX_SLOWDOWN=0.1"}},
      {"fixed_package",
       [] { return make_agent("fixed@package", {}).value(); },
       {"", "CPU_FREQ=1GHz"},
       {"CPU_FREQ=9GHz", "GPU_FREQ=1GHz"}},
      {"template_idle", plain<make_idle_agent>, {"", "0.2"}, {"1.5", "-1"}},
      {"template_library", template_library, {"", "0.2"}, {"1.5", "-1"}},
#ifdef METE_TEST_PYTHON_AGENT
      {"python_class", python_class, {"", "0", "1", "GPU_PHI=0.3"}, {"1.5", "-0.1"}, true},
#endif
  };
}

std::vector<PartLimits> gpus(std::size_t n) {
  PartLimits part{135e6, 1530e6, {}};
  for (double clock = 135e6; clock <= 1530e6; clock += 15e6) part.supported.push_back(clock);
  return std::vector<PartLimits>(n, part);
}

Result<std::vector<double>> resolve(const Agent& agent, const std::string& policy) {
  METE_TRY(const auto named, parse_policy(policy, agent.info()));
  return resolve_policy(named, agent.info());
}

/// Columns of an observation.
std::size_t width_of(const AgentInfo& info) {
  return info.signals.size() + info.optional_signals.size();
}

/// Rows as sensors give them, and as broken ones do.
std::vector<double> draw_rows(Rng& rng, std::size_t count) {
  constexpr std::array<double, 9> kAbsurd{kNan,  kInfinity, -kInfinity, 0,   -1,
                                          1e308, -1e308,    1e-308,     1e20};
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const bool absurd = rng.uniform() < 0.2;
    values[i] = absurd       ? kAbsurd[rng.below(kAbsurd.size())]
                : i % 5 == 0 ? 1.5e9 * rng.uniform()
                : i % 5 == 1 ? 300 * rng.uniform()
                             : rng.uniform();
  }
  return values;
}

class AgentConformance : public ::testing::TestWithParam<AgentCase> {
 protected:
  static constexpr std::size_t kParts = 3;
  static constexpr int kSteps = 2000;

  /// All decisions over a drawn sequence, flattened.
  static std::vector<double> decide(Agent& agent, const std::string& policy, std::uint64_t seed) {
    const auto values = resolve(agent, policy).value();
    EXPECT_TRUE(agent.start(gpus(kParts), values));
    Rng rng(seed);
    std::vector<double> all;
    std::vector<double> decisions(kParts);
    for (int i = 0; i < kSteps; ++i) {
      const auto rows = draw_rows(rng, kParts * width_of(agent.info()));
      std::fill(decisions.begin(), decisions.end(), kNan);
      agent.step({0.05 * i, kParts, rows}, values, decisions);
      all.insert(all.end(), decisions.begin(), decisions.end());
    }
    return all;
  }
};

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

TEST_P(AgentConformance, DescribesItself) {
  const auto agent = GetParam().make();
  const AgentInfo& info = agent->info();
  EXPECT_FALSE(info.name.empty());
  EXPECT_FALSE(info.description.empty());
  EXPECT_GT(info.period_seconds, 0);
  std::set<std::string> names;
  for (const auto& field : info.policy) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name << " is there twice";
    EXPECT_FALSE(field.description.empty()) << field.name;
    EXPECT_LE(field.min, field.max) << field.name;
    EXPECT_TRUE(std::isnan(field.fallback) ||
                (field.fallback >= field.min && field.fallback <= field.max))
        << field.name;
  }
  std::set<std::string> signals(info.signals.begin(), info.signals.end());
  signals.insert(info.optional_signals.begin(), info.optional_signals.end());
  EXPECT_EQ(signals.size(), width_of(info)) << "a signal is there twice";
}

TEST_P(AgentConformance, TakesGoodPoliciesAndRefusesBadOnesInOneLine) {
  for (const auto& policy : GetParam().good) {
    const auto agent = GetParam().make();
    const auto values = resolve(*agent, policy);
    ASSERT_TRUE(values) << policy << ": " << values.error().what;
    const auto started = agent->start(gpus(kParts), *values);
    EXPECT_TRUE(started) << policy << ": " << started.error().what;
  }
  for (const auto& policy : GetParam().bad) {
    const auto agent = GetParam().make();
    const auto values = resolve(*agent, policy);
    const auto error = values ? agent->start(gpus(kParts), *values) : Result<void>(values.error());
    ASSERT_FALSE(error) << policy << " was not refused";
    EXPECT_EQ(Errc::invalid, error.error().code) << policy;
    EXPECT_TRUE(error.error().what.starts_with("policy: ")) << error.error().what;
    EXPECT_EQ(std::string::npos, error.error().what.find('\n'));
  }
}

TEST_P(AgentConformance, StartRefusesAPolicyOfAnotherSize) {
  const auto agent = GetParam().make();
  const std::vector<double> wrong(agent->info().policy.size() + 1, 0.5);
  EXPECT_FALSE(agent->start(gpus(kParts), wrong));
}

TEST_P(AgentConformance, DecidesOnlyWhatTheDeviceSupportsWhateverItSees) {
  const auto limits = gpus(1);
  const auto& supported = limits[0].supported;
  for (const auto& policy : GetParam().good) {
    const auto agent = GetParam().make();
    for (const double decision : decide(*agent, policy, 1)) {
      if (std::isnan(decision)) continue;
      EXPECT_FALSE(agent->info().control.empty()) << "an agent without a control decided";
      ASSERT_TRUE(std::binary_search(supported.begin(), supported.end(), decision)) << decision;
    }
  }
}

TEST_P(AgentConformance, TheSameObservationsGiveTheSameDecisions) {
  for (const auto& policy : GetParam().good) {
    const auto one = GetParam().make();
    const auto other = GetParam().make();
    const auto decisions = decide(*one, policy, 7);
    EXPECT_TRUE(same(decisions, decide(*other, policy, 7))) << "another instance";
    EXPECT_TRUE(same(decisions, decide(*one, policy, 7))) << "started again";
  }
}

TEST_P(AgentConformance, StepTakesNoMemory) {
  if (GetParam().interpreted) GTEST_SKIP() << "an interpreter takes memory";
  const auto agent = GetParam().make();
  const auto values = resolve(*agent, GetParam().good.front()).value();
  ASSERT_TRUE(agent->start(gpus(kParts), values));
  Rng rng(3);
  std::vector<std::vector<double>> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back(draw_rows(rng, kParts * width_of(agent->info())));
  }
  std::vector<double> decisions(kParts);
  const auto before = allocations();
  for (const auto& row : rows) agent->step({0, kParts, row}, values, decisions);
  EXPECT_EQ(before, allocations());
}

TEST_P(AgentConformance, SurvivesNoPartsAndShortRows) {
  const auto agent = GetParam().make();
  const auto values = resolve(*agent, GetParam().good.front()).value();
  ASSERT_TRUE(agent->start(gpus(kParts), values));
  std::vector<double> decisions(kParts);
  agent->step({0, 0, {}}, values, {});
  agent->step({0, kParts, {}}, values, decisions);
}

INSTANTIATE_TEST_SUITE_P(Agents, AgentConformance, ::testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.name; });

// ---- the closed loop, on every built-in board ----

struct LoopCase {
  std::string board;
  std::string program;
};

// NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const LoopCase& test, std::ostream* out) { *out << test.board; }

constexpr std::size_t kGpus = 2;

/// A machine of two GPUs that runs a program, and its platform.
struct Node {
  explicit Node(const LoopCase& where)
      : machine(
            Machine::make(load_board(where.board).value(), MachineOptions(), 2, clock, 1).value()) {
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_time_provider(clock, clock.now()));
    providers.push_back(make_board_provider(*machine));
    platform = std::make_unique<Platform>(std::move(providers));
    machine->start(load_program(where.program, machine->board()).value());
  }
  VirtualClock clock;
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Platform> platform;
};

class AgentLoop : public ::testing::TestWithParam<std::tuple<AgentCase, LoopCase>> {
 protected:
  /// A board that lacks what an agent needs: all of that must be named, and nothing else refuses.
  static void expect_fair_refusal(const Error& error, const AgentInfo& info, Node& node) {
    EXPECT_EQ(Errc::unavailable, error.code) << error.what;
    if (node.platform->topology().count(info.domain) == 0) {
      EXPECT_NE(error.what.find("needs a"), std::string::npos) << error.what;
      return;
    }
    int missing = 0;
    for (const auto& name : info.signals) {
      const bool absent = !node.platform->has_signal(name);
      missing += absent ? 1 : 0;
      EXPECT_EQ(absent, error.what.find(name) != std::string::npos) << name << ": " << error.what;
    }
    EXPECT_GT(missing, 0) << error.what;
  }
};

TEST_P(AgentLoop, SteersTheBoardAndGivesTheControlsBack) {
  const auto& [agent, where] = GetParam();
  Node node(where);
  const auto before = node.machine->range(0);
  const auto& clocks = node.machine->clocks();
  {
    auto made = agent.make();
    auto policy = resolve(*made, "").value();
    Controller controller(std::move(made), std::move(policy));
    ControlGuard guard(*node.platform, "");
    const auto begun = controller.begin(*node.platform, guard);
    if (!begun) return expect_fair_refusal(begun.error(), controller.agent().info(), node);
    const auto columns = controller.trace_columns();
    std::vector<double> traced(columns.size());
    std::vector<double> last(columns.size(), kNan);
    std::size_t changes = 0;
    std::size_t memory = 0;
    for (int i = 0; i < 200; ++i) {
      node.clock.advance_to(node.clock.now() + std::chrono::milliseconds(50));
      node.platform->read_batch();
      const auto had = allocations();
      controller.step(*node.platform, 0.05 * i);
      controller.trace_values(traced);
      memory += allocations() - had;
      ASSERT_TRUE(node.platform->write_batch());
      // What was asked for comes first, then the agent's own columns.
      for (std::size_t gpu = 0; gpu < std::min(traced.size(), kGpus); ++gpu) {
        if (std::isnan(traced[gpu])) continue;
        changes += traced[gpu] != last[gpu] ? 1U : 0U;
        last[gpu] = traced[gpu];
        EXPECT_TRUE(std::binary_search(clocks.begin(), clocks.end(), traced[gpu])) << traced[gpu];
        EXPECT_EQ(traced[gpu], node.machine->range(static_cast<int>(gpu)).max);
      }
    }
    if (!agent.interpreted) {
      EXPECT_EQ(0U, memory);
    }
    const auto lines = controller.report_lines();
    const std::pair<std::string, std::string> told{"GPU Frequency Requests",
                                                   std::to_string(changes)};
    EXPECT_EQ(!columns.empty(), std::find(lines.begin(), lines.end(), told) != lines.end());
    ASSERT_TRUE(guard.restore());
  }
  EXPECT_EQ(before.max, node.machine->range(0).max);
  EXPECT_EQ(before.min, node.machine->range(0).min);
}

INSTANTIATE_TEST_SUITE_P(
    Boards, AgentLoop,
    ::testing::Combine(::testing::ValuesIn(all_cases()),
                       ::testing::Values(LoopCase{"v100", "vectorAdd:5s"},
                                         LoopCase{"jetson-agx", "gemm-float-1024:5s"})),
    [](const auto& test) {
      auto name = std::get<0>(test.param).name + "_on_" + std::get<1>(test.param).board;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace mete::test
