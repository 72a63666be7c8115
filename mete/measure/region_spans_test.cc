// Spans of regions against a plain list of all entries. SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/region_spans.h"

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

using std::chrono::milliseconds;

std::vector<RegionSpan> of(const RegionSpans& spans, std::uint32_t name) {
  std::vector<RegionSpan> out;
  spans.append_to(out, name);
  return out;
}

TEST(RegionSpansTest, FewAreKeptAsTheyWere) {
  RegionSpans spans;
  spans.set_window(milliseconds(1000), milliseconds(5000));
  spans.add(3, 1, 0, milliseconds(1100), milliseconds(1300));
  spans.add(3, 2, 2, milliseconds(1300), milliseconds(1400));
  const auto kept = of(spans, 3);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_DOUBLE_EQ(kept[0].begin, 0.1);
  EXPECT_DOUBLE_EQ(kept[0].end, 0.3);
  EXPECT_DOUBLE_EQ(kept[1].seconds, 0.1);
  EXPECT_EQ(kept[0].count, 1U);
  EXPECT_EQ(kept[0].threads, 1U);
  EXPECT_EQ(spans.level(3), 0U);
  EXPECT_TRUE(of(spans, 4).empty());
}

TEST(RegionSpansTest, TimesThatCannotBeAreCutToTheRun) {
  RegionSpans spans;
  spans.set_window(milliseconds(1000), milliseconds(2000));
  spans.add(1, 0, 0, Nanoseconds::min(), Nanoseconds::max());
  spans.add(1, 0, 0, Nanoseconds::max(), Nanoseconds::min());
  for (const auto& span : of(spans, 1)) {
    EXPECT_GE(span.begin, 0);
    EXPECT_LE(span.end, 1);
    EXPECT_GE(span.end, span.begin);
  }
}

// Whatever comes, in whatever order: no more than there is room for, none lost, each within one.
TEST(RegionSpansTest, ThousandsBecomeFewAndNothingIsLost) {
  Rng rng(7);
  for (const std::uint32_t names : {1U, 3U, 1024U}) {
    RegionSpans spans;
    spans.set_window(Nanoseconds(0), std::chrono::hours(1));
    struct Truth {
      std::uint64_t count = 0;
      double seconds = 0;
      std::vector<std::pair<double, double>> all;
    };
    std::vector<Truth> truth(names);
    Nanoseconds at{0};
    for (int i = 0; i < 60'000; ++i) {
      const auto name = static_cast<std::uint32_t>(rng.uniform() * names) % names;
      const Nanoseconds begin = at + Nanoseconds(static_cast<std::int64_t>(rng.uniform() * 2e6));
      const Nanoseconds end = begin + Nanoseconds(static_cast<std::int64_t>(rng.uniform() * 4e6));
      at += Nanoseconds(static_cast<std::int64_t>(rng.uniform() * 5e6));
      spans.add(name, static_cast<std::size_t>(i % 64), 1, begin, end);
      ++truth[name].count;
      truth[name].seconds += to_seconds(end - begin);
      truth[name].all.emplace_back(to_seconds(begin), to_seconds(end));
      ASSERT_LE(spans.size(), kMostRegionSpans);
    }
    for (std::uint32_t name = 0; name < names; ++name) {
      std::uint64_t count = 0;
      double seconds = 0;
      const auto kept = of(spans, name);
      for (std::size_t i = 0; i < kept.size(); ++i) {
        count += kept[i].count;
        seconds += kept[i].seconds;
        if (i > 0) {
          EXPECT_LE(kept[i - 1].begin, kept[i].begin);
        }
      }
      EXPECT_EQ(count, truth[name].count) << names;
      EXPECT_NEAR(seconds, truth[name].seconds, 1e-6);
      for (std::size_t i = 0; i < truth[name].all.size(); i += 97) {
        const auto [begin, end] = truth[name].all[i];
        const bool held = std::any_of(kept.begin(), kept.end(), [&](const RegionSpan& span) {
          return span.begin <= begin + 1e-9 && span.end >= end - 1e-9;
        });
        EXPECT_TRUE(held) << name << " " << begin;
      }
    }
  }
}

TEST(RegionSpansTest, AnEpochAmongThousandsOfBatchesStaysWhatItWas) {
  RegionSpans spans;
  spans.set_window(Nanoseconds(0), std::chrono::hours(1));
  for (int epoch = 0; epoch < 10; ++epoch) {
    const Nanoseconds start = std::chrono::seconds(20 * epoch);
    for (int i = 0; i < 5000; ++i) {
      spans.add(2, 0, 1, start + milliseconds(2 * i), start + milliseconds(2 * i + 1));
    }
    spans.add(1, 0, 0, start, start + std::chrono::seconds(10));
  }
  const auto epochs = of(spans, 1);
  ASSERT_EQ(epochs.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_DOUBLE_EQ(epochs[i].begin, 20.0 * static_cast<double>(i));
    EXPECT_NEAR(epochs[i].end - epochs[i].begin, 10.0, 1e-9);
  }
}

}  // namespace
}  // namespace mete
