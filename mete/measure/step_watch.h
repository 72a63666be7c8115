// StepWatch: a way out of a step, written by a user, that never returns. A thread of its own looks
// at the session's from outside, in real time:
//
//   asked to end (Ctrl-C), or a step of a minute   → interrupt(), which Python code obeys
//   still not back 3 s later, or asked once more   → take_over(): the session's thread is lost
//
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"

namespace mete {

class StepWatch {
 public:
  struct Actions {
    std::function<void()> interrupt;
    /// `seconds`: how long the step has lasted. Must end the process. May be empty: then a step is
    /// waited for until it returns.
    std::function<void(double seconds)> take_over;
  };
  struct Limits {
    Nanoseconds step = std::chrono::seconds(60);         ///< a step longer than this hangs
    Nanoseconds asked = std::chrono::milliseconds(500);  ///< .. than this, after Ctrl-C
    Nanoseconds obey = std::chrono::seconds(3);          ///< to give up once interrupted
    Nanoseconds look = std::chrono::milliseconds(100);
  };
  /// `interrupt` outlives it.
  StepWatch(const Interrupt& interrupt, Actions actions);
  StepWatch(const Interrupt& interrupt, Actions actions, Limits limits);
  StepWatch(const StepWatch&) = delete;
  StepWatch& operator=(const StepWatch&) = delete;
  ~StepWatch();

  /// Around what may hang. Allocates nothing. `watch` may be null.
  class Scope {
   public:
    explicit Scope(StepWatch* watch) : watch_(watch) {
      if (watch_ != nullptr) watch_->enter();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      if (watch_ != nullptr) watch_->leave();
    }

   private:
    StepWatch* watch_;
  };

 private:
  enum State : int { kOutside, kInside, kTaken };
  void enter() noexcept;
  /// Never returns once the watch has taken over.
  void leave() noexcept;
  void run();
  void look();

  const Interrupt& interrupt_;
  Actions actions_;
  Limits limits_;
  std::atomic<int> state_{kOutside};
  std::atomic<std::int64_t> since_{0};  // ns of the steady clock
  std::atomic<std::uint64_t> step_{0};  // how many were begun
  std::uint64_t interrupted_step_ = 0;  // the watch's own
  Nanoseconds interrupted_at_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace mete
