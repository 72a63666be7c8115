// Whole fits of small graphs: the limit is kept, the bound holds for every choice of homes, and
// programs survive their file. SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/fitted_plan.h"

#include <gtest/gtest.h>

#include "mete/execute/execute_test_support.h"
#include "mete/placement/solvers/compact/compact.h"

namespace mete {
namespace {

class FitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto runtime = open_lp_runtime();
    if (!runtime) GTEST_SKIP() << runtime.error().what;
    request_.solve.lp = *runtime;
    request_.clock = &clock_;
    request_.pack_effort = 0.001;
    request_.solve.effort = 0.02;
  }

  test::Subject subject(std::uint64_t seed) {
    Rng rng(seed);
    auto graph = test::random_step(rng);
    EXPECT_TRUE(graph);
    return test::subject_of(std::move(*graph), rng);
  }

  Result<FittedPlan> fit(const test::Subject& s, std::string_view solver, std::uint64_t limit) {
    METE_TRY(request_.solver, find_solver(solver));
    request_.solve.limit_bytes = limit;
    return fit_plan(s.graph, s.liveness, s.layouts, s.profile, request_);
  }

  std::uint64_t peak_of(const test::Subject& s) {
    const auto still =
        problem_of(s.graph, s.liveness, s.profile, homes_of(s.graph, s.liveness, Home::still));
    EXPECT_TRUE(still);
    return all_fast_peak(still->problem);
  }

  SteadyClock clock_;
  FitRequest request_;
};

TEST_F(FitTest, KeepsTheLimitAndItsBound) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto s = subject(seed);
    for (const double share : {0.3, 0.6, 1.0}) {
      const auto limit =
          static_cast<std::uint64_t>(share * static_cast<double>(peak_of(s))) / 64 * 64;
      for (const char* solver : {"numa", "static", "synchronous", "asynchronous"}) {
        const auto fitted = fit(s, solver, limit);
        if (!fitted) {  // few tensors may not pack into what little there is: it says so
          EXPECT_EQ(fitted.error().code, Errc::unsupported) << fitted.error().what;
          continue;
        }
        EXPECT_LE(fitted->draft.plan.fast_bytes, limit);
        EXPECT_LE(fitted->lower_bound_seconds, fitted->solved.verdict.seconds);
        EXPECT_GE(fitted->gap, 0);
      }
    }
  }
}

/// Homes near those that were chosen, and others, each solved for itself: none beats the bound.
TEST_F(FitTest, NoChoiceOfHomesBeatsTheBound) {
  int judged = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    auto s = subject(seed);
    // Where moves are cheap, more of them are made, and written back.
    if (seed > 3) s.profile.copies = {.fast_to_slow = 5e9, .slow_to_fast = 5e10};
    Rng rng(seed);
    const auto open =
        problem_of(s.graph, s.liveness, s.profile, homes_of(s.graph, s.liveness, Home::open));
    ASSERT_TRUE(open) << open.error().what;
    for (const double share : {0.3, 0.5, 0.8}) {
      const bool overlapped = rng.below(2) == 0;
      const auto limit =
          static_cast<std::uint64_t>(share * static_cast<double>(peak_of(s))) / 64 * 64;
      const auto fitted = fit(s, overlapped ? "asynchronous" : "synchronous", limit);
      if (!fitted) continue;
      // Of the relaxation itself: a plan's own bound is never above its seconds.
      const auto relaxed = relax_returning(open->problem, request_.solve, overlapped);
      ASSERT_TRUE(relaxed) << relaxed.error().what;
      const double bound = relaxed->bound_seconds * (1 - 1e-9);
      EXPECT_GE(fitted->solved.verdict.seconds, bound);
      for (int round = 0; round < 12; ++round) {
        auto homes = round < 4 ? test::random_homes(s, rng) : fitted->step.homes;
        auto& one = homes[rng.below(homes.size())];
        if (one != Home::none) one = one == Home::fast ? Home::slow : Home::fast;
        const auto step = problem_of(s.graph, s.liveness, s.profile, homes);
        ASSERT_TRUE(step) << step.error().what;
        if (least_memory(step->problem).bytes > limit) continue;
        const auto solved = solve(*request_.solver, step->problem, request_.solve);
        ASSERT_TRUE(solved) << solved.error().what;
        EXPECT_GE(solved->verdict.seconds, bound) << overlapped;
        ++judged;
      }
    }
  }
  EXPECT_GT(judged, 60);
}

TEST_F(FitTest, AllMemoryIsAsFastAsAllFast) {
  const auto s = subject(3);
  const auto fitted = fit(s, "synchronous", 2 * peak_of(s));
  ASSERT_TRUE(fitted) << fitted.error().what;
  const auto all_fast = fit(s, "all-fast", kNoLimit);
  ASSERT_TRUE(all_fast) << all_fast.error().what;
  EXPECT_NEAR(fitted->draft.plan.predicted_seconds, all_fast->draft.plan.predicted_seconds,
              1e-3 * all_fast->draft.plan.predicted_seconds);
}

TEST_F(FitTest, ProgramsSurviveTheirFile) {
  const auto s = subject(2);
  const auto fitted = fit(s, "synchronous", peak_of(s) / 2);
  ASSERT_TRUE(fitted) << fitted.error().what;
  const std::string text = execution_text(fitted->draft.plan);
  const auto read = parse_execution(text, "program");
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(execution_text(*read), text);
  EXPECT_EQ(read->shapes, shape_digest(s.graph));
  EXPECT_EQ(read->predicted_in, s.profile.environment);
  EXPECT_FALSE(read->predicted_in.machine.empty());
  EXPECT_TRUE(verify(*read, s.graph, s.layouts));
  Rng rng(1);
  for (std::size_t length = 0; length < text.size(); length += 1 + text.size() / 50) {
    EXPECT_FALSE(parse_execution(text.substr(0, length), "program"));
  }
  for (int round = 0; round < 200; ++round) {  // damaged: refused or judged, never believed
    std::string damaged = text;
    damaged[rng.below(damaged.size())] = static_cast<char>('0' + rng.below(10));
    const auto plan = parse_execution(damaged, "program");
    if (plan) static_cast<void>(verify(*plan, s.graph, s.layouts));
  }
}

}  // namespace
}  // namespace mete
