// The story that the page tells is held against the judge of placements.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/plan_page.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/execute/execute_test_support.h"

namespace mete {
namespace {

/// A chain of kernels with skips, some additive, some with tables.
Problem random_problem(Rng& rng) {
  Problem problem;
  problem.rates = {1e9, 2e9};
  std::vector<std::uint32_t> made;
  for (int k = 0; k < 25; ++k) {
    std::vector<std::uint32_t> touched;
    for (int i = 0; i < 2 && !made.empty(); ++i) {
      const auto one = made[made.size() - 1 - rng.below(std::min<std::size_t>(5, made.size()))];
      if (std::find(touched.begin(), touched.end(), one) == touched.end()) touched.push_back(one);
    }
    made.push_back(problem.add_tensor(1000 + rng.below(1'000'000)));
    touched.push_back(made.back());
    if (rng.below(2) == 0) {
      std::vector<double> slow(touched.size());
      for (auto& s : slow) s = 1e-4 * rng.uniform();
      problem.add_additive_kernel("a", touched, 1e-4 * (1 + rng.uniform()), slow);
    } else {
      std::vector<double> seconds(std::size_t{1} << touched.size());
      for (auto& s : seconds) s = 1e-4 * (1 + rng.uniform());
      problem.add_kernel("t", touched, seconds);
    }
  }
  return problem;
}

TEST(PlanPage, TellsTheTimeAndThePeakThatTheJudgeFinds) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    const Problem problem = random_problem(rng);
    ASSERT_TRUE(check(problem)) << check(problem).error().what;
    const Placement placement = test::random_placement(problem, rng);
    const auto verdict = validate(problem, placement);
    if (!verdict) continue;  // chunks beyond what a move has
    const PlacementStory story = story_of(problem, placement);
    EXPECT_NEAR(story.seconds, verdict->seconds, 1e-9 * verdict->seconds) << "seed " << seed;
    const auto& fast = **story.kernels.numbers("fast");
    ASSERT_EQ(fast.size(), problem.kernels.size());
    EXPECT_DOUBLE_EQ(*std::max_element(fast.begin(), fast.end()),
                     static_cast<double>(verdict->peak_bytes))
        << "seed " << seed;
    const auto& alive = **story.kernels.numbers("alive");
    EXPECT_DOUBLE_EQ(*std::max_element(alive.begin(), alive.end()),
                     static_cast<double>(all_fast_peak(problem)));
  }
}

}  // namespace
}  // namespace mete
