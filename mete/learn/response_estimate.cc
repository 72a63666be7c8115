// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/response_estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// How much is believed. Errors of hints have long tails (an activity that is no measure of progress
// at all), so that they count by Student's t with this many degrees of freedom.
constexpr double kFreedom = 4;
/// No curve is the new kernel's own: they are as far apart as this, in log time.
constexpr double kCurveSpread = 0.02;
/// Hints at neighbouring clocks err alike: each counts for half.
constexpr double kHintWeight = 0.5;
/// Likewise the power: log power is worth 0.1 at each clock, and clocks agree with each other.
constexpr double kPowerSpread = 0.1;
constexpr double kPowerWeight = 0.22;
constexpr double kActivitySpread = 0.25;
/// Activities are fractions: what is farther off than this is no activity.
constexpr double kMostDistance = 1e4;
/// Doubt in the curves' mean that their own spread does not show: a fixed part, and one that grows
/// with the distance from the highest clock, per unit of log share.
constexpr double kModelDoubt = 0.004;
constexpr double kModelDoubtPerLog = 0.06;
/// Progress that the program tells.
constexpr double kProgressDoubt = 0.003;
/// So many variances per opinion are nothing unusual.
constexpr double kUsualScatter = 4;
/// A hint this far outside what is possible (faster than at the highest clock, slower than the
/// slowest curve) is none.
constexpr double kImpossible = 0.1;
/// A lower clock does not make work faster by more than its measuring errors.
constexpr double kFastest = -0.03;
constexpr int kRounds = 5;

double blend(const std::vector<double>& shares, const std::vector<double>& values, double share) {
  const auto above = std::lower_bound(shares.begin(), shares.end(), share);
  if (above == shares.begin()) return values.front();
  if (above == shares.end()) return values.back();
  const auto i = static_cast<std::size_t>(above - shares.begin());
  const double part = std::log(share / shares[i - 1]) / std::log(shares[i] / shares[i - 1]);
  return values[i - 1] + part * (values[i] - values[i - 1]);
}

}  // namespace

ResponseTable::ResponseTable(const ResponseModel& model, std::span<const double> shares)
    : shares_(shares.begin(), shares.end()) {
  for (const ResponseCurve& curve : model.curves()) activity_.push_back(curve.activity);
  for (const double share : shares_) {
    const double below = std::max(0.0, std::log(model.shares().front() / share));
    double longest = -std::log(share);
    for (const ResponseCurve& curve : model.curves()) {
      log_time_.push_back(blend(model.shares(), curve.log_time, share) + below);
      log_power_.push_back(blend(model.shares(), curve.log_power, share));
      longest = std::max(longest, log_time_.back());
    }
    longest_.push_back(longest);
    for (std::size_t kind = 0; kind < kHintKinds; ++kind) {
      const HintNoise& noise = model.noise(static_cast<HintKind>(kind));
      bias_[kind].push_back(blend(model.shares(), noise.bias, share));
      spread_[kind] = noise.spread;
    }
  }
}

ResponseEstimate::ResponseEstimate(const ResponseTable& table)
    : table_(&table),
      log_likelihood_(table.curves()),
      weight_(table.curves()),
      hints_(table.clocks()),
      answers_(table.clocks()) {}

void ResponseEstimate::start(const ResponseSeen& top) noexcept {
  top_ = top;
  for (std::size_t c = 0; c < log_likelihood_.size(); ++c) {
    double distance = 0;
    for (std::size_t a = 0; a < kResponseActivities; ++a) {
      const double d = (table_->activity(c)[a] - top.activity[a]) / kActivitySpread;
      if (!std::isnan(d)) distance += d * d;
    }
    log_likelihood_[c] = -0.5 * std::min(distance, kMostDistance);
  }
  std::fill(answers_.begin(), answers_.end(), ResponseAnswer{});
  answers_.back().seen = true;
  answer_all();
}

void ResponseEstimate::add(std::size_t clock, const ResponseSeen& seen) noexcept {
  if (clock >= answers_.size() || answers_[clock].seen) return;
  collect(clock, seen);
  weigh(clock);
  answers_[clock].seen = true;
  answer_all();
}

void ResponseEstimate::collect(std::size_t clock, const ResponseSeen& seen) noexcept {
  Hints& hints = hints_[clock];
  hints.count = 0;
  hints.log_power = std::log(seen.watts / top_.watts);
  const bool told = top_.rate > 0 && seen.rate > 0 && top_.progress == seen.progress;
  hints.progress = told ? std::log(top_.rate / seen.rate) : kNan;
  hints.progress_doubt = std::hypot(top_.rate_doubt, seen.rate_doubt);
  for (std::size_t a = kMemoryActivity; a < kResponseActivities; ++a) {
    const HintKind kind = a == kMemoryActivity ? HintKind::memory : HintKind::pipe;
    const double hint =
        hinted_log_time(a, top_.activity[a], seen.activity[a], table_->share(clock)) +
        table_->bias(kind, clock);
    if (!(hint > -kImpossible && hint < table_->longest(clock) + kImpossible)) continue;
    const std::size_t level = activity_level(std::min(top_.activity[a], seen.activity[a]));
    const double spread = table_->spread(kind, level);
    hints.all[hints.count++] = {hint, spread * spread};
  }
}

void ResponseEstimate::weigh(std::size_t clock) noexcept {
  const Hints& hints = hints_[clock];
  for (std::size_t c = 0; c < log_likelihood_.size(); ++c) {
    // One logarithm per curve: the product of the hints' terms.
    double product = 1;
    for (std::size_t h = 0; h < hints.count; ++h) {
      const double miss = hints.all[h].log_time - table_->log_time(clock, c);
      const double variance = hints.all[h].variance + kCurveSpread * kCurveSpread;
      product *= 1 + miss * miss / (kFreedom * variance);
    }
    log_likelihood_[c] -= kHintWeight * (kFreedom + 1) / 2 * std::log(product);
    const double off = (table_->log_power(clock, c) - hints.log_power) / kPowerSpread;
    if (std::isfinite(off)) log_likelihood_[c] -= 0.5 * kPowerWeight * off * off;
  }
}

void ResponseEstimate::answer_all() noexcept {
  const double most = *std::max_element(log_likelihood_.begin(), log_likelihood_.end());
  double sum = 0;
  for (std::size_t c = 0; c < weight_.size(); ++c) {
    weight_[c] = std::exp(log_likelihood_[c] - most);
    sum += weight_[c];
  }
  for (double& weight : weight_) weight /= sum;
  for (std::size_t clock = 0; clock + 1 < answers_.size(); ++clock) answer(clock);
}

void ResponseEstimate::answer(std::size_t clock) noexcept {
  double mean = 0;
  double power = 0;
  for (std::size_t c = 0; c < weight_.size(); ++c) {
    mean += weight_[c] * table_->log_time(clock, c);
    power += weight_[c] * table_->log_power(clock, c);
  }
  double variance = kModelDoubt * kModelDoubt;
  for (std::size_t c = 0; c < weight_.size(); ++c) {
    const double off = table_->log_time(clock, c) - mean;
    variance += weight_[c] * off * off;
  }
  const double far = kModelDoubtPerLog * std::log(table_->share(clock));
  variance += far * far;

  ResponseAnswer& out = answers_[clock];
  out.log_time = mean;
  out.doubt = std::sqrt(variance);
  out.log_power = power;
  if (!out.seen) return;
  const Hints& hints = hints_[clock];
  out.log_power = hints.log_power;
  if (!std::isnan(hints.progress)) {
    out.log_time = hints.progress;
    out.doubt = kProgressDoubt;
    if (hints.progress_doubt > 0) {
      // Counted in whole steps: worth as much as there were steps to count.
      const double own =
          kProgressDoubt * kProgressDoubt + hints.progress_doubt * hints.progress_doubt;
      out.log_time = (hints.progress / own + mean / variance) / (1 / own + 1 / variance);
      out.doubt = std::sqrt(1 / (1 / own + 1 / variance));
    }
    return;
  }
  // The weighted mean of the curves' opinion and the hints, in which what lies far off counts less
  // and less.
  double total = 1 / variance;
  double value = mean / variance;
  for (std::size_t h = 0; h < hints.count; ++h) {
    total += 1 / hints.all[h].variance;
    value += hints.all[h].log_time / hints.all[h].variance;
  }
  value /= total;
  const auto worth = [&](double x, double var) {
    const double off = x - value;
    return (kFreedom + 1) / (kFreedom + off * off / var) / var;
  };
  for (int round = 0; round < kRounds; ++round) {
    double weight = worth(mean, variance);
    total = weight;
    double next = weight * mean;
    for (std::size_t h = 0; h < hints.count; ++h) {
      weight = worth(hints.all[h].log_time, hints.all[h].variance);
      total += weight;
      next += weight * hints.all[h].log_time;
    }
    value = next / total;
  }
  const auto miss = [&](double x, double var) { return (x - value) * (x - value) / var; };
  double scatter = miss(mean, variance);
  for (std::size_t h = 0; h < hints.count; ++h) {
    scatter += miss(hints.all[h].log_time, hints.all[h].variance);
  }
  // Opinions that are farther apart than their spreads allow are not to be trusted so far.
  scatter /= std::max(1.0, static_cast<double>(hints.count)) * kUsualScatter;
  out.log_time = std::max(value, kFastest);
  out.doubt = std::sqrt(std::max(1.0, scatter) / total);
}

}  // namespace mete
