// Examples and evaluation, judged by the plain eleven-fold expansion.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/examples.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "mete/learn/evaluation.h"
#include "mete/learn/learn_test_data.h"

namespace mete {
namespace {

using Row = std::array<float, kClockModelInputs + 1>;

/// Every usable row with every choice, written out.
std::vector<Row> expand_plainly(const TrainingData& data, const std::vector<bool>& use) {
  std::vector<Row> all;
  for (std::size_t app = 0; app < data.app_configs.size(); ++app) {
    for (std::size_t row = 0; row < data.rows(); ++row) {
      if (data.app_config[row] != app || !use[app] || data.is_roi[row] == 0) continue;
      bool finite = true;
      for (const auto& column : data.features) finite = finite && std::isfinite(column[row]);
      if (!finite) continue;
      for (const auto& choice : data.choices[app]) {
        Row out{};
        for (std::size_t i = 0; i < kFeatureCount; ++i) {
          out[i] = static_cast<float>(data.features[i][row]);
        }
        out[5] = static_cast<float>(choice.phi);
        out[6] = static_cast<float>(choice.frequency / 1e9);
        all.push_back(out);
      }
    }
  }
  return all;
}

TrainingData with_holes() {
  auto data = test::known_rule(4, 20);
  data.features[1][3] = std::numeric_limits<double>::quiet_NaN();
  data.features[4][25] = std::numeric_limits<double>::infinity();
  data.is_roi[26] = 0;
  data.choices[2].clear();    // no choice was possible
  data.choices[3].resize(3);  // fewer goals than others
  return data;
}

TEST(Examples, EqualThePlainExpansion) {
  const auto data = with_holes();
  for (const std::vector<bool>& use :
       {std::vector<bool>{true, true, true, true}, std::vector<bool>{false, true, false, true}}) {
    const Examples examples(data, use);
    const auto expected = expand_plainly(data, use);
    ASSERT_EQ(expected.size(), examples.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      Row got{};
      got[6] = examples.fill(i, std::span(got).first(kClockModelInputs));
      EXPECT_EQ(expected[i], got) << i;
    }
  }
}

TEST(Examples, MomentsEqualThoseOfThePlainExpansion) {
  const auto data = with_holes();
  const std::vector<bool> use(4, true);
  const auto rows = expand_plainly(data, use);
  const auto moments = Examples(data, use).moments();
  for (std::size_t i = 0; i < kClockModelInputs; ++i) {
    double mean = 0;
    for (const auto& row : rows)
      mean += static_cast<double>(row[i]) / static_cast<double>(rows.size());
    double variance = 0;
    for (const auto& row : rows) {
      const double off = static_cast<double>(row[i]) - mean;
      variance += off * off / static_cast<double>(rows.size());
    }
    EXPECT_NEAR(mean, moments.mean[i], 1e-6 * std::abs(mean)) << i;
    EXPECT_NEAR(variance, moments.variance[i], 1e-4 * variance + 1e-12) << i;
  }
}

TEST(Examples, AConstantFeatureHasNoVariance) {
  auto data = test::known_rule(2, 10);
  for (auto& v : data.features[0]) v = 1.38e9;
  EXPECT_EQ(0, Examples(data, {true, true}).moments().variance[0]);
  EXPECT_GT(Examples(data, {true, true}).moments().variance[3], 0);
}

TEST(Evaluation, CountsByHand) {
  // One row, three goals: right clocks 1.0, 1.2, 1.4 GHz; the predictor always says 1.22.
  auto data = test::known_rule(1, 1);
  data.choices[0] = {{0, 1.4e9}, {0.5, 1.2e9}, {1, 1.0e9}};
  const Examples examples(data, {true});
  const Predictor always = [](std::span<const float>, std::span<float> out) -> Result<void> {
    for (auto& v : out) v = 1.22F;
    return {};
  };
  const auto e = evaluate(examples, always, {1.0e9, 1.1e9, 1.2e9, 1.3e9, 1.4e9}, 1.2).value();
  EXPECT_EQ(3U, e.examples);
  EXPECT_NEAR((0.18e9 + 0.02e9 + 0.22e9) / 3, e.mean_error, 1e3);
  EXPECT_NEAR(0.4e9 / 3, e.guess_error, 1e3);
  EXPECT_NEAR(1.0 / 3, e.within_a_step, 1e-12);  // 1.2 is two steps from 1.0 and from 1.4
  EXPECT_NEAR(1.0 / 3, e.rounded_equal, 1e-12);
}

}  // namespace
}  // namespace mete
