// A thread that makes a driver's calls, so that a call which never returns costs the caller no more
// than its patience.
//
// Everything the thread works on must be owned by the functions it is given (shared pointers): a
// thread that is stuck in a call when its owner goes is left behind, not waited for.
// Times here are real times, never a session's virtual ones: a driver does not run by those.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>

#include "mete/base/clock.h"

namespace mete {

class DriverThread {
 public:
  DriverThread();
  DriverThread(const DriverThread&) = delete;
  DriverThread& operator=(const DriverThread&) = delete;
  /// Waits up to 200 ms for a call that is under way, then leaves the thread to itself.
  ~DriverThread();

  /// Does `work` on the thread (which the first call starts) and waits for it. False if it was not
  /// done in time; work that had not begun by then is dropped.
  bool run(std::function<void()> work, Nanoseconds patience);
  /// The same, where it may take long; `slow` is called, here, if it is not done after kSlow.
  bool run(std::function<void()> work, Nanoseconds patience, const std::function<void()>& slow);
  static constexpr Nanoseconds kSlow = std::chrono::seconds(2);

  /// What is done again and again from now on: `pass(true)` when asked by pass_now(), `pass(false)`
  /// when the time has come that the pass before returned, as a wait from its end.
  void repeat(std::function<Nanoseconds(bool asked)> pass);
  /// Asks for a pass and waits for its end; false if it did not come in time. Takes no memory.
  bool pass_now(Nanoseconds patience) noexcept;

 private:
  struct State;
  void start();
  std::shared_ptr<State> state_;
};

}  // namespace mete
