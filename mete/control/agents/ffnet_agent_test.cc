// The agent with GEOPM's own dummy network and map, and with small ones whose answers are plain.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/ffnet_agent.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mete/base/files.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<PartLimits> gpus(std::size_t n) {
  return std::vector<PartLimits>(n, PartLimits{0.5e9, 2.4e9, {}});
}

std::unique_ptr<Agent> agent_of(std::string_view net, std::string_view map) {
  return make_ffnet_agent(FeedForwardNet::parse(net, "net").value(),
                          FrequencyMap::parse(map, "map").value())
      .value();
}

double decide(Agent& agent, const std::vector<double>& row, double phi = 0) {
  std::vector<double> decision{-1};
  agent.step({0, 1, row}, std::vector<double>{phi}, decision);
  return decision[0];
}

/// Two regions; the score of the second is the signal, that of the first is 0.
constexpr std::string_view kNet =
    R"({"signal_inputs": ["POWER"], "trace_outputs": ["calm", "busy"],
        "layers": [[[[0], [1]], [0, 0]]]})";
constexpr std::string_view kMap = R"({"calm": [1.6e9, 1.2e9, 0.8e9], "busy": [2.0e9, 1.0e9]})";

// ---- GEOPM's files ----

class GeopmFfnet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!path_exists(context_.model_path) || !path_exists(context_.frequency_map_path)) {
      GTEST_SKIP() << "GEOPM's ffnet_dummy.json and fmap_dummy.json are not beside the sources";
    }
  }
  const AgentContext context_{METE_SOURCE_DIR "/../shared/data/geopm/ffnet_dummy.json",
                              METE_SOURCE_DIR "/../shared/data/geopm/fmap_dummy.json"};
};

TEST_F(GeopmFfnet, DecidesByTheRegionsHash) {
  const auto made = make_agent("ffnet", context_);
  ASSERT_TRUE(made) << made.error().what;
  Agent& agent = **made;
  EXPECT_EQ((std::vector<std::string>{"REGION_HASH"}), agent.info().signals);
  ASSERT_TRUE(agent.start(gpus(1), std::vector<double>{0.0}));
  // The region's output scores 1/(1+e) - 1/2, the five others 0. The map has 1.0, 1.2, 2.1 and
  // 1.6 GHz, and not two of the regions: these have the top clock, 2.4 GHz. Sum: 10.7 GHz.
  const double weight = std::exp(1 / (1 + std::exp(1.0)) - 0.5);
  struct Case {
    double hash, own;
  };
  for (const Case& c :
       {Case{0x536c798f, 1.0e9}, Case{0x644f9787, 2.4e9}, Case{0x725e8066, 2.4e9},
        Case{0xa74bbf35, 1.2e9}, Case{0xd691da00, 2.1e9}, Case{0xeebad5f7, 1.6e9}}) {
    const double expected = (10.7e9 - c.own + weight * c.own) / (5 + weight);
    EXPECT_NEAR(expected, decide(agent, {c.hash}), 1) << c.hash;
  }
  // No region's hash: all alike.
  EXPECT_NEAR(10.7e9 / 6, decide(agent, {12345}), 1);
  EXPECT_TRUE(std::isnan(decide(agent, {kNan})));
}

TEST_F(GeopmFfnet, TracesTheScoresUnderGeopmsNamesAndTellsWhatTheMapLacks) {
  const auto agent = make_agent("ffnet", context_).value();
  ASSERT_TRUE(agent->start(gpus(2), std::vector<double>{0.0}));
  const auto columns = agent->trace_columns();
  ASSERT_EQ(12U, columns.size());
  EXPECT_EQ("geopmbench-0x536c798f_gpu_0", columns.front());
  EXPECT_EQ("geopmbench-0xeebad5f7_gpu_1", columns.back());
  const auto lines = agent->report_lines();
  ASSERT_EQ(1U, lines.size());
  EXPECT_EQ("geopmbench-0x644f9787, geopmbench-0x725e8066", lines[0].second);
}

// ---- small ones ----

TEST(FfnetAgent, MixesByTheScoresAndPhi) {
  const auto agent = agent_of(kNet, kMap);
  ASSERT_TRUE(agent->start(gpus(1), std::vector<double>{0.0}));
  EXPECT_NEAR(1.8e9, decide(*agent, {0}), 1);
  EXPECT_NEAR(1.9e9, decide(*agent, {std::log(3.0)}), 1);
  EXPECT_NEAR(2.0e9, decide(*agent, {1e6}), 1);  // GEOPM: exp overflows
  EXPECT_NEAR(1.6e9, decide(*agent, {-1e6}), 1);
  // phi 0.5 is calm's second of three and busy's first of two.
  EXPECT_NEAR(1.6e9, decide(*agent, {0}, 0.5), 1);
  EXPECT_NEAR(0.9e9, decide(*agent, {0}, 1), 1);
  EXPECT_TRUE(std::isnan(decide(*agent, {kInfinity}))) << "0 times infinity is no score";
}

TEST(FfnetAgent, WithoutScoresNothingIsDecided) {
  const auto agent = agent_of(kNet, kMap);
  ASSERT_TRUE(agent->start(gpus(1), std::vector<double>{0.0}));
  EXPECT_TRUE(agent->report_lines().empty());
  EXPECT_TRUE(std::isnan(decide(*agent, {kNan})));
  EXPECT_TRUE(std::isnan(decide(*agent, {})));
  ASSERT_EQ(1U, agent->report_lines().size());
  EXPECT_EQ("2", agent->report_lines()[0].second);
}

TEST(FfnetAgent, ClampsToTheDeviceAndItsSupportedClocks) {
  const auto agent = agent_of(kNet, R"({"calm": [1e6], "busy": [9e9]})");
  ASSERT_TRUE(agent->start(gpus(1), std::vector<double>{0.0}));
  EXPECT_EQ(0.5e9, decide(*agent, {-100}));
  EXPECT_EQ(2.4e9, decide(*agent, {100}));
  const auto snapping = agent_of(kNet, kMap);
  const std::vector<PartLimits> some{{1e9, 2e9, {1e9, 1.7e9, 2e9}}};
  ASSERT_TRUE(snapping->start(some, std::vector<double>{0.0}));
  EXPECT_EQ(1.7e9, decide(*snapping, {0}));  // 1.8
}

TEST(FfnetAgent, DeltasAreRatiosOfChanges) {
  // ENERGY is a signal, too, and comes once in a row; the score of "busy" is dE/dT - 100.
  const auto agent = agent_of(
      R"({"signal_inputs": ["ENERGY"], "delta_inputs": [["ENERGY", "TIME"]],
          "trace_outputs": ["calm", "busy"], "layers": [[[[0, 0], [0, 1]], [0, -100]]]})",
      R"({"calm": [1e9], "busy": [2e9]})");
  EXPECT_EQ((std::vector<std::string>{"ENERGY", "TIME"}), agent->info().signals);
  for (int run = 0; run < 2; ++run) {  // a second start knows nothing of the first
    ASSERT_TRUE(agent->start(gpus(1), std::vector<double>{0.0}));
    EXPECT_TRUE(std::isnan(decide(*agent, {5000, 10.0}))) << "no change is known yet";
    EXPECT_NEAR(1.5e9, decide(*agent, {5100, 11.0}), 1);
    EXPECT_NEAR(2.0e9, decide(*agent, {5200, 11.5}), 1);  // 200 W
    EXPECT_NEAR(1.0e9, decide(*agent, {5200, 12.0}), 1);  // 0 W
    EXPECT_TRUE(std::isnan(decide(*agent, {kNan, 12.5})));
    EXPECT_TRUE(std::isnan(decide(*agent, {5300, 13.0}))) << "the change spans a gap";
    EXPECT_NEAR(1.5e9, decide(*agent, {5350, 13.5}), 1);
    EXPECT_TRUE(std::isnan(decide(*agent, {5350, 13.5}))) << "0 / 0";
  }
}

TEST(FfnetAgent, EveryGpuHasItsOwnHistoryAndScores) {
  const auto agent = agent_of(
      R"({"delta_inputs": [["A", "B"]], "trace_outputs": ["calm", "busy"],
          "layers": [[[[0], [1]], [0, 0]]]})",
      kMap);
  ASSERT_TRUE(agent->start(gpus(2), std::vector<double>{0.0}));
  std::vector<double> decisions(2);
  const std::vector<double> policy{0.0};
  agent->step({0, 2, std::vector<double>{0, 0, 10, 10}}, policy, decisions);
  agent->step({0, 2, std::vector<double>{0, 1, 10.5, 10.25}}, policy, decisions);
  std::vector<double> scores(4);
  agent->trace_values(scores);
  EXPECT_EQ((std::vector<double>{0, 0, 0, 2}), scores);
  EXPECT_NEAR(1.8e9, decisions[0], 1);
  EXPECT_GT(decisions[1], 1.9e9);
}

TEST(FfnetAgent, OldNamesAreTheSameSignal) {
  const auto agent = agent_of(
      R"({"signal_inputs": ["NVML::POWER", "GPU_POWER"], "trace_outputs": ["calm", "busy"],
          "layers": [[[[0, 0], [1, -1]], [0, 0]]]})",
      kMap);
  EXPECT_EQ((std::vector<std::string>{"GPU_POWER"}), agent->info().signals);
  ASSERT_TRUE(agent->start(gpus(1), std::vector<double>{0.0}));
  EXPECT_NEAR(1.8e9, decide(*agent, {77}), 1);
}

TEST(FfnetAgent, BothFilesAreNeeded) {
  const auto agent = make_ffnet_agent(AgentContext()).value();
  const auto refused = agent->start(gpus(1), std::vector<double>{0.0});
  ASSERT_FALSE(refused);
  EXPECT_NE(std::string::npos, refused.error().what.find("--frequency-map"));
  AgentContext half;
  half.model_path = "net.json";
  auto made = make_ffnet_agent(half);
  ASSERT_FALSE(made);
  EXPECT_NE(std::string::npos, made.error().what.find("--frequency-map"));
  half = {};
  half.frequency_map_path = "map.json";
  made = make_ffnet_agent(half);
  ASSERT_FALSE(made);
  EXPECT_NE(std::string::npos, made.error().what.find("--model"));
}

TEST(FfnetAgent, AMapOfOtherRegionsIsRefused) {
  const auto made = make_ffnet_agent(FeedForwardNet::parse(kNet, "net").value(),
                                     FrequencyMap::parse(R"({"Calm": [1e9]})", "map").value());
  ASSERT_FALSE(made);
  EXPECT_EQ(Errc::invalid, made.error().code);
  EXPECT_NE(std::string::npos, made.error().what.find("calm, busy")) << made.error().what;
}

}  // namespace
}  // namespace mete
