// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_sight.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// The first columns, of every kind of part.
enum Column : std::size_t { kClock, kPower, kEnergy, kUtilization, kFurther };

/// Utilisation below this is idle: of a GPU, and of a package, of whose CPUs one may be the busy
/// one.
constexpr double kIdleGpu = 0.02;
constexpr double kIdlePackage = 0.001;
/// No GPU draws more, W; no clock is higher, Hz.
constexpr double kMostWatts = 1e5;
constexpr double kMostHertz = 1e11;
/// Activities are fractions; sampled ones overshoot a little.
constexpr double kMostActivity = 1.2;
/// Fewer whole steps in one interval than this: the rate of one interval is not looked at.
constexpr double kFineSteps = 40;
/// A count is off by up to one step at either end, evenly: its standard deviation.
constexpr double kStepDoubt = 0.41;
/// A clock this far above its limit, as a share of it, does not obey.
constexpr double kOverLimit = 0.02;
/// A source that has not moved for so long, s, tells nothing.
constexpr double kSilence = 1.5;

double within(double value, double low, double high) noexcept {
  return value > low && value <= high ? value : kNan;
}

double mix(double mean, double value, int count) noexcept { return mean + (value - mean) / count; }

}  // namespace

FrontierColumns frontier_columns(Domain domain) {
  FrontierColumns out;
  const FrontierProgress epochs{"EPOCH_COUNT", true};
  const FrontierProgress regions{"REGION_COUNT", true};
  if (domain == Domain::package) {
    out.needed = {"CPU_FREQUENCY_STATUS", "CPU_POWER"};
    out.optional = {"CPU_ENERGY", "CPU_UTILIZATION"};
    // Idle CPUs lower the mean clock, and turbo is seldom reached: what counts is the limit.
    out.limit = out.width();
    out.optional.emplace_back("CPU_FREQUENCY_MAX_CONTROL");
    out.progress = {epochs, regions, {"CPU_INSTRUCTIONS_RETIRED", false}};
    out.idle = kIdlePackage;
  } else {
    out.needed = {"GPU_CORE_FREQUENCY_STATUS", "GPU_POWER"};
    out.optional = {"GPU_ENERGY", "GPU_UTILIZATION"};
    out.first_activity = out.width();
    out.activities = kResponseActivities;
    for (const char* name : {"GPU_CORE_ACTIVITY", "GPU_UNCORE_ACTIVITY", "GPU_FP16_ACTIVITY",
                             "GPU_FP32_ACTIVITY", "GPU_FP64_ACTIVITY", "GPU_TENSOR_ACTIVITY"}) {
      out.optional.emplace_back(name);
    }
    out.progress = {epochs, regions, {"BOARD_KERNELS_COMPLETED", false}};
    out.idle = kIdleGpu;
  }
  out.first_progress = out.width();
  for (const auto& one : out.progress) out.optional.push_back(one.signal);
  return out;
}

double difference(const ResponseSeen& a, const ResponseSeen& b, double power_band) noexcept {
  double most = 0;
  const auto note = [&](double d) {
    if (d > most) most = d;  // false for NaN
  };
  note(std::abs(std::log(a.watts / b.watts)) / power_band);
  if (a.rate > 0 && b.rate > 0 && a.progress == b.progress) {
    note(std::abs(std::log(a.rate / b.rate)) /
         (kProgressBand + 3 * std::hypot(a.rate_doubt, b.rate_doubt)));
  }
  for (std::size_t i = 0; i < kResponseActivities; ++i) {
    const double band = kActivityBand + kActivityBandShare * std::max(a.activity[i], b.activity[i]);
    note(std::abs(a.activity[i] - b.activity[i]) / band);
  }
  return most;
}

void FrontierMean::clear() noexcept {
  count_ = 0;
  steps_ = 0;
  seconds_ = 0;
  coarse_ = false;
}

void FrontierMean::add(const FrontierSight& sight) noexcept {
  const ResponseSeen& seen = sight.seen;
  ++count_;
  coarse_ = coarse_ || sight.coarse;
  steps_ += sight.steps;
  seconds_ += sight.seconds;
  if (count_ == 1) {
    mean_ = seen;
  } else {
    mean_.watts = mix(mean_.watts, seen.watts, count_);
    mean_.rate = mean_.progress == seen.progress ? mix(mean_.rate, seen.rate, count_) : kNan;
    for (std::size_t i = 0; i < kResponseActivities; ++i) {
      mean_.activity[i] = mix(mean_.activity[i], seen.activity[i], count_);
    }
  }
  if (mean_.progress != seen.progress || !(steps_ > 0)) return;
  mean_.rate = steps_ / seconds_;
  mean_.rate_doubt = kStepDoubt / steps_;
}

FrontierEye::FrontierEye(const FrontierColumns& columns)
    : limit_(columns.limit),
      first_activity_(columns.first_activity),
      activities_(columns.activities),
      first_progress_(columns.first_progress),
      sources_(std::min(columns.progress.size(), kMostProgress)),
      width_(columns.width()),
      idle_(columns.idle) {
  for (std::size_t i = 0; i < sources_; ++i) whole_[i] = columns.progress[i].whole;
}

/// Takes the first source that moves, or has moved lately; every source is followed, so that a
/// change of source costs one interval only.
void FrontierEye::follow(double seconds, double time, std::span<const double> row,
                         FrontierSight& sight) noexcept {
  sight.seen.rate = kNan;
  bool taken = false;
  for (std::size_t i = 0; i < sources_; ++i) {
    Counter& counter = counters_[i];
    const double value = row[first_progress_ + i];
    const double gone = value - counter.value;
    counter.value = value;
    if (gone > 0) {
      counter.heard = time;
      counter.moved = true;
    }
    const bool alive = counter.moved && time - counter.heard <= kSilence;
    if (taken || !(gone >= 0) || (whole_[i] && !alive)) continue;
    taken = true;
    sight.seen.progress = static_cast<int>(i);
    if (!whole_[i]) {
      sight.seen.rate = within(gone / seconds, -1e-300, 1e300);
      continue;
    }
    sight.steps = gone;
    sight.coarse = gone < kFineSteps;
    if (sight.coarse) continue;
    sight.seen.rate = gone / seconds;
    sight.seen.rate_doubt = kStepDoubt / gone;
  }
}

FrontierSight FrontierEye::look(double time, std::span<const double> row) noexcept {
  FrontierSight sight;
  if (row.size() < width_) {
    before_ = false;
    return sight;
  }
  const double seconds = before_ ? time - time_ : kNan;
  const double watts = within((row[kEnergy] - joules_) / seconds, 0, kMostWatts);
  time_ = time;
  joules_ = row[kEnergy];
  const bool first = !before_;
  before_ = true;

  sight.seconds = seconds;
  sight.status = within(row[kClock], 0, kMostHertz);
  const double limit = limit_ > 0 ? within(row[limit_], 0, kMostHertz) : kNan;
  // A clock above the limit has not obeyed it yet; one below is what the limit comes to.
  sight.clock = sight.status <= limit * (1 + kOverLimit) ? limit : sight.status;
  sight.counted = !std::isnan(watts);
  sight.seen.watts = sight.counted ? watts : within(row[kPower], 0, kMostWatts);
  sight.utilization = within(row[kUtilization], -1e-9, kMostActivity);
  for (std::size_t i = 0; i < kResponseActivities; ++i) {
    sight.seen.activity[i] =
        i < activities_ ? within(row[first_activity_ + i], -1e-9, kMostActivity) : kNan;
  }
  follow(seconds, time, row, sight);
  sight.usable = !first && seconds > 0 && !std::isnan(sight.clock) && !std::isnan(sight.seen.watts);
  sight.idle = sight.utilization < idle_ || (std::isnan(sight.utilization) && sight.seen.rate == 0);
  return sight;
}

}  // namespace mete
