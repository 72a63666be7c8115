// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/step_watch.h"

#include <chrono>
#include <utility>

#include <unistd.h>

namespace mete {
namespace {

/// Real time: a board's clock stands still while a step hangs.
Nanoseconds steady_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace

StepWatch::StepWatch(const Interrupt& interrupt, Actions actions)
    : StepWatch(interrupt, std::move(actions), Limits{}) {}

StepWatch::StepWatch(const Interrupt& interrupt, Actions actions, Limits limits)
    : interrupt_(interrupt),
      actions_(std::move(actions)),
      limits_(limits),
      thread_([this] { run(); }) {}

StepWatch::~StepWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StepWatch::enter() noexcept {
  since_.store(steady_now().count(), std::memory_order_relaxed);
  step_.fetch_add(1, std::memory_order_relaxed);
  state_.store(kInside, std::memory_order_release);
}

void StepWatch::leave() noexcept {
  int inside = kInside;
  if (state_.compare_exchange_strong(inside, kOutside, std::memory_order_acq_rel)) return;
  for (;;) ::pause();  // what this thread would touch is the watch's now, which ends the process
}

void StepWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, limits_.look, [this] { return stop_; })) look();
}

void StepWatch::look() {
  if (state_.load(std::memory_order_acquire) != kInside) return;
  const auto step = step_.load(std::memory_order_relaxed);
  const Nanoseconds now = steady_now();
  const Nanoseconds lasted = now - Nanoseconds(since_.load(std::memory_order_relaxed));
  if (step != interrupted_step_) {
    const bool asked = interrupt_.signal() != 0;
    if (lasted < (asked ? limits_.asked : limits_.step)) return;
    interrupted_step_ = step;
    interrupted_at_ = now;
    if (actions_.interrupt) actions_.interrupt();
    return;
  }
  const Nanoseconds waited = now - interrupted_at_;
  const bool again = interrupt_.repeated() && waited >= limits_.asked;
  if ((waited < limits_.obey && !again) || !actions_.take_over) return;
  int inside = kInside;
  if (!state_.compare_exchange_strong(inside, kTaken, std::memory_order_acq_rel)) return;
  actions_.take_over(to_seconds(lasted));
}

}  // namespace mete
