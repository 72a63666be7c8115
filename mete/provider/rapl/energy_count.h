// EnergyCount: one energy counter of the hardware, which wraps, as a 64-bit count that does not.
//
// A RAPL counter has 32 bits and no time stamp: at 350 W it starts anew every 12 minutes. Between
// two readings it has counted  raw - last + k × modulus  for some whole k >= 0. The rule: k is
// believed if it is the only one with which the counter's domain stayed below the most power it
// could plausibly draw. If several fit, the interval was too long; if none fits, the counter was
// reset or told garbage. Then what was used in between is unknown, and is never made up:
//
//   a reading that fits no k is a fault, and kept in doubt;
//   if the next reading fits the one before it, that one reading was garbage and nothing is lost;
//   if it fits the doubted one instead, the counter was reset: the count begins again from 0 there;
//   if several k fit, or the counter vanished and came back, that reading is a fault, and the count
//   begins again from 0 there.
//
// A count that begins again is below what it was, which whoever sums it up sees and says. A reset
// that looks exactly like a wrap cannot be told from one; it then adds no more than the plausible
// power would have used in that one interval. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>

#include "mete/base/clock.h"
#include "mete/signal/provider.h"

namespace mete {

/// What is known of a counter before it is read.
struct CounterShape {
  double joules_per_count = 1e-6;
  std::uint64_t modulus = 0;  ///< in counts; 0: it never wraps
  double step_joules = 0;     ///< how finely the hardware counts
  double max_watts = 0;       ///< the most its domain could plausibly draw
};

class EnergyCount {
 public:
  explicit EnergyCount(CounterShape shape) : shape_(shape) {}

  /// Joules counted up to a reading of `raw` at `now`, or the fault that this reading is. The first
  /// reading gives the counter's own value: only differences mean something.
  Reading update(std::uint64_t raw, Nanoseconds now) noexcept;
  /// The counter could not be read for a while and may have been reset meanwhile: the next
  /// reading begins the count again. Nothing happens if it never was read.
  void lose() noexcept;

  [[nodiscard]] const CounterShape& shape() const { return shape_; }
  /// How often the counter wrapped, and how often the count began again.
  [[nodiscard]] std::uint64_t wraps() const { return wraps_; }
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  struct Point {
    std::uint64_t raw = 0;
    Nanoseconds at{0};
  };
  struct Step {
    int fitting = 0;  // how many k fit: 0, 1, or 2 for several
    std::uint64_t counts = 0;
    bool wrapped = false;
  };
  [[nodiscard]] Step step_from(const Point& point, const Point& to) const noexcept;
  [[nodiscard]] Reading take(const Step& step, const Point& to) noexcept;
  void restart(const Point& at) noexcept;

  CounterShape shape_;
  std::optional<Point> last_;
  std::optional<Point> doubted_;
  std::uint64_t total_ = 0;
  std::uint64_t wraps_ = 0;
  std::uint64_t restarts_ = 0;
  bool lost_ = false;
};

}  // namespace mete
