// Summaries that carry their own doubt.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mete {

double mean_of(std::span<const double> values);
/// Sample standard deviation (n-1); 0 for fewer than two values.
double stddev_of(std::span<const double> values);
double median_of(std::span<const double> values);
/// Quantile q in [0,1], linear between order statistics (type 7, numpy's default). NaN if empty.
double quantile_of(std::span<const double> values, double q);

/// An estimate with a two-sided confidence interval. `n` repeats stand behind it; with n = 1 the
/// interval is unbounded (NaN ends) and must be shown as such.
struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 0;
  std::size_t n = 0;
  [[nodiscard]] bool bounded() const { return low == low && high == high; }
};

/// Mean with Student's t interval at `confidence`.
Interval mean_interval(std::span<const double> values, double confidence = 0.95);
/// Of values that are never below 0, such as rates, times and joules: the same, cut off at 0. Two
/// runs that differ by more than a sixth reach below it, and what cannot be is no part of an
/// interval (which holds the mean as often as before). Its half-width is high - estimate.
Interval positive_mean_interval(std::span<const double> values, double confidence = 0.95);
/// Median with the interval of the sign test: order statistics, so that outliers on either side and
/// the values' distribution do not matter. Unbounded with fewer than six values (at 95 %).
Interval median_interval(std::span<const double> values, double confidence = 0.95);
/// Relative change a/b - 1 of runs made in pairs (a[i] beside b[i], interleaved, so that drift
/// cancels): the geometric mean of the ratios with Student's t interval of their logarithms. All
/// values must be > 0.
Interval paired_relative_change(std::span<const double> a, std::span<const double> b,
                                double confidence = 0.95);
/// Two-sided Student's t critical value.
double student_t(double confidence, double degrees_of_freedom);

/// Durations or latencies summarised without storing them: logarithmic buckets of 1.5 % width from
/// 1 ns to 1000 s. add() neither allocates nor throws, so the sampling loop may call it.
class LatencyHistogram {
 public:
  void add(double seconds) noexcept;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  [[nodiscard]] double worst() const { return worst_; }
  /// The quantile to within a bucket's width; 0 if empty.
  [[nodiscard]] double quantile(double q) const;

 private:
  static constexpr std::size_t kBuckets = 41 * 64;
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double worst_ = 0;
};

}  // namespace mete
