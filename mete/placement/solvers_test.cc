// Every solver against trying everything, and against figures that another program found.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/placement/placement_test_support.h"
#include "mete/placement/solver.h"

namespace mete {
namespace {

LpRuntime* runtime() {
  const auto opened = open_lp_runtime();
  return opened ? *opened : nullptr;
}

class SolversTest : public ::testing::Test {
 protected:
  void SetUp() override {
    request_.lp = runtime();
    if (request_.lp == nullptr) GTEST_SKIP() << open_lp_runtime().error().what;
  }

  /// Every answer is legal, no better than the best of all, and its bound no higher than that.
  void compare_with_all(std::string_view name, bool still, bool forced, double tolerance,
                        bool reserved = false) {
    const Solver& solver = *find_solver(name).value();
    Rng rng(still ? 5 : 6);
    for (int round = 0; round < 40; ++round) {
      auto problem = test::random_problem(rng, 3, 3, forced);
      for (auto& kernel : problem.kernels) kernel.reserved_bytes = reserved ? rng.below(30) : 0;
      if (least_memory(problem).bytes > all_fast_peak(problem)) continue;
      ASSERT_TRUE(check(problem)) << check(problem).error().what;
      const double share = rng.uniform();
      request_.limit_bytes =
          std::max(least_memory(problem).bytes,
                   static_cast<std::uint64_t>(share * static_cast<double>(all_fast_peak(problem))));
      const double best = test::try_all(problem, request_.limit_bytes, still);
      const auto solved = solve(solver, problem, request_);
      if (!std::isfinite(best)) {
        EXPECT_FALSE(solved) << round;
        continue;
      }
      ASSERT_TRUE(solved) << round << ": " << solved.error().what;
      EXPECT_GE(solved->verdict.seconds, best * (1 - 1e-9)) << round;
      EXPECT_LE(solved->verdict.seconds, best * (1 + tolerance)) << round;
      EXPECT_LE(solved->plan.figures.lower_bound_seconds, best * (1 + 1e-9)) << round;
      EXPECT_GE(solved->plan.figures.lower_bound_seconds, best * (1 - tolerance)) << round;
    }
  }

  SolveRequest request_{.target_gap = 0};
};

TEST_F(SolversTest, SynchronousFindsTheBestOfAll) {
  compare_with_all("synchronous", false, false, 1e-6);
  compare_with_all("synchronous", false, true, 1e-6);
}

TEST_F(SolversTest, StaticFindsTheBestOfAll) {
  compare_with_all("static", true, false, 1e-6);
  compare_with_all("static", true, true, 1e-6);
}

TEST_F(SolversTest, WhatIsReservedIsLeftFree) {
  compare_with_all("synchronous", false, false, 1e-6, true);
  compare_with_all("static", true, false, 1e-6, true);
}

TEST_F(SolversTest, AutotmAgrees) {
  compare_with_all("autotm", false, false, 1e-6);
  compare_with_all("autotm", false, true, 1e-6);
}

TEST_F(SolversTest, HiddenMovesAreNeverSlowerThanWaiting) {
  Rng rng(8);
  for (int round = 0; round < 5; ++round) {
    const auto problem = test::random_problem(rng, 8, 12, false);
    request_.limit_bytes = all_fast_peak(problem) / 3;
    const auto waiting = solve(*find_solver("synchronous").value(), problem, request_).value();
    const auto hidden = solve(*find_solver("asynchronous").value(), problem, request_);
    ASSERT_TRUE(hidden) << hidden.error().what;
    EXPECT_LE(hidden->verdict.seconds, waiting.verdict.seconds * (1 + 1e-3)) << round;
    EXPECT_LE(hidden->plan.figures.lower_bound_seconds, hidden->verdict.seconds);
  }
}

TEST_F(SolversTest, TheSameSeedGivesTheSamePlan) {
  Rng rng(9);
  const auto problem = test::random_problem(rng, 7, 9, false);
  request_.limit_bytes = all_fast_peak(problem) / 3;
  for (const auto& solver : builtin_solvers()) {
    if (solver.name == "all-fast") continue;
    const auto first = solve(solver, problem, request_);
    const auto second = solve(solver, problem, request_);
    ASSERT_TRUE(first && second) << solver.name;
    EXPECT_EQ(placement_text(problem, first->plan), placement_text(problem, second->plan));
  }
}

TEST_F(SolversTest, PlansReadBackAndOthersAreRefused) {
  Rng rng(10);
  const auto problem = test::random_problem(rng, 6, 8, false);
  request_.limit_bytes = all_fast_peak(problem) / 2;
  const auto solved = solve(*find_solver("synchronous").value(), problem, request_).value();
  const auto text = placement_text(problem, solved.plan);
  const auto again = parse_placement(text, problem, "plan.json");
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(placement_text(problem, *again), text);
  for (std::size_t n = 0; n + 2 < text.size(); n += 7) {
    EXPECT_FALSE(parse_placement(text.substr(0, n), problem, "plan.json"));
  }
  auto other = problem;
  for (auto& kernel : other.kernels) {
    for (auto& s : kernel.seconds) s *= 2;
  }
  const auto refused = parse_placement(text, other, "plan.json");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("another problem"), std::string::npos);
}

TEST_F(SolversTest, ALimitBelowTheLargestKernelSaysTheLeast) {
  Problem problem;
  problem.rates = {.fast_to_slow = 1, .slow_to_fast = 1};
  problem.add_tensor(100);
  problem.add_tensor(50);
  problem.add_kernel("Conv", {0, 1}, {1, kCannotRun, kCannotRun, kCannotRun});
  ASSERT_TRUE(check(problem));
  request_.limit_bytes = 149;
  for (const auto* name : {"synchronous", "static"}) {
    const auto solved = solve(*find_solver(name).value(), problem, request_);
    ASSERT_FALSE(solved);
    EXPECT_EQ(solved.error().code, Errc::invalid);
    EXPECT_NE(solved.error().what.find("below the 150"), std::string::npos) << solved.error().what;
    EXPECT_NE(solved.error().what.find("kernel 0 (Conv)"), std::string::npos);
  }
  request_.limit_bytes = 150;
  EXPECT_TRUE(solve(*find_solver("synchronous").value(), problem, request_));
}

TEST_F(SolversTest, LeastMemoryKeepsItsPromise) {
  Rng rng(13);
  const auto problem = test::random_problem(rng, 3, 3, false);
  const Solver& solver = *find_solver("synchronous").value();
  for (const double slowdown : {0.0, 0.1, 0.5}) {
    const auto least = least_fast_memory(solver, problem, request_, slowdown).value();
    const double goal = all_fast_seconds(problem) * (1 + slowdown);
    EXPECT_LE(least.solved.verdict.seconds, goal);
    EXPECT_LE(least.proven_bytes, least.solved.plan.figures.limit_bytes);
    if (least.proven_bytes > 0) {
      EXPECT_GT(test::try_all(problem, least.proven_bytes - 1, false), goal * (1 - 1e-9));
    }
    if (least.solved.plan.figures.limit_bytes > 0) {
      const auto below = least.solved.plan.figures.limit_bytes * 99 / 100;
      if (below < least.solved.plan.figures.limit_bytes - 1) {
        EXPECT_GT(test::try_all(problem, below, false), goal);
      }
    }
  }
}

TEST(SearchLeast, FindsTheLeastThatIsEnough) {
  Rng rng(21);
  for (int i = 0; i < 2000; ++i) {
    LimitSearch search;
    search.lowest = rng.below(1000);
    search.most = search.lowest + 1 + rng.below(1'000'000);
    search.first = rng.below(1'200'000);
    search.parts = 1 + rng.below(500);
    const std::uint64_t least = search.lowest + 1 + rng.below(1'200'000);
    std::uint64_t kept = 0;
    int tries = 0;
    const auto found = search_least(search, [&](std::uint64_t limit) -> Result<bool> {
      ++tries;
      EXPECT_LE(limit, search.most);
      EXPECT_GE(limit, search.lowest);
      if (limit < least && limit % 2 == 0) return fail(Errc::unsupported, "too little");
      if (limit >= least) kept = limit;
      return limit >= least;
    });
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, least <= search.most);
    EXPECT_LT(tries, 60);
    if (!*found) continue;
    EXPECT_GE(kept, least);
    EXPECT_LE(kept - least, std::max<std::uint64_t>(1, kept / search.parts));
  }
}

TEST(SearchLeast, AFailureThatIsNoAnswerEndsIt) {
  int tries = 0;
  const auto found = search_least({0, 10, 1000, 500}, [&](std::uint64_t limit) -> Result<bool> {
    ++tries;
    if (limit > 20) return fail(Errc::failed, "interrupted");
    return false;
  });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().what, "interrupted");
  EXPECT_EQ(tries, 5) << "10, 11, 13 and 17 are too little, 25 ends it";
}

/// Kernel times measured by darchr/AutoTM; bounds from another person's linear program.
TEST_F(SolversTest, BoundsOfRealNetworksAreThoseThatOthersFound) {
  const struct {
    const char* file;
    double bound;
  } cases[] = {{"vgg19", 1.284485}, {"resnet50", 0.510040}, {"inception", 0.998543}};
  const std::string folder = METE_SOURCE_DIR "/../shared/data/placement/";
  if (!is_directory(folder)) GTEST_SKIP() << folder << " is not there";
  request_.target_gap = 3e-4;
  for (const auto& c : cases) {
    const auto problem = read_problem(folder + c.file + ".json.gz");
    ASSERT_TRUE(problem) << problem.error().what;
    request_.limit_bytes = limit_of_ratio("4:1", *problem).value();
    const auto solved = solve(*find_solver("synchronous").value(), *problem, request_).value();
    EXPECT_GE(solved.plan.figures.lower_bound_seconds, c.bound * (1 - 1e-4)) << c.file;
    EXPECT_LE(solved.plan.figures.gap, 5e-4) << c.file;
    const auto numa = solve(*find_solver("numa").value(), *problem, request_).value();
    EXPECT_GT(numa.verdict.seconds, 1.5 * solved.verdict.seconds) << c.file;
  }
}

TEST(Ratio, IsSlowToFast) {
  Rng rng(1);
  const auto problem = test::random_problem(rng, 5, 5, false);
  const auto peak = all_fast_peak(problem);
  EXPECT_EQ(limit_of_ratio("4", problem).value(), peak / 5);
  EXPECT_EQ(limit_of_ratio("4:1", problem).value(), peak / 5);
  EXPECT_EQ(limit_of_ratio("1:0", problem).value(), 0U);
  EXPECT_EQ(limit_of_ratio("0:1", problem).value(), peak);
  for (const auto* bad : {"", "x", "4:", "-1", "1:2:3", "0:0", "nan", "inf"}) {
    EXPECT_FALSE(limit_of_ratio(bad, problem)) << bad;
  }
}

}  // namespace
}  // namespace mete
