// EpochSums: the figures of a run's epochs, from the moment on at which its program had counted the
// first one (GEOPM's "Epoch Totals"). SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <vector>

#include "mete/base/clock.h"
#include "mete/measure/session.h"
#include "mete/measure/signal_sum.h"

namespace mete {

class EpochSums {
 public:
  /// `totals`: the run's signals, their figures not yet known. Without EPOCH_COUNT among them, all
  /// else does nothing.
  void begin(std::vector<SignalTotal> totals);
  /// A sample's values, in the order of the signals; `seconds` since the one before. Allocates
  /// nothing.
  void add(std::span<const double> values, Nanoseconds now, double seconds) noexcept;
  /// After the last sample, taken at `end`.
  [[nodiscard]] EpochTotals totals(Nanoseconds end) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t column_ = kNone;  // of EPOCH_COUNT
  std::vector<SignalTotal> rows_;
  std::vector<SignalSum> sums_;
  double before_ = 0;       // the count at the run's start
  double first_count_ = 0;  // when the first epochs were seen
  double count_ = 0;
  Nanoseconds first_{0};
  Nanoseconds last_{0};  // when the count last grew
  bool started_ = false;
  bool counting_ = false;
};

}  // namespace mete
