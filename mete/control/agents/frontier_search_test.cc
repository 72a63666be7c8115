// The frontier agent's search and budget against trying everything.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/control/agents/frontier_budget.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(FrontierBudget, IsAsGoodAsTryingEverything) {
  Rng rng(11);
  const ResponseTable table(ResponseModel::generic(), std::vector<double>{0.4, 0.6, 0.7, 0.85, 1});
  for (int round = 0; round < 100; ++round) {
    std::vector<ResponseEstimate> estimates;
    std::vector<BudgetShare> shares;
    const std::size_t n = 1 + rng.below(3);
    for (std::size_t s = 0; s < n; ++s) {
      auto& estimate = estimates.emplace_back(table);
      estimate.start({200, 1, {}});
      for (std::size_t c = 0; c < 4; ++c) {
        estimate.add(c, {200 * (0.3 + 0.7 * rng.uniform()), 1 / (1 + 0.5 * rng.uniform()), {}});
      }
    }
    for (std::size_t s = 0; s < n; ++s) {
      shares.push_back({&estimates[s], 1 + 9 * rng.uniform(), 100 + 100 * rng.uniform(), 0});
    }
    const double bound = 0.02 + 0.3 * rng.uniform();
    spend_budget(shares, bound);

    struct Sum {
      double lost = 0, joules = 0, work = 0;
      bool fits = true;
    };
    const auto sum_of = [&](const std::vector<std::size_t>& clocks) {
      Sum sum;
      for (std::size_t s = 0; s < n; ++s) {
        const auto& a = shares[s].estimate->at(clocks[s]);
        const double t = std::exp(a.log_time + (clocks[s] == 4 ? 0 : kBoundCaution * a.doubt));
        sum.lost += shares[s].work * std::max(0.0, t - 1);
        sum.joules += shares[s].work * shares[s].watts * std::exp(a.log_time + a.log_power);
        sum.work += shares[s].work;
        sum.fits = sum.fits && (clocks[s] == 4 || t - 1 <= kMostOfBound * bound);
      }
      return sum;
    };
    double least = 1e300;
    std::vector<std::size_t> clocks(n, 0);
    while (true) {
      const Sum sum = sum_of(clocks);
      if (sum.fits && sum.lost <= bound * sum.work * (1 - 0.004 * static_cast<double>(n))) {
        least = std::min(least, sum.joules);
      }
      std::size_t s = 0;
      while (s < n && ++clocks[s] == 5) clocks[s++] = 0;
      if (s == n) break;
    }
    std::vector<std::size_t> chosen;
    for (const auto& share : shares) chosen.push_back(share.clock);
    const Sum sum = sum_of(chosen);
    EXPECT_LE(sum.joules, least * (1 + 1e-12)) << round;
    EXPECT_LE(sum.lost, bound * sum.work * (1 + 1e-6)) << round;
  }
}

TEST(FrontierSearch, TriesNoMoreClocksThanItSays) {
  for (const std::size_t n : {2U, 10U, 15U, 16U, 128U}) {
    std::vector<double> shares;
    for (std::size_t i = 0; i < n; ++i) {
      shares.push_back(0.2 + 0.8 * static_cast<double>(i) / static_cast<double>(n - 1));
    }
    const ResponseTable table(ResponseModel::generic(), shares);
    const FrontierSearch search(shares, {0.5, kNan});
    ResponseEstimate estimate(table);
    estimate.start({100, 1, {}});
    const std::vector<bool> skip(n, false);
    std::size_t tried = 0;
    for (; tried <= n + 1; ++tried) {
      const std::size_t next = search.next(estimate, skip, tried);
      if (next == search.none()) break;
      ASSERT_LT(next, n);
      ASSERT_FALSE(estimate.at(next).seen) << "tried twice";
      estimate.add(next, {100 * shares[next] * shares[next], 1, {}});
    }
    EXPECT_LE(tried, std::min(n - 1, kMostTrials));
  }
}

}  // namespace
}  // namespace mete
