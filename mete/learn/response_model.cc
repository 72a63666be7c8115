// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/response_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "mete/base/stats.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// What hints scatter by where nothing was learned, in log time: memory counters are exact to about
/// 1.5 %, pipe counters to about 3 % (sampled).
constexpr std::array<double, kHintKinds> kUnlearnedSpread{0.015, 0.03};
/// No hint is taken to be better than this.
constexpr double kLeastSpread = 0.002;
/// Fewer examples than this teach no spread, or no bias.
constexpr std::size_t kFewestForSpread = 20;
constexpr std::size_t kFewestForBias = 5;
/// Fewer kernels than this do not show what work can be like: the generic curves join them.
constexpr std::size_t kFewCases = 30;
/// A share of all that lies within one standard deviation. Taken instead of the deviation itself,
/// which a few kernels whose activity is no measure of progress would blow up.
constexpr double kOneSigma = 0.68;

struct HintError {
  std::size_t share = 0;
  std::size_t level = 0;
  double error = 0;  ///< true log time minus hinted
};

std::vector<HintError> hint_errors(const ResponseData& data, HintKind kind) {
  std::vector<HintError> out;
  const std::size_t last = data.clocks.size() - 1;
  const std::size_t from = kind == HintKind::memory ? kMemoryActivity : kFirstPipe;
  const std::size_t to = kind == HintKind::memory ? kFirstPipe : kResponseActivities;
  for (const ResponseCase& one : data.cases) {
    const ResponsePoint& top = one.points[last];
    for (std::size_t i = 0; i < last; ++i) {
      for (std::size_t a = from; a < to; ++a) {
        const double now = one.points[i].activity[a];
        const double hint =
            hinted_log_time(a, top.activity[a], now, data.clocks[i] / data.clocks[last]);
        if (std::isnan(hint)) continue;
        const double truth = std::log(one.points[i].seconds / top.seconds);
        out.push_back({i, activity_level(std::min(now, top.activity[a])), truth - hint});
      }
    }
  }
  return out;
}

double spread_of(std::vector<double>& errors, double fallback) {
  if (errors.size() < kFewestForSpread) return fallback;
  for (double& e : errors) e = std::abs(e);
  return std::max(kLeastSpread, quantile_of(errors, kOneSigma));
}

HintNoise learn_noise(const ResponseData& data, HintKind kind) {
  const auto errors = hint_errors(data, kind);
  const double unlearned = kUnlearnedSpread[static_cast<std::size_t>(kind)];
  HintNoise noise;
  noise.bias.assign(data.clocks.size(), 0);
  for (std::size_t i = 0; i + 1 < data.clocks.size(); ++i) {
    std::vector<double> here;
    for (const HintError& e : errors) {
      if (e.share == i) here.push_back(e.error);
    }
    if (here.size() >= kFewestForBias) noise.bias[i] = median_of(here);
  }
  std::vector<double> all;
  std::array<std::vector<double>, kLevels> by_level;
  for (const HintError& e : errors) {
    all.push_back(e.error - noise.bias[e.share]);
    by_level[e.level].push_back(all.back());
  }
  const double overall = std::max(unlearned, spread_of(all, unlearned));
  for (std::size_t level = 0; level < kLevels; ++level) {
    noise.spread[level] = spread_of(by_level[level], overall);
  }
  return noise;
}

Result<void> check(const ResponseData& data) {
  if (data.clocks.size() < 2 || data.clocks.size() > ResponseModel::kMostShares) {
    return fail(Errc::invalid, "{}: {} clocks; a response needs 2 to {}", data.source,
                data.clocks.size(), ResponseModel::kMostShares);
  }
  if (data.cases.empty()) return fail(Errc::invalid, "{}: no kernels to learn from", data.source);
  for (const ResponseCase& one : data.cases) {
    const bool complete = one.points.size() == data.clocks.size();
    const auto good = [](const ResponsePoint& p) {
      return std::isfinite(p.seconds) && std::isfinite(p.watts) && p.seconds > 0 && p.watts > 0;
    };
    if (complete && std::all_of(one.points.begin(), one.points.end(), good)) continue;
    return fail(Errc::invalid, "{}: {}: expected a time and a power above 0 at every clock",
                data.source, one.name);
  }
  return {};
}

ResponseCurve curve_of(const ResponseCase& one) {
  ResponseCurve curve;
  curve.name = one.name;
  curve.activity = one.points.back().activity;
  for (const ResponsePoint& point : one.points) {
    curve.log_time.push_back(std::log(point.seconds / one.points.back().seconds));
    curve.log_power.push_back(std::log(point.watts / one.points.back().watts));
  }
  return curve;
}

/// Power against share 1 by a textbook curve: a static part, and one that goes with f·V², where the
/// voltage is flat below a knee and rises in a straight line above it.
double generic_power(double share) {
  constexpr double kStatic = 0.3;
  constexpr double kKnee = 0.6;
  constexpr double kLowVoltage = 0.8;
  const double above = std::max(0.0, share - kKnee) / (1 - kKnee);
  const double voltage = kLowVoltage + (1 - kLowVoltage) * above;
  return kStatic + (1 - kStatic) * share * voltage * voltage;
}

/// Work that the clock carries in part, from none to all of it, by a smooth and by a sharp
/// transition from one bound to the other.
void add_generic_curves(const std::vector<double>& shares, std::vector<ResponseCurve>& curves) {
  constexpr int kDegrees = 20;
  for (const double sharpness : {1.0, 4.0}) {
    for (int d = 0; d <= kDegrees; ++d) {
      const double bound = static_cast<double>(d) / kDegrees;
      ResponseCurve curve;
      curve.name = "generic";
      curve.activity.fill(kNan);
      for (const double share : shares) {
        const double sum = std::pow(1 - bound, sharpness) + std::pow(bound / share, sharpness);
        const double top = std::pow(1 - bound, sharpness) + std::pow(bound, sharpness);
        curve.log_time.push_back(std::log(sum / top) / sharpness);
        curve.log_power.push_back(std::log(generic_power(share)));
      }
      curves.push_back(std::move(curve));
    }
  }
}

}  // namespace

std::size_t activity_level(double activity) noexcept {
  std::size_t level = 0;
  while (level < kActivityLevels.size() && activity >= kActivityLevels[level]) ++level;
  return level;
}

double hinted_log_time(std::size_t activity, double at_top, double now, double share) noexcept {
  if (!(at_top > kLeastActivity) || !(now > kLeastActivity) || !(share > 0)) return kNan;
  const double ratio = std::log(at_top / now);
  return activity == kMemoryActivity ? ratio : ratio - std::log(share);
}

ResponseModel ResponseModel::generic() {
  constexpr int kShares = 17;  // 0.2, 0.25, .. 1
  ResponseModel model;
  model.source_ = "no measurements";
  for (int i = 0; i < kShares; ++i) model.shares_.push_back(0.2 + 0.8 * i / (kShares - 1));
  add_generic_curves(model.shares_, model.curves_);
  for (std::size_t kind = 0; kind < kHintKinds; ++kind) {
    model.noise_[kind].bias.assign(model.shares_.size(), 0);
    model.noise_[kind].spread.fill(kUnlearnedSpread[kind]);
  }
  return model;
}

Result<ResponseModel> ResponseModel::learn(const ResponseData& data) {
  METE_TRY_VOID(check(data));
  ResponseModel model;
  model.source_ = data.source;
  for (const double clock : data.clocks) model.shares_.push_back(clock / data.clocks.back());
  const std::size_t stride = (data.cases.size() + kMostCurves - 1) / kMostCurves;
  for (std::size_t i = 0; i < data.cases.size(); i += stride) {
    model.curves_.push_back(curve_of(data.cases[i]));
  }
  if (data.cases.size() < kFewCases) add_generic_curves(model.shares_, model.curves_);
  model.noise_[static_cast<std::size_t>(HintKind::memory)] = learn_noise(data, HintKind::memory);
  model.noise_[static_cast<std::size_t>(HintKind::pipe)] = learn_noise(data, HintKind::pipe);
  return model;
}

}  // namespace mete
