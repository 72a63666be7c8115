// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/clock_choice.h"

#include <algorithm>
#include <cmath>

#include "mete/base/text.h"

namespace mete {
namespace {

std::string shown(double clock) { return format_quantity(clock, "Hz", 4); }

Result<void> check_limit(const PartLimits& part, std::size_t index, double limit,
                         std::string_view name) {
  if (limit >= part.min - kClockTolerance && limit <= part.max + kClockTolerance) return {};
  return fail(Errc::invalid, "policy: {} is {}, but part {} of the device takes {} to {}", name,
              shown(limit), index, shown(part.min), shown(part.max));
}

}  // namespace

Result<ClockChoice> ClockChoice::make(const PartLimits& part, std::size_t index, double low,
                                      double high, std::string_view low_name,
                                      std::string_view high_name) {
  if (!std::isnan(low)) METE_TRY_VOID(check_limit(part, index, low, low_name));
  if (!std::isnan(high)) METE_TRY_VOID(check_limit(part, index, high, high_name));
  if (low > high + kClockTolerance) {
    return fail(Errc::invalid, "policy: {} ({}) is above {} ({})", low_name, shown(low), high_name,
                shown(high));
  }
  ClockChoice choice;
  choice.low_ = std::isnan(low) ? part.min : std::clamp(low, part.min, part.max);
  choice.high_ = std::isnan(high) ? part.max : std::clamp(high, choice.low_, part.max);
  if (part.supported.empty()) return choice;
  for (const double clock : part.supported) {
    if (clock < choice.low_ - kClockTolerance || clock > choice.high_ + kClockTolerance) continue;
    choice.clocks_.push_back(clock);
  }
  if (choice.clocks_.empty()) {
    return fail(Errc::invalid,
                "policy: part {} of the device supports no clock from {} ({}) to {} ({}); "
                "`mete list controls` shows what it takes",
                index, low_name, shown(choice.low_), high_name, shown(choice.high_));
  }
  choice.low_ = choice.clocks_.front();
  choice.high_ = choice.clocks_.back();
  return choice;
}

double ClockChoice::nearest(double clock) const noexcept {
  if (std::isnan(clock)) return high_;
  const double inside = std::clamp(clock, low_, high_);
  if (clocks_.empty()) return inside;
  const auto above = std::lower_bound(clocks_.begin(), clocks_.end(), inside);
  if (above == clocks_.begin()) return *above;
  if (above == clocks_.end()) return clocks_.back();
  const double below = *(above - 1);
  return *above - inside < inside - below ? *above : below;
}

}  // namespace mete
