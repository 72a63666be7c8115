// One thread, a queue of one, and patience.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/driver_thread.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace mete {
namespace {

using Time = std::chrono::steady_clock;
constexpr Nanoseconds kFarewell = std::chrono::milliseconds(200);

}  // namespace

struct DriverThread::State {
  std::mutex mutex;
  std::condition_variable wake;  // for the thread
  std::condition_variable done;  // for the owner
  bool started = false;
  bool ended = false;
  bool stop = false;
  bool busy = false;
  Time::time_point busy_since;
  std::function<void()> work;  // empty: none
  std::uint64_t work_wanted = 0;
  std::uint64_t work_done = 0;
  std::function<Nanoseconds(bool)> pass;  // empty: none
  std::uint64_t passes_wanted = 0;
  std::uint64_t passes_done = 0;
  Time::time_point next_pass;

  void loop();
  void do_work(std::unique_lock<std::mutex>& lock);
  void do_pass(std::unique_lock<std::mutex>& lock);
};

void DriverThread::State::do_work(std::unique_lock<std::mutex>& lock) {
  const auto task = std::exchange(work, nullptr);
  const std::uint64_t number = work_wanted;
  busy = true;
  busy_since = Time::now();
  lock.unlock();
  task();
  lock.lock();
  busy = false;
  work_done = number;
  done.notify_all();
}

void DriverThread::State::do_pass(std::unique_lock<std::mutex>& lock) {
  const auto task = pass;  // a copy: repeat() may replace it meanwhile
  const std::uint64_t number = passes_wanted;
  const bool asked = passes_wanted > passes_done;
  busy = true;
  busy_since = Time::now();
  lock.unlock();
  const Nanoseconds wait = task(asked);
  lock.lock();
  busy = false;
  passes_done = number;
  next_pass = Time::now() + wait;
  done.notify_all();
}

void DriverThread::State::loop() {
  std::unique_lock lock(mutex);
  while (!stop) {
    if (work) {
      do_work(lock);
    } else if (pass && (passes_wanted > passes_done || Time::now() >= next_pass)) {
      do_pass(lock);
    } else if (pass) {
      wake.wait_until(lock, next_pass);
    } else {
      wake.wait(lock);
    }
  }
  // What they hold is let go here: closing a library is a driver's call too.
  auto last_pass = std::exchange(pass, nullptr);
  auto last_work = std::exchange(work, nullptr);
  lock.unlock();
  last_pass = nullptr;
  last_work = nullptr;
  lock.lock();
  ended = true;
  done.notify_all();
}

DriverThread::DriverThread() : state_(std::make_shared<State>()) {}

DriverThread::~DriverThread() {
  std::unique_lock lock(state_->mutex);
  if (!state_->started) return;
  state_->stop = true;
  state_->wake.notify_all();
  const auto state = state_;
  state_->done.wait_for(lock, kFarewell, [&] { return state->ended; });
}

void DriverThread::start() {
  if (state_->started) return;
  // Detached: whether it may be waited for is decided when its owner goes. It holds the state.
  std::thread([state = state_] { state->loop(); }).detach();
  state_->started = true;
}

bool DriverThread::run(std::function<void()> work, Nanoseconds patience) {
  return run(std::move(work), patience, nullptr);
}

bool DriverThread::run(std::function<void()> work, Nanoseconds patience,
                       const std::function<void()>& slow) {
  std::unique_lock lock(state_->mutex);
  try {
    start();
  } catch (const std::system_error&) {
    return false;  // no more threads may be had
  }
  const auto deadline = Time::now() + patience;
  // A call that has been under way for longer than our patience will not end for us.
  if (state_->busy && Time::now() - state_->busy_since > patience) return false;
  state_->work = std::move(work);
  const std::uint64_t number = ++state_->work_wanted;
  state_->wake.notify_all();
  const auto finished = [&] { return state_->work_done >= number; };
  if (slow && patience > kSlow) {
    if (state_->done.wait_until(lock, deadline - patience + kSlow, finished)) return true;
    lock.unlock();
    slow();
    lock.lock();
  }
  if (state_->done.wait_until(lock, deadline, finished)) return true;
  state_->work = nullptr;
  return false;
}

void DriverThread::repeat(std::function<Nanoseconds(bool)> pass) {
  const std::lock_guard lock(state_->mutex);
  try {
    start();
  } catch (const std::system_error&) {
    return;  // readings grow old, and say so
  }
  state_->pass = std::move(pass);
  state_->next_pass = Time::now();
  state_->wake.notify_all();
}

bool DriverThread::pass_now(Nanoseconds patience) noexcept {
  std::unique_lock lock(state_->mutex);
  if (!state_->pass) return false;
  const auto deadline = Time::now() + patience;
  if (state_->busy && Time::now() - state_->busy_since > patience) return false;
  const std::uint64_t number = ++state_->passes_wanted;
  state_->wake.notify_all();
  return state_->done.wait_until(lock, deadline, [&] { return state_->passes_done >= number; });
}

}  // namespace mete
