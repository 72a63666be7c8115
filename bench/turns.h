// Comparing programs on a machine whose speed changes from one tenth of a second to the next: all
// of them run in short turns, in an order drawn anew each round, and what is compared is each
// round's ratio. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/clock.h"
#include "mete/base/rng.h"
#include "mete/base/stats.h"

namespace mete::bench {

/// The processor time of this process, all its threads: other programs leave it nearly alone.
class ProcessorClock final : public Clock {
 public:
  [[nodiscard]] Nanoseconds now() const noexcept override {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return Nanoseconds(t.tv_sec * 1'000'000'000 + t.tv_nsec);
  }
  void sleep_until(Nanoseconds) noexcept override {}
  [[nodiscard]] double wall_seconds() const noexcept override { return 0; }
};

struct Rounds {
  double seconds = 10;      ///< no more rounds after this
  std::size_t fewest = 12;  ///< but these
  std::size_t most = 400;
};

/// One turn each per round; the measured values, one list per turn.
inline std::vector<std::vector<double>> take_turns(
    const std::vector<std::function<double()>>& turns, const Rounds& rounds, Rng& random) {
  std::vector<std::vector<double>> values(turns.size());
  std::vector<std::size_t> order(turns.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const SteadyClock clock;
  const auto start = clock.now();
  for (std::size_t round = 0; round < rounds.most; ++round) {
    if (round >= rounds.fewest && to_seconds(clock.now() - start) > rounds.seconds) break;
    random.shuffle(order);
    for (const auto i : order) values[i].push_back(turns[i]());
  }
  return values;
}

/// The median of a[i] / b[i], with its 95 % interval.
inline Interval ratio_of(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(a[i] / b[i]);
  return median_interval(ratios);
}

/// Against a bar that a figure must not fall below: "shown", "missed" or "not shown".
inline const char* verdict_above(const Interval& figure, double bar) {
  if (figure.low >= bar) return "shown";
  return figure.high < bar ? "MISSED" : "not shown";
}
/// Against one that it must not rise above.
inline const char* verdict_below(const Interval& figure, double bar) {
  if (figure.high <= bar) return "shown";
  return figure.low > bar ? "MISSED" : "not shown";
}

inline std::string text_of(const Interval& x, double scale = 1, int digits = 4) {
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", scale * x.estimate, digits, scale * x.low,
                     digits, scale * x.high, digits);
}

}  // namespace mete::bench
