// Models, bounds, and the tree of free room, against simpler ways.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/lp.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/placement/room_tree.h"

namespace mete {
namespace {

/// min -3x - 2y, x + y ≤ 4, x + 3y ≤ 6, x ≤ 3: -11 at (3, 1).
LpModel known_program() {
  LpBuilder builder;
  const int x = builder.add_column(-3, 0, 3);
  const int y = builder.add_column(-2, 0, 100);
  const int a = builder.add_row(-kLpInfinity, 4);
  const int b = builder.add_row(-kLpInfinity, 6);
  builder.add(a, y, 1);
  builder.add(b, y, 1);
  builder.add(a, x, 1);
  builder.add(b, y, 2);  // adds up to 3
  builder.add(b, x, 1);
  return builder.finish();
}

TEST(LpBuilder, EntriesGivenTwiceAddUp) {
  const auto model = known_program();
  ASSERT_EQ(model.columns(), 2U);
  EXPECT_EQ(model.row.size(), 4U);
  EXPECT_EQ(*std::max_element(model.value.begin(), model.value.end()), 3);
}

TEST(ProvenBound, HoldsForAnyPrices) {
  const auto model = known_program();
  EXPECT_DOUBLE_EQ(proven_bound(model, std::vector<double>{-2, 0}), -11);
  Rng rng(4);
  for (int i = 0; i < 1000; ++i) {
    const std::vector<double> prices{4 * rng.normal(), 4 * rng.normal()};
    EXPECT_LE(proven_bound(model, prices), -11 + 1e-9);
  }
}

TEST(Clp, SolvesAKnownProgramAndItsChanges) {
  const auto runtime = open_lp_runtime();
  if (!runtime) GTEST_SKIP() << runtime.error().what;
  const NoInterrupt never;
  const auto model = known_program();
  auto session = (*runtime)->start(model).value();
  auto solution = session->solve(never).value();
  EXPECT_NEAR(proven_bound(model, solution.row_price), -11, 1e-9);
  session->set_row_upper(0, 3);  // now (3, 0)
  EXPECT_NEAR(session->solve(never).value().x[1], 0, 1e-9);
  session->set_row_upper(0, -1);
  const auto none = session->solve(never);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unsupported);
  session->set_row_upper(0, 4);
  solution = session->solve(never).value();
  EXPECT_NEAR(solution.x[0], 3, 1e-9);
}

TEST(Cbc, SolvesAKnownIntegerProgram) {
  const auto runtime = open_lp_runtime();
  if (!runtime) GTEST_SKIP() << runtime.error().what;
  LpBuilder builder;  // a knapsack of 10: values 10 13 7, weights 5 6 4
  const int row = builder.add_row(-kLpInfinity, 10);
  const double value[] = {10, 13, 7};
  const double weight[] = {5, 6, 4};
  for (int i = 0; i < 3; ++i) builder.add(row, builder.add_column(-value[i], 0, 1), weight[i]);
  const NoInterrupt never;
  const auto solved =
      (*runtime)->solve_integer(builder.finish(), {true, true, true}, 0, 10, never).value();
  ASSERT_EQ(solved.x.size(), 3U);
  EXPECT_NEAR(solved.x[1] + solved.x[2], 2, 1e-6);
  EXPECT_NEAR(solved.bound, -20, 1e-6);
}

/// Asked to stop while the solver is at work: at the third look.
class SoonStopped final : public Interrupt {
 public:
  int signal() const noexcept override { return ++looks_ > 2 ? 2 : 0; }

 private:
  mutable int looks_ = 0;
};

/// A market split: 40 binaries under 4 equations, which branch and bound does not finish in days.
TEST(Cbc, AnInterruptEndsAProgramThatWouldTakeDays) {
  const auto runtime = open_lp_runtime();
  if (!runtime) GTEST_SKIP() << runtime.error().what;
  constexpr int kEquations = 4;
  constexpr int kBinaries = 40;
  Rng rng(7);
  LpBuilder builder;
  for (int c = 0; c < kBinaries; ++c) builder.add_column(0, 0, 1);
  for (int r = 0; r < kEquations; ++r) {
    std::vector<double> weight(kBinaries);
    double sum = 0;
    for (auto& w : weight) sum += w = static_cast<double>(rng.below(100));
    const double half = static_cast<double>(static_cast<int>(sum) / 2);
    const int row = builder.add_row(half, half);
    for (int c = 0; c < kBinaries; ++c) builder.add(row, c, weight[static_cast<std::size_t>(c)]);
  }
  const auto solved = (*runtime)->solve_integer(
      builder.finish(), std::vector<bool>(kBinaries, true), 0, 1e6, SoonStopped());
  ASSERT_FALSE(solved);
  EXPECT_EQ(solved.error().code, Errc::gone);
}

TEST(Cbc, AnInfeasibleProgramSaysSo) {
  const auto runtime = open_lp_runtime();
  if (!runtime) GTEST_SKIP() << runtime.error().what;
  LpBuilder builder;
  const int row = builder.add_row(1, 1);  // 2 x = 1
  builder.add(row, builder.add_column(0, 0, 1), 2);
  const NoInterrupt never;
  const auto solved = (*runtime)->solve_integer(builder.finish(), {true}, 0, 10, never);
  ASSERT_FALSE(solved);
  EXPECT_EQ(solved.error().code, Errc::unsupported);
  EXPECT_NE(solved.error().what.find("nothing satisfies"), std::string::npos);
}

TEST(RoomTree, AgreesWithAPlainArray) {
  Rng rng(2);
  for (const std::size_t n : {1U, 2U, 3U, 7U, 64U, 100U}) {
    RoomTree tree(n, 1000);
    std::vector<std::int64_t> plain(n, 1000);
    for (int i = 0; i < 2000; ++i) {
      const std::size_t from = rng.below(n + 1);
      const std::size_t to = from + rng.below(n + 1 - from);
      if (i % 2 == 0) {
        const auto change = static_cast<std::int64_t>(rng.below(200)) - 100;
        tree.add(from, to, change);
        for (std::size_t k = from; k < to; ++k) plain[k] += change;
      } else if (from < to) {
        const auto begin = plain.begin() + static_cast<std::ptrdiff_t>(from);
        const auto end = plain.begin() + static_cast<std::ptrdiff_t>(to);
        ASSERT_EQ(tree.least(from, to), *std::min_element(begin, end)) << n;
      }
    }
  }
}

}  // namespace
}  // namespace mete
