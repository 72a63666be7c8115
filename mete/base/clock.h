// Time as a parameter: the sampling loop, boards and tests all take a Clock, so that a whole run
// can be replayed in virtual time and every test is deterministic. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mete {

using Nanoseconds = std::chrono::nanoseconds;

constexpr double to_seconds(Nanoseconds t) { return static_cast<double>(t.count()) * 1e-9; }
constexpr Nanoseconds from_seconds(double s) {
  return Nanoseconds(static_cast<std::int64_t>(s * 1e9 + (s < 0 ? -0.5 : 0.5)));
}

class Clock {
 public:
  virtual ~Clock() = default;
  /// Time since an epoch of the clock's own; never goes back.
  virtual Nanoseconds now() const noexcept = 0;
  /// Returns at `deadline` or just after (at once if it is past). A virtual clock jumps there.
  virtual void sleep_until(Nanoseconds deadline) noexcept = 0;
  /// Wall-clock time, seconds since 1970, for headers and file names.
  virtual double wall_seconds() const noexcept = 0;
};

/// CLOCK_MONOTONIC, with clock_nanosleep on absolute deadlines.
class SteadyClock final : public Clock {
 public:
  Nanoseconds now() const noexcept override;
  void sleep_until(Nanoseconds deadline) noexcept override;
  double wall_seconds() const noexcept override;
};

/// Moves only when told to: by sleep_until, or by advance_to.
class VirtualClock final : public Clock {
 public:
  /// `wall` is what wall_seconds() says at virtual time 0.
  explicit VirtualClock(double wall = 0) : wall_(wall) {}
  Nanoseconds now() const noexcept override { return now_; }
  void sleep_until(Nanoseconds deadline) noexcept override { advance_to(deadline); }
  double wall_seconds() const noexcept override { return wall_ + to_seconds(now_); }
  void advance_to(Nanoseconds t) noexcept {
    if (t > now_) now_ = t;
  }

 private:
  Nanoseconds now_{0};
  double wall_;
};

/// CPU time used so far by the calling thread, in seconds.
double thread_cpu_seconds() noexcept;

/// "Sat Nov 21 01:23:53 2026" in UTC, the form of GEOPM's start_time.
std::string format_wall_time(double wall_seconds);

}  // namespace mete
