// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/decimate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/plot/figure.h"

namespace mete {
namespace {

TEST(Decimate, EveryColumnKeepsItsExtremesAndItsEnds) {
  Rng rng(3);
  constexpr std::size_t kColumns = 100;
  std::vector<double> x, y;
  for (std::size_t i = 0; i < 50000; ++i) {
    x.push_back((x.empty() ? 0 : x.back()) + rng.uniform() * 1e-3);
    y.push_back(rng.normal() + (rng.below(5000) == 0 ? 100 : 0));
  }
  const auto kept = thin_line(x, y, x.front(), x.back(), kColumns);
  EXPECT_LE(kept.size(), 4 * kColumns);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  const auto column = [&](std::size_t i) {
    const double share = (x[i] - x.front()) / (x.back() - x.front());
    return std::min(kColumns - 1, static_cast<std::size_t>(share * kColumns));
  };
  std::map<std::size_t, std::pair<double, double>> all, thin;
  const auto note = [&](auto& into, std::size_t i) {
    auto [at, fresh] = into.try_emplace(column(i), y[i], y[i]);
    at->second = {std::min(at->second.first, y[i]), std::max(at->second.second, y[i])};
  };
  for (std::size_t i = 0; i < x.size(); ++i) note(all, i);
  for (const std::size_t i : kept) note(thin, i);
  EXPECT_EQ(all, thin);
}

TEST(Decimate, AGapStaysAGapAndManyGapsStaySmall) {
  std::vector<double> x, y;
  for (int i = 0; i < 10000; ++i) {
    x.push_back(i);
    y.push_back(i > 4000 && i < 6000 ? kNoValue : 1.0 * (i % 7));
  }
  const auto kept = thin_line(x, y, 0, 9999, 50);
  EXPECT_EQ(
      std::count_if(kept.begin(), kept.end(), [&](std::size_t i) { return std::isnan(y[i]); }), 1);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = i % 2 == 0 ? kNoValue : 1;
  EXPECT_LE(thin_line(x, y, 0, 9999, 50).size(), 5U * 50U);
}

TEST(Decimate, StepsDropRepeatsOnly) {
  const std::vector<double> x{0, 1, 2, 3, 4, 5, 6};
  const std::vector<double> y{1, 1, 1, 2, 2, 1, 1};
  const auto kept = thin_steps(x, y, 0, 6, 100);
  EXPECT_EQ(kept, (std::vector<std::size_t>{0, 3, 5, 6}));
}

TEST(Decimate, NothingAndOnePoint) {
  EXPECT_TRUE(thin_line({}, {}, 0, 1, 10).empty());
  const std::vector<double> one{5};
  EXPECT_EQ(thin_line(one, one, 5, 5, 10).size(), 1U);
  EXPECT_EQ(thin_steps(one, one, 5, 5, 10).size(), 1U);
}

}  // namespace
}  // namespace mete
