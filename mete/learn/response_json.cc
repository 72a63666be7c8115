// The response model's file: docs/agents/frontier.md describes it.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>

#include "mete/base/files.h"
#include "mete/learn/response_model.h"

namespace mete {
namespace {

constexpr std::string_view kFormat = "mete response model";
constexpr int kVersion = 1;
constexpr std::size_t kMostBytes = std::size_t{16} << 20U;
/// Logs of ratios: e^20 is far from anything a clock does.
constexpr double kLargestLog = 20;

Result<std::vector<double>> numbers(const Json& json, std::size_t size, double low, double high,
                                    std::string_view where, std::string_view key) {
  const auto& items = json[key].items();
  std::vector<double> out;
  for (const Json& item : items) {
    out.push_back(item.as_number(std::numeric_limits<double>::quiet_NaN()));
  }
  const auto good = [&](double v) { return v >= low && v <= high; };
  if (out.size() == size && std::all_of(out.begin(), out.end(), good)) return out;
  return fail(Errc::invalid, "{}: {}: expected {} numbers from {} to {}", where, key, size, low,
              high);
}

Json activity_json(const ResponseActivity& activity) {
  Json out = Json::array();
  for (const double a : activity) out.push(a);  // unknown: null
  return out;
}

Result<ResponseCurve> read_curve(const Json& json, std::size_t shares, const std::string& where) {
  ResponseCurve curve;
  curve.name = json["name"].as_string();
  METE_TRY(curve.log_time, numbers(json, shares, -kLargestLog, kLargestLog, where, "log_time"));
  METE_TRY(curve.log_power, numbers(json, shares, -kLargestLog, kLargestLog, where, "log_power"));
  const auto& activity = json["activity"].items();
  if (activity.size() != kResponseActivities) {
    return fail(Errc::invalid, "{}: activity: expected {} values", where, kResponseActivities);
  }
  for (std::size_t a = 0; a < kResponseActivities; ++a) {
    curve.activity[a] = activity[a].as_number(std::numeric_limits<double>::quiet_NaN());
  }
  return curve;
}

Result<HintNoise> read_noise(const Json& json, std::size_t shares, const std::string& where) {
  HintNoise noise;
  METE_TRY(noise.bias, numbers(json, shares, -kLargestLog, kLargestLog, where, "bias"));
  METE_TRY(const auto spread, numbers(json, kLevels, 1e-6, kLargestLog, where, "spread"));
  std::copy(spread.begin(), spread.end(), noise.spread.begin());
  return noise;
}

Json noise_json(const HintNoise& noise) {
  return Json::object(
      {{"bias", Json::array_of(noise.bias)},
       {"spread", Json::array_of(std::vector<double>(noise.spread.begin(), noise.spread.end()))}});
}

}  // namespace

Json ResponseModel::to_json() const {
  Json curves = Json::array();
  for (const ResponseCurve& curve : curves_) {
    curves.push(Json::object({{"name", curve.name},
                              {"activity", activity_json(curve.activity)},
                              {"log_time", Json::array_of(curve.log_time)},
                              {"log_power", Json::array_of(curve.log_power)}}));
  }
  return Json::object({{"format", kFormat},
                       {"version", kVersion},
                       {"source", source_},
                       {"shares", Json::array_of(shares_)},
                       {"memory_hint", noise_json(noise(HintKind::memory))},
                       {"pipe_hint", noise_json(noise(HintKind::pipe))},
                       {"curves", std::move(curves)}});
}

Result<ResponseModel> ResponseModel::from_json(const Json& json, std::string_view where) {
  if (json["format"].as_string() != kFormat || json["version"].as_integer() != kVersion) {
    return fail(Errc::invalid,
                "{}: not a response model of version {}; `mete evaluate .. --save-model` makes one",
                where, kVersion);
  }
  ResponseModel model;
  model.source_ = json["source"].as_string();
  const std::size_t shares = json["shares"].items().size();
  METE_TRY(model.shares_, numbers(json, shares, 1e-6, 1, where, "shares"));
  const bool ascending = std::adjacent_find(model.shares_.begin(), model.shares_.end(),
                                            std::greater_equal<>()) == model.shares_.end();
  if (shares < 2 || shares > kMostShares || !ascending || model.shares_.back() != 1) {
    return fail(Errc::invalid, "{}: shares: expected 2 to {} ascending numbers that end in 1",
                where, kMostShares);
  }
  METE_TRY(model.noise_[0],
           read_noise(json["memory_hint"], shares, fmt::format("{}: memory_hint", where)));
  METE_TRY(model.noise_[1],
           read_noise(json["pipe_hint"], shares, fmt::format("{}: pipe_hint", where)));
  const auto& curves = json["curves"].items();
  if (curves.empty() || curves.size() > kMostCurves) {
    return fail(Errc::invalid, "{}: curves: expected 1 to {}", where, kMostCurves);
  }
  for (std::size_t i = 0; i < curves.size(); ++i) {
    METE_TRY(auto curve, read_curve(curves[i], shares, fmt::format("{}: curve {}", where, i + 1)));
    model.curves_.push_back(std::move(curve));
  }
  return model;
}

Result<ResponseModel> load_response_model(const std::string& path) {
  METE_TRY(const std::string text, read_file(path, kMostBytes));
  const auto json = parse_json(text);
  if (!json) {
    return fail(Errc::invalid, "{}: not a response model: {}", path, json.error().what);
  }
  return ResponseModel::from_json(*json, path);
}

}  // namespace mete
