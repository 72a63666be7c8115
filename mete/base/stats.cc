// Order statistics, intervals and the latency histogram of stats.h.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/stats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double sorted_quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return kNaN;
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(low);
  return sorted[low] + part * (sorted[high] - sorted[low]);
}

/// Regularised incomplete beta by Lentz's continued fraction (Numerical Recipes, 6.4).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  constexpr double kTiny = 1e-300;
  double c = 1;
  double d = 1 - (a + b) * x / (a + 1);
  d = 1 / (std::abs(d) < kTiny ? kTiny : d);
  double h = d;
  for (int m = 1; m <= 300; ++m) {
    const double two_m = 2.0 * m;
    for (const double step : {m * (b - m) * x / ((a + two_m - 1) * (a + two_m)),
                              -(a + m) * (a + b + m) * x / ((a + two_m) * (a + two_m + 1))}) {
      d = 1 + step * d;
      d = 1 / (std::abs(d) < kTiny ? kTiny : d);
      c = 1 + step / c;
      if (std::abs(c) < kTiny) c = kTiny;
      h *= d * c;
    }
    if (std::abs(d * c - 1) < 1e-14) break;
  }
  return front * h / a;
}

}  // namespace

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? kNaN : sum / static_cast<double>(values.size());
}

double stddev_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double quantile_of(std::span<const double> values, double q) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted_quantile(sorted, q);
}

double median_of(std::span<const double> values) { return quantile_of(values, 0.5); }

double student_t(double confidence, double degrees_of_freedom) {
  const double tail = 1 - confidence;
  double low = 0;
  double high = 1e6;
  for (int i = 0; i < 200; ++i) {
    const double t = (low + high) / 2;
    const double two_sided = incomplete_beta(degrees_of_freedom / 2, 0.5,
                                             degrees_of_freedom / (degrees_of_freedom + t * t));
    (two_sided > tail ? low : high) = t;
  }
  return (low + high) / 2;
}

Interval mean_interval(std::span<const double> values, double confidence) {
  const double mean = mean_of(values);
  if (values.size() < 2) return {mean, kNaN, kNaN, values.size()};
  const auto n = static_cast<double>(values.size());
  const double half = student_t(confidence, n - 1) * stddev_of(values) / std::sqrt(n);
  return {mean, mean - half, mean + half, values.size()};
}

Interval positive_mean_interval(std::span<const double> values, double confidence) {
  Interval interval = mean_interval(values, confidence);
  if (interval.bounded()) interval.low = std::max(interval.low, 0.0);
  return interval;
}

Interval median_interval(std::span<const double> values, double confidence) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  // The chance that at most k of n values lie below the median is a sum of binomials: the largest k
  // whose sum stays within the tail is left out on either side.
  double below = 0;
  std::size_t out = 0;
  while (out < sorted.size()) {
    const auto k = static_cast<double>(out);
    below += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                      n * std::log(2.0));
    if (below > (1 - confidence) / 2) break;
    ++out;
  }
  const double median = sorted_quantile(sorted, 0.5);
  if (out == 0) return {median, kNaN, kNaN, sorted.size()};
  return {median, sorted[out - 1], sorted[sorted.size() - out], sorted.size()};
}

Interval paired_relative_change(std::span<const double> a, std::span<const double> b,
                                double confidence) {
  const std::size_t n = std::min(a.size(), b.size());
  std::vector<double> logs(n);
  for (std::size_t i = 0; i < n; ++i) logs[i] = std::log(a[i] / b[i]);
  Interval change = mean_interval(logs, confidence);
  for (double* end : {&change.estimate, &change.low, &change.high}) *end = std::expm1(*end);
  return change;
}

namespace {

// A double's own bits are a logarithm: its exponent, then the highest bits of its mantissa. No
// log() in the loop.
constexpr unsigned kMantissaBits = 52;
constexpr unsigned kBucketBits = 6;
constexpr std::uint64_t kBucketsPerOctave = 1U << kBucketBits;
constexpr std::uint64_t kLowestExponent = 1023 - 30;  // 2^-30 s is just below 1 ns

std::uint64_t bucket_code(double seconds) {
  return std::bit_cast<std::uint64_t>(seconds) >> (kMantissaBits - kBucketBits);
}

/// The upper end of a bucket, in seconds.
double bucket_end(std::uint64_t index) {
  return std::bit_cast<double>((index + 1 + kLowestExponent * kBucketsPerOctave)
                               << (kMantissaBits - kBucketBits));
}

}  // namespace

void LatencyHistogram::add(double seconds) noexcept {
  const double s = seconds > 0 ? seconds : 0;
  constexpr std::uint64_t kFirst = kLowestExponent * kBucketsPerOctave;
  const std::uint64_t code = bucket_code(s);
  const std::uint64_t index = code > kFirst ? code - kFirst : 0;
  ++buckets_[std::min<std::uint64_t>(index, kBuckets - 1)];
  ++count_;
  sum_ += s;
  worst_ = std::max(worst_, s);
}

double LatencyHistogram::quantile(double q) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted && seen > 0) return std::min(bucket_end(i), worst_);
  }
  return worst_;
}

}  // namespace mete
