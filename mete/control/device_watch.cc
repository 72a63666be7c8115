// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/device_watch.h"

#include <algorithm>
#include <cmath>

#include "mete/base/text.h"

namespace mete {
namespace {

/// A limit reads back rounded: this share of the highest setting is the same.
constexpr double kSameLimit = 0.005;
/// So many steps running, because a limit may be read before a write has come through.
constexpr int kForeignSteps = 2;
/// Written again no more often, s.
constexpr double kRewriteEvery = 1.0;
/// A clock has so many steps to follow; then it is judged, with these margins.
constexpr int kFollowSteps = 6;
constexpr double kBelow = 0.95;
constexpr double kAbove = 1.03;
/// Told if more of the busy steps than this were off, and at least so many.
constexpr double kShare = 0.1;
constexpr std::uint64_t kLeastSteps = 5;
/// A sensor that shows the very same number for so long, s, at three clocks of busy work.
constexpr double kStuckPower = 1.0;
constexpr int kStuckChanges = 2;
constexpr double kStuckEnergy = 1.0;

std::string hertz(double clock) { return format_quantity(clock, "Hz", 4); }

}  // namespace

bool DeviceWatch::look(double time, double asked, const DeviceTold& told) noexcept {
  const bool changed = asked != asked_ && !std::isnan(asked);
  if (changed) {
    asked_ = asked;
    since_ = 0;
  } else {
    ++since_;
  }
  if (std::isnan(asked_)) return false;
  note_clock(asked_, told);
  note_stuck(time, changed ? asked_ : std::numeric_limits<double>::quiet_NaN(), told);
  return overwritten(time, asked_, told.limit);
}

bool DeviceWatch::overwritten(double time, double asked, double limit) noexcept {
  const bool foreign = std::abs(limit - asked) > kSameLimit * options_.top;  // false for NaN
  foreign_steps_ = foreign && since_ > 0 ? foreign_steps_ + 1 : 0;
  if (given_up_ || foreign_steps_ < kForeignSteps || time - last_rewrite_ < kRewriteEvery) {
    return false;
  }
  if (rewrites_ == 0) foreign_limit_ = limit;
  if (rewrites_ >= kMostRewrites) {
    given_up_ = true;
    return false;
  }
  ++rewrites_;
  last_rewrite_ = time;
  foreign_steps_ = 0;
  return true;
}

void DeviceWatch::note_clock(double asked, const DeviceTold& told) noexcept {
  if (since_ < kFollowSteps || !(told.utilization >= options_.busy)) return;
  // Where another limit is in force, that is the finding.
  if (std::abs(told.limit - asked) > kSameLimit * options_.top) return;
  if (!(told.status > 0)) return;
  ++judged_;
  const bool at_top = asked >= options_.top * (1 - kSameLimit);
  if (told.status < kBelow * asked && !(options_.turbo && at_top)) {
    ++below_;
    lowest_ = std::min(lowest_, told.status);
  }
  if (told.status > kAbove * asked) {
    ++above_;
    highest_ = std::max(highest_, told.status);
  }
}

void DeviceWatch::follow(Still& still, double value, double time, bool busy, bool changed,
                         int least_changes, double least_seconds) noexcept {
  if (std::isnan(value) || !busy || !still.valid || value != still.value) {
    still.valid = !std::isnan(value);
    still.value = value;
    still.since = time;
    still.changes = 0;
    return;
  }
  if (changed) ++still.changes;
  if (still.changes < least_changes || time - still.since < least_seconds) return;
  still.stuck = true;
  still.stuck_value = value;
}

void DeviceWatch::note_stuck(double time, double changed_to, const DeviceTold& told) noexcept {
  const bool busy = told.utilization >= options_.busy;
  const bool changed = !std::isnan(changed_to);
  follow(power_, told.power, time, busy, changed, kStuckChanges, kStuckPower);
  follow(energy_, told.energy, time, busy, changed, 0, kStuckEnergy);
}

std::vector<std::string> DeviceWatch::findings() const {
  std::vector<std::string> lines;
  const auto often = [this](std::uint64_t steps) {
    return steps >= kLeastSteps &&
           static_cast<double>(steps) > kShare * static_cast<double>(judged_);
  };
  if (rewrites_ > 0) {
    lines.push_back(fmt::format(
        "{}@{}: something else set it to {} during the run (another program, or the device's own "
        "protection); it was set again {} time{}{}",
        options_.control, options_.part, hertz(foreign_limit_), rewrites_,
        rewrites_ == 1 ? "" : "s", given_up_ ? ", then left to it" : ""));
  }
  if (often(below_)) {
    lines.push_back(fmt::format(
        "{}: its clock stayed below what was asked for in {} of {} busy steps, down to {}: a "
        "thermal or power cap of the device",
        options_.part, below_, judged_, hertz(lowest_)));
  }
  if (often(above_)) {
    lines.push_back(fmt::format(
        "{}: its clock stayed above what was asked for in {} of {} busy steps, up to {}: the "
        "device does not follow {}",
        options_.part, above_, judged_, hertz(highest_), options_.control));
  }
  if (power_.stuck) {
    lines.push_back(fmt::format(
        "{}@{} showed exactly {} while the clock changed under load: a sensor that is stuck, so "
        "figures made of it are not to be trusted",
        options_.power, options_.part, format_quantity(power_.stuck_value, "W", 4)));
  }
  if (energy_.stuck) {
    lines.push_back(fmt::format(
        "{}@{} stood still at {} under load: a counter that is stuck, so energies of this run are "
        "too low",
        options_.energy, options_.part, format_quantity(energy_.stuck_value, "J", 4)));
  }
  return lines;
}

}  // namespace mete
