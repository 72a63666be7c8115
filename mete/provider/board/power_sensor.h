// A power sensor as hardware has it: a first-order lag, read out now and then, noisy and in steps.
// With all options 0 it shows the power of the moment just passed. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstdint>

#include "mete/base/clock.h"
#include "mete/base/rng.h"
#include "mete/provider/board/machine_options.h"

namespace mete {

class PowerSensor {
 public:
  /// Has been at `watts` for long. `options` must outlive it.
  PowerSensor(const MachineOptions& options, double watts, Rng noise, Nanoseconds now) noexcept;

  /// The true power was `watts` for `seconds`: s(t) = P + (s0 - P) exp(-t / lag).
  void integrate(double watts, double seconds) noexcept;
  /// The last read-out at or before `t`, or a time before all others if the sensor follows
  /// continuously.
  [[nodiscard]] Nanoseconds last_tick(Nanoseconds t) const noexcept;
  /// Takes the present value over at a read-out.
  void hold(Nanoseconds tick) noexcept;
  /// What the sensor shows, W. Reading it changes nothing: the noise depends on the read-out's time
  /// only, so that a run's figures do not depend on how often it is watched.
  [[nodiscard]] double reading(Nanoseconds now) const noexcept;

 private:
  [[nodiscard]] double with_noise(double watts, Nanoseconds when) const noexcept;

  const MachineOptions* options_;
  Rng noise_;
  Nanoseconds period_;
  double lagged_;
  double held_;
};

}  // namespace mete
