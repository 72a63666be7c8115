// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_sight.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

enum Column : std::size_t {
  kClock,
  kPower,
  kEnergy,
  kUtilization,
  kFirstActivity,
  kProgress = kFirstActivity + kResponseActivities,
  kColumns,
};

/// Utilisation below this is idle.
constexpr double kIdle = 0.02;
/// No GPU draws more, W; no clock is higher, Hz.
constexpr double kMostWatts = 1e5;
constexpr double kMostHertz = 1e11;
/// Activities are fractions; sampled ones overshoot a little.
constexpr double kMostActivity = 1.2;

double within(double value, double low, double high) noexcept {
  return value > low && value <= high ? value : kNan;
}

double mix(double mean, double value, int count) noexcept { return mean + (value - mean) / count; }

}  // namespace

std::vector<std::string> frontier_signals() { return {"GPU_CORE_FREQUENCY_STATUS", "GPU_POWER"}; }

std::vector<std::string> frontier_optional_signals() {
  return {"GPU_ENERGY",          "GPU_UTILIZATION",     "GPU_CORE_ACTIVITY",
          "GPU_UNCORE_ACTIVITY", "GPU_FP16_ACTIVITY",   "GPU_FP32_ACTIVITY",
          "GPU_FP64_ACTIVITY",   "GPU_TENSOR_ACTIVITY", "BOARD_KERNELS_COMPLETED"};
}

double difference(const ResponseSeen& a, const ResponseSeen& b, double power_band) noexcept {
  double most = 0;
  const auto note = [&](double d) {
    if (d > most) most = d;  // false for NaN
  };
  note(std::abs(std::log(a.watts / b.watts)) / power_band);
  if (a.rate > 0 && b.rate > 0) note(std::abs(std::log(a.rate / b.rate)) / kProgressBand);
  for (std::size_t i = 0; i < kResponseActivities; ++i) {
    const double band = kActivityBand + kActivityBandShare * std::max(a.activity[i], b.activity[i]);
    note(std::abs(a.activity[i] - b.activity[i]) / band);
  }
  return most;
}

void FrontierMean::add(const ResponseSeen& seen) noexcept {
  ++count_;
  if (count_ == 1) {
    mean_ = seen;
    return;
  }
  mean_.watts = mix(mean_.watts, seen.watts, count_);
  mean_.rate = mix(mean_.rate, seen.rate, count_);
  for (std::size_t i = 0; i < kResponseActivities; ++i) {
    mean_.activity[i] = mix(mean_.activity[i], seen.activity[i], count_);
  }
}

FrontierSight FrontierEye::look(double time, std::span<const double> row) noexcept {
  FrontierSight sight;
  if (row.size() < kColumns) {
    before_ = false;
    return sight;
  }
  const double seconds = before_ ? time - time_ : kNan;
  const double watts = within((row[kEnergy] - joules_) / seconds, 0, kMostWatts);
  const double rate = within((row[kProgress] - progress_) / seconds, -1e-300, 1e300);
  time_ = time;
  joules_ = row[kEnergy];
  progress_ = row[kProgress];
  const bool first = !before_;
  before_ = true;

  sight.clock = within(row[kClock], 0, kMostHertz);
  sight.counted = !std::isnan(watts);
  sight.seen.watts = sight.counted ? watts : within(row[kPower], 0, kMostWatts);
  sight.seen.rate = rate;
  sight.utilization = within(row[kUtilization], -1e-9, kMostActivity);
  for (std::size_t i = 0; i < kResponseActivities; ++i) {
    sight.seen.activity[i] = within(row[kFirstActivity + i], -1e-9, kMostActivity);
  }
  sight.usable = !first && seconds > 0 && !std::isnan(sight.clock) && !std::isnan(sight.seen.watts);
  sight.idle = sight.utilization < kIdle || (std::isnan(sight.utilization) && rate == 0);
  return sight;
}

}  // namespace mete
