// ChildWorkload: a command run as a child process, in real time.
//
// The child shares our process group and terminal, so that programs that read the keyboard work,
// and Ctrl-Z and Ctrl-C reach it as if it ran alone. It gets our standard streams and environment,
// the signal dispositions that we were started with, and none of our files. If we are killed with
// SIGKILL it goes on: the job's work is worth more than its observation.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/measure/process_tree.h"
#include "mete/measure/signal_relay.h"
#include "mete/measure/workload.h"

namespace mete {

class ChildWorkload final : public Workload {
 public:
  /// `words`: the command, found as a shell would find it, and its arguments. `clock` must be real
  /// time (SteadyClock). Both references outlive the workload.
  ChildWorkload(std::vector<std::string> words, const Clock& clock, const Interrupt& interrupt);
  ChildWorkload(const ChildWorkload&) = delete;
  ChildWorkload& operator=(const ChildWorkload&) = delete;
  /// A child that still runs is killed with its tree.
  ~ChildWorkload() override;

  /// The words, quoted so that a shell would read them back the same.
  std::string describe() const override;
  /// invalid: no such command, or not executable; says which and what to do.
  Result<void> start() override;
  /// After stop() the workload has ended only when every process of its tree has; then this looks
  /// into /proc and may allocate. Otherwise it allocates nothing. The calling thread's timer slack
  /// is 1 ns while the child runs.
  bool wait_until(Nanoseconds deadline) noexcept override;
  void stop(int signal) noexcept override;
  ExitStatus status() const override { return status_; }

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void note_exit() noexcept;
  bool tree_has_ended() noexcept;
  void watch_events() noexcept;
  void forget_events() noexcept;
  bool wait_for_event(Nanoseconds deadline, Nanoseconds now) noexcept;

  std::vector<std::string> words_;
  const Clock& clock_;
  const Interrupt& interrupt_;
  std::optional<ProcessTree> tree_;
  std::optional<SignalRelay> relay_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int events_ = -1;  // epoll of pidfd and interrupt
  int old_slack_ = 0;
  Nanoseconds next_reap_{0};
  bool exited_ = false;  // the child itself
  bool ended_ = false;   // the workload: after stop(), the tree too
  int stop_signal_ = 0;
  ExitStatus status_;
};

/// Words as one line that a shell would read back the same.
std::string quote_words(const std::vector<std::string>& words);

}  // namespace mete
