// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/evaluate_data.h"

#include <gtest/gtest.h>

namespace mete {
namespace {

TEST(EvaluateData, AStarStandsForAnyText) {
  EXPECT_TRUE(matches("gemm-*-128", "gemm-half-128"));
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("a**b", "ab"));
  EXPECT_TRUE(matches("*128", "128-128"));
  EXPECT_FALSE(matches("gemm-*-128", "gemm-half-1280"));
  EXPECT_FALSE(matches("", "a"));
  EXPECT_FALSE(matches("a", ""));
}

TEST(EvaluateData, RowsAreChosenBySetKernelAndBoard) {
  const auto choice = parse_rows("v100:set=micro, kernel=cache*", "--train");
  ASSERT_TRUE(choice) << choice.error().what;
  EXPECT_EQ("v100", choice->board);
  EXPECT_TRUE(choice->takes({"cachebench", "micro", {}}));
  EXPECT_FALSE(choice->takes({"cachebench", "real", {}}));
  EXPECT_FALSE(choice->takes({"shmem", "micro", {}}));
  EXPECT_TRUE(parse_rows("all", "--test")->takes({"any", "", {}}));
  for (const auto* bad : {"", "sets=a", "micro", "set=a,b", "v100:"}) {
    const auto refused = parse_rows(bad, "--train");
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(Errc::invalid, refused.error().code);
    EXPECT_TRUE(refused.error().what.starts_with("--train ")) << refused.error().what;
  }
}

TEST(EvaluateData, TrainingAndTestRowsAreApart) {
  const auto data = load_evaluation_data("v100", "set=micro", "set=real");
  ASSERT_TRUE(data) << data.error().what;
  EXPECT_EQ(138U, data->train.kernels.size());
  EXPECT_EQ(20U, data->test.kernels.size());
  for (const auto& kernel : data->train.kernels) EXPECT_EQ("micro", kernel.set);
  for (const auto& kernel : data->test.kernels) EXPECT_EQ("real", kernel.set);
  EXPECT_FALSE(load_evaluation_data("v100", "all", "set=real"));
  EXPECT_FALSE(load_evaluation_data("v100", "v100:set=real", "kernel=vectorAdd"));
  EXPECT_FALSE(load_evaluation_data("v100", "set=none", "set=real"));
  EXPECT_FALSE(load_evaluation_data("v100", "set=micro", "jetson-agx:all"));
  EXPECT_TRUE(load_evaluation_data("jetson-agx", "v100:set=micro", "all"));
}

}  // namespace
}  // namespace mete
