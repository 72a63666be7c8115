// SignalSum: one signal's figure over a run, from its samples.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "mete/signal/info.h"

namespace mete {

/// Adds up samples. Each value stands for the time since the sample before it (the right-hand
/// rule), as GEOPM's aggregation does: utilisations, derivatives and sensors all tell of the past.
/// Missing values (NaN) are left out, and the time that they would have stood for with them.
class SignalSum {
 public:
  explicit SignalSum(Behavior behavior) : behavior_(behavior) {}
  /// `seconds`: since the sample before; 0 for the first. Allocates nothing.
  void add(double value, double seconds) noexcept {
    if (std::isnan(value)) return;
    if (count_++ == 0) first_ = value;
    if (value < last_) went_back_ = behavior_ == Behavior::monotone;
    last_ = value;
    if (seconds > 0) {
      // From the first value on: the mean of a constant is that constant, to the last digit.
      weighted_ += (value - first_) * seconds;
      weight_ += seconds;
    }
  }
  /// monotone: last minus first, NaN with fewer than two values or if it went back (a counter was
  /// reset); variable: the time-weighted mean; constant and label: the last value. NaN if never
  /// read.
  [[nodiscard]] double figure() const noexcept;
  /// A monotone signal went back during the run.
  [[nodiscard]] bool went_back() const noexcept { return went_back_; }

 private:
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  Behavior behavior_;
  std::uint64_t count_ = 0;
  double first_ = kNaN;
  double last_ = kNaN;
  double weighted_ = 0;
  double weight_ = 0;
  bool went_back_ = false;
};

}  // namespace mete
