// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/gpu.h"

#include <algorithm>
#include <cmath>

namespace mete {
namespace {

/// Phases end this much before their arithmetic does, s: the clock counts whole nanoseconds, sums
/// of doubles round, and a phase must not be left with a billionth of a nanosecond to go.
double slack(double seconds) { return 2e-12 + 1e-14 * seconds; }

}  // namespace

Gpu::Gpu(const Board& board, const MachineOptions& options, double idle_watts, Rng noise,
         Nanoseconds now) noexcept
    : board_(&board),
      options_(&options),
      idle_watts_(idle_watts),
      switch_latency_(from_seconds(options.switch_latency)),
      now_(now),
      clock_(board.clocks.back()),
      wanted_(clock_),
      coming_(clock_),
      sensor_(options, idle_watts, noise, now) {
  update_point();
}

void Gpu::start(const Program& program, double time_factor, double power_factor) noexcept {
  program_ = &program;
  time_factor_ = time_factor;
  power_factor_ = power_factor;
  started_ = now_;
  run_seconds_ = 0;
  enter_phase(0);
}

void Gpu::stop() noexcept {
  if (program_ == nullptr) return;
  program_ = nullptr;
  finish_time_ = now_;
  run_seconds_ = to_seconds(now_ - started_);
  update_point();
}

void Gpu::request_clock(double hertz) noexcept {
  wanted_ = hertz;
  if (!switch_end_ && wanted_ != clock_) begin_switch();
}

void Gpu::begin_switch() noexcept {
  coming_ = wanted_;
  switch_end_ = now_ + switch_latency_;
  if (switch_latency_.count() == 0) end_switch();
}

void Gpu::end_switch() noexcept {
  switch_end_.reset();
  clock_ = coming_;
  update_point();
  if (wanted_ != clock_) begin_switch();
}

void Gpu::advance(Nanoseconds t) noexcept {
  // Only the last read-out of the sensor before t can still be seen.
  const Nanoseconds tick = sensor_.last_tick(t);
  while (now_ < t) {
    Nanoseconds stop = t;
    if (switch_end_) stop = std::min(stop, *switch_end_);
    if (tick > now_) stop = std::min(stop, tick);
    run_for(to_seconds(stop - now_));
    now_ = stop;
    if (now_ == tick) sensor_.hold(tick);
    if (switch_end_ && now_ >= *switch_end_) end_switch();
  }
}

void Gpu::run_for(double seconds) noexcept {
  double rest = seconds;
  while (program_ != nullptr) {
    const double to_end = left_ * point_.seconds;
    if (to_end > rest + slack(seconds)) break;
    const double step = std::min(to_end, rest);
    if (busy_) totals_.kernels += left_;
    integrate(step);
    rest -= step;
    if (phase_ + 1 < program_->phases.size()) {
      enter_phase(phase_ + 1);
      continue;
    }
    program_ = nullptr;
    const double passed = seconds - rest;
    run_seconds_ = to_seconds(now_ - started_) + passed;
    finish_time_ = now_ + Nanoseconds(static_cast<std::int64_t>(std::ceil(passed * 1e9 - 1e-3)));
    update_point();
  }
  if (rest <= 0) return;
  integrate(rest);
  if (program_ == nullptr) return;
  const double done = std::min(left_, rest / point_.seconds);
  left_ -= done;
  if (busy_) totals_.kernels += done;
}

void Gpu::integrate(double seconds) noexcept {
  totals_.joules += point_.watts * seconds;
  sensor_.integrate(point_.watts, seconds);
  if (!busy_) return;
  totals_.busy_seconds += seconds;
  for (std::size_t a = 0; a < kActivityCount; ++a) {
    totals_.activity_seconds[a] += point_.activities[a] * seconds;
  }
}

void Gpu::enter_phase(std::size_t phase) noexcept {
  phase_ = phase;
  const Phase& now = program_->phases[phase];
  left_ = now.kind == Phase::Kind::kernel ? now.count : now.seconds;
  update_point();
}

void Gpu::update_point() noexcept {
  busy_ = program_ != nullptr && program_->phases[phase_].kind == Phase::Kind::kernel;
  if (!busy_) {
    point_ = OperatingPoint{1, idle_watts_, {}};
    return;
  }
  point_ = board_->at(program_->phases[phase_].kernel, clock_);
  point_.seconds *= time_factor_;
  point_.watts *= power_factor_;
}

}  // namespace mete
