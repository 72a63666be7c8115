// Solving again with less room, from the placement found before, against trying everything and
// against solving anew. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/placement/placement_test_support.h"
#include "mete/placement/solver.h"

namespace mete {
namespace {

class WarmStartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto opened = open_lp_runtime();
    if (!opened) GTEST_SKIP() << opened.error().what;
    request_.lp = *opened;
  }

  static WarmStart from(const SolvedPlan& solved) {
    return {solved.plan.placement, solved.memory_price, solved.plan.figures.lower_bound_seconds,
            solved.verdict.seconds};
  }

  SolveRequest request_;
};

TEST_F(WarmStartTest, AnswersAreLegalAndTheBoundHolds) {
  for (const char* name : {"synchronous", "static"}) {
    const Solver& solver = *find_solver(name).value();
    const bool still = solver.name == "static";
    Rng rng(12);
    double above = 0;
    int rounds = 0;
    for (int round = 0; round < 60; ++round) {
      auto problem = test::random_problem(rng, 3, 4, round % 2 == 1);
      request_.limit_bytes = all_fast_peak(problem) / 2;
      const auto first = solve(solver, problem, request_);
      if (!first) continue;  // some cannot run in so little
      for (auto& kernel : problem.kernels) kernel.reserved_bytes = rng.below(8);
      if (least_memory(problem).bytes > request_.limit_bytes) continue;
      const double best = test::try_all(problem, request_.limit_bytes, still);
      const WarmStart warm = from(*first);
      SolveRequest again = request_;
      again.warm = &warm;
      const auto second = solve(solver, problem, again);
      if (!std::isfinite(best)) {
        EXPECT_FALSE(second) << name << round;
        continue;
      }
      ASSERT_TRUE(second) << name << round << ": " << second.error().what;
      EXPECT_GE(second->verdict.seconds, best * (1 - 1e-9)) << name << round;
      EXPECT_LE(second->plan.figures.lower_bound_seconds, best * (1 + 1e-9)) << name << round;
      above += second->verdict.seconds / best - 1;
      ++rounds;
    }
    ASSERT_GT(rounds, 20) << name;
    EXPECT_LT(above / rounds, 0.02) << name << ": " << rounds << " problems";
  }
}

TEST_F(WarmStartTest, LargeProblemsStayAsGoodAsSolvedAnew) {
  const std::string path = METE_SOURCE_DIR "/../shared/data/placement/resnet50.json.gz";
  const auto problem = read_problem(path);
  if (!problem) GTEST_SKIP() << problem.error().what;
  const Solver& solver = *find_solver("synchronous").value();
  request_.limit_bytes = limit_of_ratio("4:1", *problem).value();
  const auto first = solve(solver, *problem, request_);
  ASSERT_TRUE(first) << first.error().what;
  Problem less = *problem;
  for (std::size_t k = 0; k < less.kernels.size(); ++k) {
    if (k % 7 == 3) less.kernels[k].reserved_bytes = request_.limit_bytes / 200;
  }
  const WarmStart warm = from(*first);
  SolveRequest again = request_;
  again.warm = &warm;
  const auto second = solve(solver, less, again);
  const auto anew = solve(solver, less, request_);
  ASSERT_TRUE(second && anew);
  EXPECT_LE(second->verdict.seconds, anew->verdict.seconds * 1.002);
  EXPECT_LE(second->plan.figures.lower_bound_seconds, anew->verdict.seconds);
}

TEST_F(WarmStartTest, AnAnswerToAnotherProblemIsRefused) {
  Rng rng(13);
  const auto problem = test::random_problem(rng, 5, 6, false);
  const auto other = test::random_problem(rng, 6, 6, false);
  request_.limit_bytes = all_fast_peak(problem) / 2;
  const Solver& solver = *find_solver("synchronous").value();
  const WarmStart warm = from(solve(solver, problem, request_).value());
  request_.limit_bytes = all_fast_peak(other);
  request_.warm = &warm;
  const auto refused = solve(solver, other, request_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::internal);
}

}  // namespace
}  // namespace mete
