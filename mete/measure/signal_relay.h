// SignalRelay: passes on to the child what a batch system or a user sends to us but means for the
// job: SIGUSR1, SIGUSR2, SIGQUIT, SIGTSTP and SIGCONT. (SIGINT, SIGTERM and SIGHUP end the run: see
// Interrupt.) What a terminal sends reaches the child anyway, which shares our process group, and
// is not sent twice. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>

#include <signal.h>
#include <sys/types.h>

namespace mete {

/// One at a time. Signals that are ignored when it is made stay ignored.
class SignalRelay {
 public:
  explicit SignalRelay(pid_t child);
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;
  /// Gives the old handlers back. Call before the child's exit status is taken: its pid may be
  /// another process's afterwards.
  ~SignalRelay();

  static constexpr std::array<int, 5> kSignals{SIGUSR1, SIGUSR2, SIGQUIT, SIGTSTP, SIGCONT};

 private:
  std::array<struct sigaction, kSignals.size()> old_{};
};

}  // namespace mete
