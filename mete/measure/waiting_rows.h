// WaitingRows: rows of samples on their way from the sampling loop to the sums and the trace.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "mete/base/clock.h"

namespace mete {

/// Rows of samples that are not added up yet. A loop that has just slept runs on cold caches: of
/// what it need not do at once, the less it touches at every period the better.
class WaitingRows {
 public:
  static constexpr std::size_t kMost = 16;
  struct Row {
    std::span<double> values;
    Nanoseconds time;
    double seconds;  ///< since the row before
  };

  void begin(std::size_t width) {
    width_ = width;
    values_.assign(width * kMost, 0.0);
  }
  [[nodiscard]] bool full() const { return count_ == kMost; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Row row(std::size_t i) {
    return {std::span(values_).subspan(i * width_, width_), times_[i], seconds_[i]};
  }
  /// A further row: its values from `kept` on are those of the last one.
  std::span<double> add(std::size_t kept, Nanoseconds time, double seconds) {
    const std::size_t from = last_;
    last_ = count_++;
    times_[last_] = time;
    seconds_[last_] = seconds;
    const auto to = row(last_).values;
    if (from != last_)
      std::ranges::copy(row(from).values.subspan(kept),
                        to.begin() + static_cast<std::ptrdiff_t>(kept));
    return to;
  }
  [[nodiscard]] std::span<double> last() { return row(last_).values; }
  void clear() { count_ = 0; }

 private:
  std::size_t width_ = 0;
  std::size_t count_ = 0;
  std::size_t last_ = 0;
  std::vector<double> values_;
  std::array<Nanoseconds, kMost> times_{};
  std::array<double, kMost> seconds_{};
};

}  // namespace mete
