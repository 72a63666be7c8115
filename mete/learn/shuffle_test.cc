// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/shuffle.h"

#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace mete {
namespace {

std::vector<std::size_t> order(std::size_t n, std::uint64_t seed) {
  const Shuffle shuffle(n, Rng(seed));
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < n; ++i) result.push_back(shuffle(i));
  return result;
}

TEST(Shuffle, GivesEveryElementOnce) {
  for (const std::size_t n : {1U, 2U, 3U, 4U, 5U, 16U, 17U, 100U, 4097U, 100'000U}) {
    std::vector<int> seen(n, 0);
    for (const auto i : order(n, 7)) {
      ASSERT_LT(i, n);
      ++seen[i];
    }
    EXPECT_EQ(std::vector<int>(n, 1), seen) << n;
  }
}

TEST(Shuffle, SameSeedSameOrderAndOtherSeedsOthers) {
  EXPECT_EQ(order(1000, 1), order(1000, 1));
  EXPECT_NE(order(1000, 1), order(1000, 2));
}

TEST(Shuffle, MixesNeighbours) {
  // In a random order of n, |next - this| is n/3 in the mean; blocks left together would show.
  const std::size_t n = 20'000;
  const auto items = order(n, 3);
  double sum = 0;
  for (std::size_t i = 1; i < n; ++i) {
    sum += std::abs(static_cast<double>(items[i]) - static_cast<double>(items[i - 1]));
  }
  EXPECT_NEAR(1.0 / 3, sum / static_cast<double>(n) / static_cast<double>(n), 0.02);
}

}  // namespace
}  // namespace mete
