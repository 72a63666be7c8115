// The rule for wraps, resets and gaps.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/rapl/energy_count.h"

namespace mete {
namespace {

/// Counters are updated about every millisecond, unevenly and without a time stamp: what two close
/// readings differ by may belong to a longer time than lies between them.
constexpr double kUpdateSeconds = 0.02;
constexpr double kUpdateSteps = 4;

}  // namespace

EnergyCount::Step EnergyCount::step_from(const Point& point, const Point& to) const noexcept {
  const double seconds = to_seconds(to.at - point.at) + kUpdateSeconds;
  const double most = shape_.max_watts * seconds + kUpdateSteps * shape_.step_joules;
  const auto fits = [&](std::uint64_t counts) {
    return static_cast<double>(counts) * shape_.joules_per_count <= most;
  };
  const bool back = to.raw < point.raw;
  if (shape_.modulus == 0) {
    if (back || !fits(to.raw - point.raw)) return {};
    return {1, to.raw - point.raw, false};
  }
  const std::uint64_t least =
      back ? shape_.modulus - (point.raw - to.raw) : to.raw - point.raw;  // k = 1 or 0
  if (!fits(least)) return {};
  return {fits(least + shape_.modulus) ? 2 : 1, least, back};
}

Reading EnergyCount::take(const Step& step, const Point& to) noexcept {
  total_ += step.counts;
  wraps_ += step.wrapped ? 1U : 0U;
  last_ = to;
  doubted_.reset();
  return {static_cast<double>(total_) * shape_.joules_per_count, std::nullopt};
}

void EnergyCount::restart(const Point& at) noexcept {
  total_ = 0;
  ++restarts_;
  last_ = at;
  doubted_.reset();
}

void EnergyCount::lose() noexcept { lost_ = last_.has_value(); }

Reading EnergyCount::update(std::uint64_t raw, Nanoseconds now) noexcept {
  const Point here{raw, now};
  if (shape_.modulus != 0 && raw >= shape_.modulus) return Reading::missing(Errc::failed);
  if (!last_) return take({1, raw, false}, here);
  if (lost_) {
    lost_ = false;
    restart(here);
    return Reading::missing(Errc::failed);
  }
  const Step step = step_from(*last_, here);
  if (step.fitting == 1) return take(step, here);
  if (step.fitting > 1) {
    restart(here);
    return Reading::missing(Errc::failed);
  }
  if (doubted_) {
    const Step again = step_from(*doubted_, here);
    if (again.fitting == 1) {
      restart(*doubted_);
      return take(again, here);
    }
  }
  doubted_ = here;
  return Reading::missing(Errc::failed);
}

}  // namespace mete
