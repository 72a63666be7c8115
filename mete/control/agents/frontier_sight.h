// What the frontier agent sees of one GPU between two steps: rows of signals as means over the
// interval, checked, with what cannot be true left out; and when two such sights are of different
// work. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "mete/learn/response_estimate.h"

namespace mete {

/// Signals that must be there, and those that help; the columns in this order.
std::vector<std::string> frontier_signals();
std::vector<std::string> frontier_optional_signals();

struct FrontierSight {
  bool usable = false;     ///< clock and power are known
  bool idle = false;       ///< nothing ran
  bool counted = false;    ///< power is from an energy counter, exact over the interval
  double clock = 0;        ///< Hz, at the interval's end
  double utilization = 0;  ///< NaN: not known
  ResponseSeen seen;
};

/// Power, in log, and progress, in log, that are farther apart than this are different work; so
/// are activities farther apart than a fixed part and a part of the larger one. The agent's dead
/// band.
inline constexpr double kPowerBand = 0.10;
/// A sensor lags and is noisy: its power must be farther apart.
inline constexpr double kSensorPowerBand = 0.30;
inline constexpr double kProgressBand = 0.15;
inline constexpr double kActivityBand = 0.04;
inline constexpr double kActivityBandShare = 0.12;

/// The largest of all differences, each over its band: above 1, it is different work. What either
/// does not know does not count.
double difference(const ResponseSeen& a, const ResponseSeen& b, double power_band) noexcept;

/// Running means of what was seen.
class FrontierMean {
 public:
  void clear() noexcept { count_ = 0; }
  void add(const ResponseSeen& seen) noexcept;
  [[nodiscard]] int count() const noexcept { return count_; }
  [[nodiscard]] const ResponseSeen& mean() const noexcept { return mean_; }

 private:
  int count_ = 0;
  ResponseSeen mean_;
};

/// Turns rows into sights. Remembers the row before, for counters.
class FrontierEye {
 public:
  FrontierSight look(double time, std::span<const double> row) noexcept;

 private:
  double time_ = 0;
  double joules_ = 0;
  double progress_ = 0;
  bool before_ = false;
};

}  // namespace mete
