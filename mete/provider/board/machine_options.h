// What separates a board's replay from exact arithmetic: how its sensor, its clock switch and its
// runs misbehave. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mete/base/result.h"

namespace mete {

/// The defaults make a plausible GPU; exact() makes every figure an exact function of the board's
/// table.
struct MachineOptions {
  /// Time constant of the power sensor, a first-order lag, s. Reported meters range from 0.1 s (a
  /// GPU's own sensor) to 7.6 s (the wall-plug meter of the Jetson study); ours is the fast end. 0:
  /// no lag.
  double sensor_lag = 0.1;
  /// The sensor takes a new value this often and holds it in between, s. Assumed; 0: at every read.
  double sensor_period = 0.02;
  /// Standard deviation of one sensor value, as a fraction of it. Assumed.
  double power_noise = 0.005;
  /// Step of the sensor, W. NVML tells milliwatts.
  double quantisation = 0.001;
  /// From asking for a clock to running at it, s. Assumed: published figures go from milliseconds
  /// to hundreds.
  double switch_latency = 0.02;
  /// Standard deviation of a run's time, and of its power, as fractions: one factor each per run
  /// and GPU. The middle of what the twin runs of the Jetson study show (FLOP/s 0.24-0.50 %,
  /// settled power 0.4-0.75 %).
  double time_variation = 0.004;
  double power_variation = 0.006;
  /// Power while no kernel runs, W. Default: the lowest power in the board's table. That is an
  /// estimate: the boards we know give no idle power, and the true one lies below it.
  std::optional<double> idle_power;
  /// 0: only measured clocks can be set. Otherwise every multiple of this step above the lowest
  /// one, and the highest, Hz; in between, the table is interpolated.
  double clock_step = 0;

  /// No lag, noise, quantisation, latency or variation.
  static MachineOptions exact();
};

/// "sensor_lag=0.5,idle_power=30W,clock_step=15MHz", over the defaults; the word "exact" sets
/// exact(), and what follows it changes that. Errors offer the nearest names.
Result<MachineOptions> parse_machine_options(std::string_view text);
/// The same form, for reports and for `mete run` to print.
std::string format_machine_options(const MachineOptions& options);
/// One line per option: name, meaning, default. For help and docs.
std::string describe_machine_options();

}  // namespace mete
