// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/packing.h"

#include <algorithm>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

std::vector<PackItem> random_items(Rng& rng, std::size_t count, std::size_t times) {
  std::vector<PackItem> items;
  for (std::size_t i = 0; i < count; ++i) {
    PackItem item{.bytes = kPackAlignment * (1 + rng.below(6)), .spans = {}};
    std::uint64_t from = rng.below(times);
    const std::size_t spans = 1 + rng.below(2);
    for (std::size_t s = 0; s < spans; ++s) {
      const std::uint64_t end = from + 1 + rng.below(times / 3 + 1);
      item.spans.push_back({from, end});
      from = end + 1 + rng.below(3);
    }
    items.push_back(item);
  }
  return items;
}

bool live_together(const PackItem& a, const PackItem& b) {
  for (const auto& x : a.spans) {
    for (const auto& y : b.spans) {
      if (std::max(x.begin, y.begin) < std::min(x.end, y.end)) return true;
    }
  }
  return false;
}

/// Every pair, byte ranges and times: what check_packing() says by sweeping.
bool legal(const std::vector<PackItem>& items, const Packing& packing) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (packing.offsets[i] % kPackAlignment != 0) return false;
    if (packing.offsets[i] + items[i].bytes > packing.bytes) return false;
    for (std::size_t j = 0; j < i; ++j) {
      const bool touch = packing.offsets[i] < packing.offsets[j] + items[j].bytes &&
                         packing.offsets[j] < packing.offsets[i] + items[i].bytes;
      if (touch && live_together(items[i], items[j])) return false;
    }
  }
  return true;
}

/// The smallest pool there is, by trying every order: some order places each item of a best
/// packing at the lowest place that is free.
std::uint64_t smallest(const std::vector<PackItem>& items) {
  std::vector<std::size_t> order(items.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::uint64_t best = std::numeric_limits<std::uint64_t>::max();
  do {
    Packing packing{.offsets = std::vector<std::uint64_t>(items.size(), 0)};
    for (std::size_t n = 0; n < order.size(); ++n) {
      const auto i = order[n];
      std::uint64_t at = 0;
      for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t m = 0; m < n; ++m) {
          const auto j = order[m];
          if (live_together(items[i], items[j]) && packing.offsets[j] < at + items[i].bytes &&
              at < packing.offsets[j] + items[j].bytes) {
            at = packing.offsets[j] + items[j].bytes;
            moved = true;
          }
        }
      }
      packing.offsets[i] = at;
      packing.bytes = std::max(packing.bytes, at + items[i].bytes);
    }
    best = std::min(best, packing.bytes);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Packing, IsLegalAndNeverBelowThePeak) {
  Rng rng(7);
  for (int round = 0; round < 60; ++round) {
    const auto items = random_items(rng, 1 + rng.below(60), 5 + rng.below(40));
    const auto packing = pack(items, {.seed = 1, .effort = 0.002});
    ASSERT_TRUE(legal(items, packing));
    const auto judged = check_packing(items, packing);
    ASSERT_TRUE(judged) << judged.error().what;
    std::uint64_t peak = 0;
    for (std::uint64_t time = 0; time < 100; ++time) {
      std::uint64_t now = 0;
      for (const auto& item : items) {
        for (const auto& s : item.spans) now += s.begin <= time && time < s.end ? item.bytes : 0;
      }
      peak = std::max(peak, now);
    }
    EXPECT_EQ(packing.peak_bytes, peak);
    EXPECT_GE(packing.bytes, peak);
  }
}

TEST(Packing, FindsTheSmallestPoolOfFewItems) {
  Rng rng(3);
  for (int round = 0; round < 40; ++round) {
    const auto items = random_items(rng, 7, 10);
    const auto packing = pack(items, {.seed = 1, .effort = 0.002});
    EXPECT_EQ(packing.bytes, smallest(items)) << "round " << round;
  }
}

TEST(Packing, SizesAreRoundedUpAndNothingIsNothing) {
  const auto nothing = pack({});
  EXPECT_EQ(nothing.bytes, 0U);
  const std::vector<PackItem> items = {{1, {{0, 2}}}, {65, {{1, 3}}}, {0, {{0, 9}}}};
  const auto packing = pack(items);
  EXPECT_EQ(packing.bytes, 64U + 128U);
  EXPECT_TRUE(check_packing(items, packing));
}

TEST(Packing, TheJudgeSeesWhatEveryPairSees) {
  Rng rng(11);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    const auto items = random_items(rng, 12, 12);
    auto packing = pack(items, {.seed = 1, .effort = 0.0002});
    packing.offsets[rng.below(items.size())] =
        rng.below(packing.bytes / kPackAlignment + 1) * kPackAlignment;
    const bool accepted = check_packing(items, packing).has_value();
    EXPECT_EQ(accepted, legal(items, packing)) << "round " << round;
    refused += accepted ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace mete
