// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/power_sensor.h"

#include <algorithm>
#include <cmath>

namespace mete {

PowerSensor::PowerSensor(const MachineOptions& options, double watts, Rng noise,
                         Nanoseconds now) noexcept
    : options_(&options),
      noise_(noise),
      period_(from_seconds(options.sensor_period)),
      lagged_(watts),
      held_(0) {
  hold(now);
}

void PowerSensor::integrate(double watts, double seconds) noexcept {
  const double lag = options_->sensor_lag;
  lagged_ = lag > 0 ? watts + (lagged_ - watts) * std::exp(-seconds / lag) : watts;
}

Nanoseconds PowerSensor::last_tick(Nanoseconds t) const noexcept {
  return period_.count() > 0 ? Nanoseconds(t.count() - t.count() % period_.count())
                             : Nanoseconds(-1);
}

void PowerSensor::hold(Nanoseconds tick) noexcept { held_ = with_noise(lagged_, tick); }

double PowerSensor::reading(Nanoseconds now) const noexcept {
  return period_.count() > 0 ? held_ : with_noise(lagged_, now);
}

double PowerSensor::with_noise(double watts, Nanoseconds when) const noexcept {
  if (options_->power_noise > 0) {
    Rng value = noise_.fork(static_cast<std::uint64_t>(when.count()));
    watts = std::max(0.0, watts * (1 + options_->power_noise * value.normal()));
  }
  const double step = options_->quantisation;
  return step > 0 ? std::round(watts / step) * step : watts;
}

}  // namespace mete
