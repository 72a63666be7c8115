// The response model against kernels whose answers are known because a formula made them.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/learn/response_estimate.h"
#include "mete/learn/response_model.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A kernel that needs `cycles` of the core clock and `memory` seconds of memory, one after the
/// other: T = cycles/f + memory. Its memory activity and fp32 activity follow from that.
ResponsePoint point_of(double cycles, double memory, double hertz, double activity_error = 0) {
  ResponsePoint point;
  point.seconds = cycles / hertz + memory;
  point.watts = 40 + 100 * hertz / 1e9 * hertz / 1e9;
  point.activity.fill(0);
  point.activity[0] = 0.9;
  point.activity[kMemoryActivity] = 0.8 * memory / point.seconds;
  point.activity[3] = 0.5 * (cycles / hertz) / point.seconds * std::exp(activity_error);
  return point;
}

ResponseData plain_data(std::size_t kernels, std::uint64_t seed = 3) {
  ResponseData data{"by formula", {4e8, 6e8, 8e8, 1e9}, {}};
  Rng rng(seed);
  for (std::size_t k = 0; k < kernels; ++k) {
    const double bound = rng.uniform();
    ResponseCase one{"k" + std::to_string(k), {}};
    for (const double clock : data.clocks) {
      one.points.push_back(point_of(bound * 1e6, (1 - bound) * 1e-3, clock, 0.02 * rng.normal()));
    }
    data.cases.push_back(one);
  }
  return data;
}

ResponseSeen seen_of(const ResponsePoint& point, double rate = kNan) {
  return {point.watts, rate, point.activity};
}

TEST(ResponseModel, HintsTellTheTimeOfWorkThatFollowsTheFormula) {
  for (const double bound : {0.1, 0.5, 0.9}) {
    const auto top = point_of(bound * 1e6, (1 - bound) * 1e-3, 1e9);
    const auto low = point_of(bound * 1e6, (1 - bound) * 1e-3, 6e8);
    const double truth = std::log(low.seconds / top.seconds);
    EXPECT_NEAR(truth, hinted_log_time(kMemoryActivity, top.activity[1], low.activity[1], 0.6),
                1e-12);
    EXPECT_NEAR(truth, hinted_log_time(3, top.activity[3], low.activity[3], 0.6), 1e-12);
  }
  EXPECT_TRUE(std::isnan(hinted_log_time(3, 0.001, 0.5, 0.6)));
  EXPECT_TRUE(std::isnan(hinted_log_time(3, 0.5, kNan, 0.6)));
}

TEST(ResponseModel, LearnsAClockThatADeviceDoesNotKeep) {
  // At 0.4 GHz it really runs at 0.25 GHz: a hint from a pipe errs by log(0.4/0.25) there.
  ResponseData data{"liar", {4e8, 6e8, 8e8, 1e9}, {}};
  for (int k = 0; k < 30; ++k) {
    const double bound = 0.3 + 0.02 * k;
    ResponseCase one{"k", {}};
    for (const double clock : data.clocks) {
      one.points.push_back(point_of(bound * 1e6, (1 - bound) * 1e-3, clock == 4e8 ? 2.5e8 : clock));
    }
    data.cases.push_back(one);
  }
  const auto model = ResponseModel::learn(data);
  ASSERT_TRUE(model) << model.error().what;
  EXPECT_NEAR(std::log(0.4 / 0.25), model->noise(HintKind::pipe).bias[0], 1e-9);
  EXPECT_NEAR(0, model->noise(HintKind::pipe).bias[1], 1e-9);
  EXPECT_NEAR(0, model->noise(HintKind::memory).bias[0], 1e-9);
}

TEST(ResponseModel, LearnsHowMuchHintsScatter) {
  const auto model = ResponseModel::learn(plain_data(400)).value();
  const auto& pipe = model.noise(HintKind::pipe).spread;
  // Two errors of 2 % make one hint.
  EXPECT_NEAR(0.028, pipe[kLevels - 1], 0.006);
  EXPECT_NEAR(0.002, model.noise(HintKind::memory).spread[kLevels - 1], 1e-9);
}

TEST(ResponseModel, RefusesWhatItCannotLearnFrom) {
  EXPECT_FALSE(ResponseModel::learn({"none", {1e9}, {}}));
  EXPECT_FALSE(ResponseModel::learn({"none", {1e9, 2e9}, {}}));
  auto data = plain_data(3);
  data.cases[1].points[2].seconds = 0;
  EXPECT_FALSE(ResponseModel::learn(data));
  data.cases[1].points[2].seconds = kNan;
  EXPECT_FALSE(ResponseModel::learn(data));
  data.cases[1].points.pop_back();
  const auto refused = ResponseModel::learn(data);
  ASSERT_FALSE(refused);
  EXPECT_NE(std::string::npos, refused.error().what.find("k1")) << refused.error().what;
}

TEST(ResponseModel, ReadsBackWhatItWrote) {
  const auto model = ResponseModel::learn(plain_data(300)).value();
  EXPECT_LE(model.curves().size(), ResponseModel::kMostCurves);
  const std::string text = model.to_json().dump();
  const auto again = ResponseModel::from_json(parse_json(text).value(), "m.json");
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(text, again->to_json().dump());
  const std::string generic = ResponseModel::generic().to_json().dump();  // unknown activities
  EXPECT_EQ(generic, ResponseModel::from_json(parse_json(generic).value(), "g")->to_json().dump());
}

TEST(ResponseModel, RefusesFilesThatAreNone) {
  const Json good = ResponseModel::learn(plain_data(3)).value().to_json();
  const auto refused = [&](std::string_view key, Json value) {
    Json bad = good;
    bad.set(key, std::move(value));
    const auto read = ResponseModel::from_json(bad, "m.json");
    EXPECT_FALSE(read) << key;
    if (!read) {
      EXPECT_EQ(Errc::invalid, read.error().code);
      EXPECT_TRUE(read.error().what.starts_with("m.json: ")) << read.error().what;
    }
  };
  refused("format", "other");
  refused("version", 2);
  refused("shares", Json::array());
  refused("shares", Json::array_of(std::vector<double>{0.4, 0.6, 0.6, 1}));
  refused("shares", Json::array_of(std::vector<double>{0.4, 0.6, 0.8, 0.9}));
  refused("pipe_hint", Json());
  refused("curves", Json::array());
  Json curve = good["curves"].items()[0];
  curve.set("log_time", Json::array_of(std::vector<double>{kNan, 0, 0, 0}));
  refused("curves", Json(Json::Array{curve}));
  EXPECT_FALSE(ResponseModel::from_json(Json(), "m.json"));
  EXPECT_FALSE(load_response_model("/nowhere/model.json"));
}

std::vector<double> shares_of(const ResponseData& data) {
  std::vector<double> shares;
  for (const double clock : data.clocks) shares.push_back(clock / data.clocks.back());
  return shares;
}

TEST(ResponseEstimate, IsRightAboutKernelsItHasNotSeenWithinItsDoubt) {
  const auto train = plain_data(100, 1);
  const auto test = plain_data(100, 2);
  const ResponseTable table(ResponseModel::learn(train).value(), shares_of(train));
  ResponseEstimate estimate(table);
  int within = 0;
  for (const auto& one : test.cases) {
    estimate.start(seen_of(one.points[3]));
    for (const std::size_t clock : {2U, 1U, 0U}) estimate.add(clock, seen_of(one.points[clock]));
    for (std::size_t clock = 0; clock < 3; ++clock) {
      const double truth = std::log(one.points[clock].seconds / one.points[3].seconds);
      const auto& answer = estimate.at(clock);
      EXPECT_TRUE(answer.seen);
      EXPECT_NEAR(truth, answer.log_time, 0.03) << one.name;
      EXPECT_GT(answer.doubt, 0);
      EXPECT_DOUBLE_EQ(std::log(one.points[clock].watts / one.points[3].watts), answer.log_power);
      within += std::abs(truth - answer.log_time) < 2 * answer.doubt ? 1 : 0;
    }
  }
  EXPECT_GT(within, 285);  // of 300: what is called doubt is no less than it
}

TEST(ResponseEstimate, ProgressIsBelievedBeforeAnyHint) {
  const auto data = plain_data(50);
  const ResponseTable table(ResponseModel::learn(data).value(), shares_of(data));
  ResponseEstimate estimate(table);
  const auto& one = data.cases[0];
  estimate.start(seen_of(one.points[3], 100));
  auto low = seen_of(one.points[1], 80);
  low.activity[kMemoryActivity] *= 0.5;  // a hint that lies
  estimate.add(1, low);
  EXPECT_DOUBLE_EQ(std::log(100.0 / 80), estimate.at(1).log_time);
  EXPECT_FALSE(estimate.at(2).seen);
}

TEST(ResponseEstimate, OneLyingHintDoesNotCarryTheDay) {
  const auto data = plain_data(100);
  const ResponseTable table(ResponseModel::learn(data).value(), shares_of(data));
  ResponseEstimate estimate(table);
  const auto top = point_of(0.9e6, 0.1e-3, 1e9);
  const auto low = point_of(0.9e6, 0.1e-3, 6e8);
  estimate.start(seen_of(top));
  auto seen = seen_of(low);
  seen.activity[kMemoryActivity] *= 100;  // says: a hundred times as fast, which cannot be
  estimate.add(1, seen);
  EXPECT_NEAR(std::log(low.seconds / top.seconds), estimate.at(1).log_time, 0.03);
}

TEST(ResponseEstimate, StaysFiniteWhateverItSees) {
  const auto data = plain_data(20);
  const ResponseTable table(ResponseModel::learn(data).value(), shares_of(data));
  ResponseEstimate estimate(table);
  for (const double odd : {kNan, 0.0, 1e-300, 1e300}) {
    ResponseSeen seen{100, odd, {}};
    seen.activity.fill(odd);
    estimate.start(seen_of(data.cases[0].points[3]));
    estimate.add(0, seen);
    estimate.add(77, seen);
    EXPECT_TRUE(std::isfinite(estimate.at(0).log_time)) << odd;
    EXPECT_TRUE(std::isfinite(estimate.at(0).doubt)) << odd;
    estimate.start(seen);
    estimate.add(1, seen_of(data.cases[0].points[1]));
    EXPECT_TRUE(std::isfinite(estimate.at(1).log_time)) << odd;
  }
}

TEST(ResponseTable, IsStraightBetweenItsSharesAndGoesWithThePeriodBelow) {
  const auto model = ResponseModel::learn(plain_data(5)).value();
  const ResponseTable table(model, std::vector<double>{0.2, 0.4, std::sqrt(0.4 * 0.6), 1});
  for (std::size_t c = 0; c < table.curves(); ++c) {
    const auto& curve = model.curves()[c].log_time;
    EXPECT_DOUBLE_EQ(curve[0], table.log_time(1, c));
    EXPECT_NEAR((curve[0] + curve[1]) / 2, table.log_time(2, c), 1e-12);
    EXPECT_NEAR(curve[0] + std::log(2), table.log_time(0, c), 1e-12);
    EXPECT_DOUBLE_EQ(0, table.log_time(3, c));
  }
}

}  // namespace
}  // namespace mete
