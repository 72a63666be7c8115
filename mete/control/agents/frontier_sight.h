// What the frontier agent sees of one part (a GPU, or a CPU package) between two steps: rows of
// signals as means over the interval, checked, with what cannot be true left out; and when two such
// sights are of different work. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "mete/learn/response_estimate.h"
#include "mete/signal/domain.h"

namespace mete {

/// A signal that tells how far the work has come. To add one: a line in frontier_sight.cc.
struct FrontierProgress {
  std::string signal;
  bool whole = false;  ///< counts whole things; else it moves as smoothly as the work does
};
inline constexpr std::size_t kMostProgress = 4;

/// The columns of the agent's rows: `needed`, then `optional`. Places are of the whole row.
struct FrontierColumns {
  std::vector<std::string> needed;    ///< clock, power
  std::vector<std::string> optional;  ///< energy, utilisation, then those told of below
  std::size_t limit = 0;              ///< the upper limit that is in force; 0: not among them
  std::size_t first_activity = 0;
  std::size_t activities = 0;  ///< 0, or kResponseActivities
  std::size_t first_progress = 0;
  /// The first that moves is taken: what the program says of itself, then what the device counts.
  std::vector<FrontierProgress> progress;
  double idle = 0;  ///< utilisation below this is idle

  [[nodiscard]] std::size_t width() const { return needed.size() + optional.size(); }
};
FrontierColumns frontier_columns(Domain domain);

struct FrontierSight {
  bool usable = false;     ///< clock and power are known
  bool idle = false;       ///< nothing ran
  bool counted = false;    ///< power is from an energy counter, exact over the interval
  double clock = 0;        ///< Hz, at the interval's end: the limit in force if it is known
  double status = 0;       ///< Hz: the clock itself
  double utilization = 0;  ///< NaN: not known
  double seconds = 0;      ///< the interval
  double steps = 0;        ///< of progress, if it is counted in whole steps; else 0
  bool coarse = false;     ///< so few of them that the rate of one interval says nothing
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

/// Running means of what was seen. Progress that is counted in whole steps is summed up, and its
/// rate is as sure as there were steps.
class FrontierMean {
 public:
  void clear() noexcept;
  void add(const FrontierSight& sight) noexcept;
  [[nodiscard]] int count() const noexcept { return count_; }
  [[nodiscard]] const ResponseSeen& mean() const noexcept { return mean_; }
  /// Whole steps of progress so far; `coarse()` says whether they are what is to be waited for.
  [[nodiscard]] double steps() const noexcept { return steps_; }
  [[nodiscard]] bool coarse() const noexcept { return coarse_; }

 private:
  int count_ = 0;
  double steps_ = 0;
  double seconds_ = 0;
  bool coarse_ = false;
  ResponseSeen mean_;
};

/// Turns rows into sights. Remembers the row before, for counters.
class FrontierEye {
 public:
  explicit FrontierEye(const FrontierColumns& columns);
  FrontierSight look(double time, std::span<const double> row) noexcept;

 private:
  struct Counter {
    double value = 0;
    double heard = 0;  ///< when it moved last; meaningless before the first
    bool moved = false;
  };
  void follow(double seconds, double time, std::span<const double> row,
              FrontierSight& sight) noexcept;

  std::size_t limit_;
  std::size_t first_activity_;
  std::size_t activities_;
  std::size_t first_progress_;
  std::size_t sources_;
  std::size_t width_;
  double idle_;
  std::array<bool, kMostProgress> whole_{};
  std::array<Counter, kMostProgress> counters_{};
  double time_ = 0;
  double joules_ = 0;
  bool before_ = false;
};

}  // namespace mete
