// What the torch agent makes of a model's answers; the models are a few lines of arithmetic.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/torch_agent.h"

#include <cmath>
#include <limits>

#include "tests/conformance/agent_fake_model.h"
#include <gtest/gtest.h>

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<PartLimits> one_gpu() { return {{1.0e9, 2.0e9, {1.0e9, 1.2e9, 1.4e9, 1.5e9, 2.0e9}}}; }

/// The model answers with the row's power, in GHz: a test says what is wanted by what it
/// "measures".
std::unique_ptr<Agent> echo() {
  return make_model_agent(
      std::make_unique<test::FakeModel>([](std::span<const double> row) { return row[1]; }));
}

double step(Agent& agent, double ghz, const std::vector<double>& policy) {
  const std::vector<double> row{1e9, ghz, 1, 1, 1};
  std::vector<double> decision(1);
  agent.step({0, 1, row}, policy, decision);
  return decision[0];
}

TEST(TorchAgent, SnapsAndClampsWithinThePolicyAndTheDevice) {
  const std::vector<double> free{kNan, kNan, 0.5};
  const std::vector<double> narrow{1.1e9, 1.45e9, 0.5};
  struct Case {
    double wanted, free, narrow;
  };
  for (const Case& c : {Case{1.19, 1.2e9, 1.2e9}, Case{0.1, 1.0e9, 1.2e9}, Case{9, 2.0e9, 1.4e9},
                        Case{-5, 1.0e9, 1.2e9}, Case{kNan, 2.0e9, 1.4e9}, Case{1e300, 2.0e9, 1.4e9},
                        Case{1.48, 1.5e9, 1.4e9}}) {
    const auto agent = echo();
    ASSERT_TRUE(agent->start(one_gpu(), free));
    EXPECT_EQ(c.free, step(*agent, c.wanted, free)) << c.wanted;
    ASSERT_TRUE(agent->start(one_gpu(), narrow));
    EXPECT_EQ(c.narrow, step(*agent, c.wanted, narrow)) << c.wanted;
  }
}

TEST(TorchAgent, AChangeMustPersist) {
  const std::vector<double> policy{kNan, kNan, 0.5};
  const auto agent = echo();
  ASSERT_TRUE(agent->start(one_gpu(), policy));
  EXPECT_EQ(1.4e9, step(*agent, 1.4, policy));  // the first answer is taken at once
  EXPECT_EQ(1.4e9, step(*agent, 2.0, policy));  // one step up is a blip
  EXPECT_EQ(1.4e9, step(*agent, 1.4, policy));
  EXPECT_EQ(1.4e9, step(*agent, 1.0, policy));
  EXPECT_EQ(1.4e9, step(*agent, 2.0, policy));  // the other way: starts anew
  EXPECT_EQ(1.5e9, step(*agent, 1.5, policy));  // up twice: the latest is taken
}

TEST(TorchAgent, ChangesWithinTheDeadBandAreNotMade) {
  PartLimits fine{1.0e9, 2.0e9, {}};
  for (double clock = 1.0e9; clock <= 2.0e9; clock += 5e6) fine.supported.push_back(clock);
  const std::vector<double> policy{kNan, kNan, 0.5};
  const auto agent = echo();
  ASSERT_TRUE(agent->start(std::vector<PartLimits>{fine}, policy));
  EXPECT_EQ(1.5e9, step(*agent, 1.5, policy));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(1.5e9, step(*agent, 1.51, policy));  // 1 % of 1 GHz
  step(*agent, 1.515, policy);
  EXPECT_EQ(1.515e9, step(*agent, 1.515, policy));
}

TEST(TorchAgent, WhatCannotBeSeenIsNotSlowedEvenIfTheModelAnswers) {
  const auto agent = make_model_agent(
      std::make_unique<test::FakeModel>([](std::span<const double>) { return 1.0; }));
  const std::vector<double> policy{kNan, kNan, 0.5};
  ASSERT_TRUE(agent->start(one_gpu(), policy));
  EXPECT_EQ(1.0e9, step(*agent, 100, policy));
  EXPECT_EQ(2.0e9, step(*agent, kNan, policy));
  EXPECT_EQ(2.0e9, step(*agent, 100, policy));  // one step back is not enough
  EXPECT_EQ(1.0e9, step(*agent, 100, policy));
  EXPECT_EQ(1U, agent->report_lines().size());
}

TEST(TorchAgent, TheModelSeesPhiAndTheRowsInOrder) {
  std::vector<double> seen;
  const auto agent =
      make_model_agent(std::make_unique<test::FakeModel>([&seen](std::span<const double> row) {
        seen.assign(row.begin(), row.end());
        return 1.0;
      }));
  const std::vector<double> policy{kNan, kNan, 0.25};
  ASSERT_TRUE(agent->start(one_gpu(), policy));
  const std::vector<double> row{1.38e9, 200, 0.9, 0.8, 0.7};
  std::vector<double> decision(1);
  agent->step({0, 1, row}, policy, decision);
  EXPECT_EQ((std::vector<double>{1.38e9, 200, 0.9, 0.8, 0.7, 0.25}), seen);
}

TEST(TorchAgent, WithoutAModelItTellsWhatItIsButDoesNotStart) {
  const auto agent = make_torch_agent({}).value();
  EXPECT_EQ("torch", agent->info().name);
  const auto refused = agent->start(one_gpu(), std::vector<double>{kNan, kNan, 0.5});
  ASSERT_FALSE(refused);
  EXPECT_NE(std::string::npos, refused.error().what.find("--model"));
}

}  // namespace
}  // namespace mete
