// One GPU of a machine: its clock, how far its program is, and the exact integrals of what it did.
// Time moves in events (end of a phase, a clock that takes effect, a sensor read-out): between two
// of them everything is constant, so that sums of rectangles are integrals.
//
// A Gpu is a small value: a copy of it can be run ahead to find out what will happen.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "mete/base/clock.h"
#include "mete/provider/board/board.h"
#include "mete/provider/board/machine_options.h"
#include "mete/provider/board/power_sensor.h"
#include "mete/provider/board/program.h"

namespace mete {

/// Sums since the machine was made; all but grow.
struct GpuTotals {
  double joules = 0;        ///< the integral of power
  double busy_seconds = 0;  ///< time in which a kernel ran
  double kernels = 0;       ///< kernels completed, with the part of the present one
  std::array<double, kActivityCount> activity_seconds{};  ///< integrals of the activities
};

class Gpu {
 public:
  /// What it refers to must outlive it. Starts idle at the top clock.
  Gpu(const Board& board, const MachineOptions& options, double idle_watts, Rng noise,
      Nanoseconds now) noexcept;

  /// Runs the program from now on; it must outlive the run. The factors scale the kernels' time and
  /// power.
  void start(const Program& program, double time_factor, double power_factor) noexcept;
  /// Ends the program where it is.
  void stop() noexcept;
  /// Asks for a clock. It takes effect after the switch latency. While a switch is under way, the
  /// latest wish waits for its end: a device does one at a time.
  void request_clock(double hertz) noexcept;
  /// Brings everything up to `t`; earlier times change nothing.
  void advance(Nanoseconds t) noexcept;

  [[nodiscard]] bool finished() const noexcept { return program_ == nullptr; }
  /// The first nanosecond at which the last program was over; of no meaning before.
  [[nodiscard]] Nanoseconds finish_time() const noexcept { return finish_time_; }
  /// How long the last program ran, s, not rounded to nanoseconds.
  [[nodiscard]] double run_seconds() const noexcept { return run_seconds_; }
  [[nodiscard]] double clock_hertz() const noexcept { return clock_; }
  [[nodiscard]] double sensor_watts() const noexcept { return sensor_.reading(now_); }
  /// The true power at this moment.
  [[nodiscard]] double watts() const noexcept { return point_.watts; }
  [[nodiscard]] const GpuTotals& totals() const noexcept { return totals_; }

 private:
  void run_for(double seconds) noexcept;
  void integrate(double seconds) noexcept;
  void enter_phase(std::size_t phase) noexcept;
  void begin_switch() noexcept;
  void end_switch() noexcept;
  void update_point() noexcept;

  const Board* board_;
  const MachineOptions* options_;
  double idle_watts_;
  Nanoseconds switch_latency_;
  Nanoseconds now_;

  double clock_;   ///< it runs at this one
  double wanted_;  ///< and shall run at this one
  double coming_;  ///< the one a switch under way leads to
  std::optional<Nanoseconds> switch_end_;

  const Program* program_ = nullptr;
  double time_factor_ = 1;
  double power_factor_ = 1;
  std::size_t phase_ = 0;
  double left_ = 0;  ///< of the phase: kernels still to run, or seconds still to idle
  bool busy_ = false;
  OperatingPoint point_;  ///< at this moment; seconds: of one kernel, or 1 when idle
  Nanoseconds started_{0};
  Nanoseconds finish_time_{0};
  double run_seconds_ = 0;

  GpuTotals totals_;
  PowerSensor sensor_;
};

}  // namespace mete
