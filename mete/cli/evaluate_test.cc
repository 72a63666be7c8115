// evaluate from its parts and from its command line: that no test row reaches training, and the
// figures that the frontier agent must reach on measurements it has not seen.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/rng.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/evaluate_work.h"
#include "mete/learn/response_model.h"

namespace mete {
namespace {

class EvaluateTest : public ::testing::Test {
 protected:
  EvaluateTest() : folder_(fmt::format("{}/mete-evaluate-{}", ::testing::TempDir(), ::getpid())) {}
  ~EvaluateTest() override {
    std::remove((folder_ + "/a/b.csv").c_str());
    std::remove((folder_ + "/m.json").c_str());
    ::rmdir((folder_ + "/a").c_str());
    ::rmdir(folder_.c_str());
  }

  /// The v100 board with time, power and activities of one set's rows made up.
  [[nodiscard]] std::string scrambled(std::string_view set) const {
    const auto text = read_file(METE_SOURCE_DIR "/boards/v100.csv").value();
    Rng rng(8);
    std::string out;
    for (const auto line : split(text, '\n')) {
      auto cells = split(line, ',');
      std::vector<std::string> made(cells.begin(), cells.end());
      if (cells.front() == set) {
        for (std::size_t i = 6; i < made.size(); ++i) {
          if (!made[i].empty()) made[i] = fmt::format("{}", 0.01 + 0.98 * rng.uniform());
        }
      }
      out += join(made, ",") + "\n";
    }
    return out;
  }
  [[nodiscard]] EvaluationData data_of(const std::string& csv) const {
    EXPECT_TRUE(make_directories(folder_ + "/a"));
    EXPECT_TRUE(write_file_atomically(folder_ + "/a/b.csv", csv));
    return load_evaluation_data(folder_ + "/a/b.csv", "set=micro", "set=real").value();
  }
  /// Runs the verb; its JSON.
  static Json json_of(std::vector<std::string> words, int expected = 0) {
    words.insert(words.begin(), {"mete", "evaluate"});
    words.emplace_back("--json");
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    SteadyClock clock;
    const NoInterrupt interrupt;
    ::testing::internal::CaptureStdout();
    const int code = run_command_line(static_cast<int>(argv.size()), argv.data(),
                                      {clock, interrupt, SysRoot(), "", "node"});
    const auto text = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(expected, code) << join(words, " ");
    return code == 0 ? parse_json(text).value() : Json();
  }

  std::string folder_;
};

std::string model_of(const EvaluationData& data) {
  return ResponseModel::learn(response_data(data.train, "set=micro")).value().to_json().dump();
}

TEST_F(EvaluateTest, TestRowsNeverReachTraining) {
  const auto plain = read_file(METE_SOURCE_DIR "/boards/v100.csv").value();
  const auto honest = data_of(plain);
  const auto before = model_of(honest);
  const auto other_test = data_of(scrambled("real"));
  EXPECT_NE(honest.test.kernels[0].points[0].seconds, other_test.test.kernels[0].points[0].seconds);
  EXPECT_EQ(before, model_of(other_test));
  EXPECT_NE(before, model_of(data_of(scrambled("micro"))));  // the test can fail
}

TEST_F(EvaluateTest, AHiddenSignalIsNotThereForTheAgent) {
  const auto data = load_evaluation_data("v100", "set=micro", "set=real").value();
  EvaluatePlan plan;
  plan.agent = "gpu_activity";
  plan.goals = {{.phi = 0.5}};
  plan.trial.machine = MachineOptions::exact();
  const auto maker = controller_maker(plan, plan.goals[0]).value();
  EXPECT_TRUE(run_trial(data.test, 0, maker, plan.trial));
  plan.trial.hidden = {"GPU_CORE_ACTIVITY"};
  const auto refused = run_trial(data.test, 0, maker, plan.trial);
  ASSERT_FALSE(refused);
  EXPECT_EQ(Errc::unavailable, refused.error().code);
}

TEST_F(EvaluateTest, AnAgentThatHoldsTheTopClockIsTheBaseline) {
  const Json json = json_of({"v100", "--train", "set=micro", "--test", "set=real", "--agent",
                             "fixed", "--phi", "0:1:0.1"});
  EXPECT_EQ(json["objective_regret"].dump(),
            json["baselines"]["always_top"]["objective_regret"].dump());
  EXPECT_EQ(220U, json["kernels"].items().size());
  EXPECT_NEAR(0, json["run"]["slowdown"].as_number(), 1e-9);
  EXPECT_NEAR(0, json["run"]["energy_saved"].as_number(), 1e-9);
  EXPECT_EQ(0, json["probing"]["steps"].as_number());
}

TEST_F(EvaluateTest, FrontierOnKernelsItHasNotSeen) {
  const Json json =
      json_of({"v100", "--train", "set=micro", "--test", "set=real", "--phi", "0:1:0.1"});
  EXPECT_LE(json["objective_regret"]["mean"].as_number(), 0.003);
  EXPECT_LE(json["objective_regret"]["p95"].as_number(), 0.015);
  EXPECT_EQ(0, json["probing"]["unsettled"].as_number());
  EXPECT_GT(json["probing"]["steps"].as_number(), 0);
}

TEST_F(EvaluateTest, FrontierWithinABound) {
  const struct {
    const char* bound;
    double kept;
  } cases[] = {{"10%", 0.90}, {"0.05", 0.85}};
  for (const auto& one : cases) {
    const Json json = json_of(
        {"v100", "--train", "set=micro", "--test", "set=real", "--max-slowdown", one.bound});
    EXPECT_GE(json["saving_kept"].as_number(), one.kept) << one.bound;
    EXPECT_EQ(0, json["over_bound"]["cases"].as_integer()) << one.bound;
    EXPECT_EQ(20U, json["kernels"].items().size());
  }
}

TEST_F(EvaluateTest, FrontierOnABoardItWasNotTrainedOn) {
  const Json json =
      json_of({"jetson-agx", "--train", "v100:set=micro", "--test", "all", "--phi", "0:1:0.1"});
  EXPECT_LE(json["objective_regret"]["mean"].as_number(), 0.015);
  EXPECT_EQ(0U, json["hidden_signals"].items().size());
}

TEST_F(EvaluateTest, FrontierUnderARealisticSensor) {
  const Json json = json_of({"v100", "--train", "set=micro", "--test", "set=real", "--phi",
                             "0:1:0.5", "--sensor", "realistic", "--hide", "GPU_ENERGY"});
  EXPECT_EQ(20, json["repeats"].as_integer());
  EXPECT_EQ(20U * 20 * 3, json["kernels"].items().size());
  EXPECT_LE(json["objective_regret"]["mean"].as_number(), 0.01);
  const Json& interval = json["intervals"]["objective_regret_mean"];
  EXPECT_LE(interval["low"].as_number(), json["objective_regret"]["mean"].as_number());
  EXPECT_GE(interval["high"].as_number(), json["objective_regret"]["mean"].as_number());
}

TEST_F(EvaluateTest, AlternatingWorkSavesMoreThanTheBestSingleClock) {
  ASSERT_TRUE(make_directories(folder_));
  const std::string program = folder_ + "/m.json";  // removed with the rest
  ASSERT_TRUE(write_file_atomically(
      program, "repeat 15\n kernel fastWalshTransform 2\n kernel binomialOptions 2\nend\n"));
  for (const auto* sensor : {"exact", "realistic"}) {
    const Json json = json_of({"v100", "--train", "set=micro", "--test", "set=real",
                               "--max-slowdown", "10%", "--program", program, "--sensor", sensor});
    EXPECT_GT(json["run"]["energy_saved"].as_number(),
              json["best_fixed_clock"]["energy_saved"].as_number());
    EXPECT_LE(json["run"]["slowdown"].as_number(), 0.10);
    EXPECT_LE(json["best_fixed_clock"]["slowdown"].as_number(), 0.10);
    EXPECT_EQ(10U, json["fixed_clocks"].items().size());
  }
}

TEST_F(EvaluateTest, AKeptModelDecidesAsTheLearnedOne) {
  ASSERT_TRUE(make_directories(folder_));
  const std::string path = folder_ + "/m.json";
  const std::vector<std::string> words{
      "v100", "--train", "set=micro", "--test", "kernel=vectorAdd", "--phi", "0.5"};
  auto saving = words;
  saving.insert(saving.end(), {"--save-model", path});
  auto loading = words;
  loading.insert(loading.end(), {"--model", path});
  const auto saved = json_of(saving)["kernels"].dump();
  EXPECT_EQ(saved, json_of(loading)["kernels"].dump());
}

TEST_F(EvaluateTest, WrongInputIsRefused) {
  const std::vector<std::string> rows{"v100", "--train", "set=micro", "--test", "set=real"};
  const std::vector<std::vector<std::string>> bad{
      {},
      {"--phi", "0.5", "--max-slowdown", "10%"},
      {"--phi", "2"},
      {"--phi", "0:1:0"},
      {"--phi", "1:0:0.1"},
      {"--phi", "0:1:0.0001"},
      {"--phi", ""},
      {"--max-slowdown", "10"},
      {"--phi", "1", "--sensor", "none"},
      {"--phi", "1", "--progress", "maybe"},
      {"--phi", "1", "--repeats", "0"},
      {"--phi", "1", "--agent", "frontiers"},
      {"--max-slowdown", "10%", "--agent", "gpu_activity"},
      {"--phi", "1", "--model", "/nowhere", "--save-model", "/tmp/x"},
      {"--phi", "0,1", "--program", "vectorAdd"},
      {"--phi", "1", "--program", "no-such-kernel"},
  };
  for (const auto& words : bad) {
    auto all = rows;
    all.insert(all.end(), words.begin(), words.end());
    ::testing::internal::CaptureStderr();
    json_of(all, 2);
    const auto said = ::testing::internal::GetCapturedStderr();
    EXPECT_TRUE(said.starts_with("mete evaluate: ")) << said;
    EXPECT_EQ(said.size() - 1, said.find('\n')) << said;
  }
}

}  // namespace
}  // namespace mete
