// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/signal_relay.h"

#include <atomic>
#include <cerrno>

namespace mete {
namespace {

// A signal handler has no argument to find its object by.
std::atomic<pid_t> g_child{0};
static_assert(std::atomic<pid_t>::is_always_lock_free);

void pass_on(int number, siginfo_t* info, void* /*context*/) {
  const int saved = errno;
  const pid_t child = g_child.load();
  const bool from_terminal = info != nullptr && info->si_code == SI_KERNEL;
  if (child > 0 && !from_terminal) ::kill(child, number);
  // Our own stop, which the handler took the place of.
  if (number == SIGTSTP) ::raise(SIGSTOP);
  errno = saved;
}

}  // namespace

SignalRelay::SignalRelay(pid_t child) {
  g_child = child;
  struct sigaction action{};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &old_[i]);
    if (old_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

SignalRelay::~SignalRelay() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &old_[i], nullptr);
  g_child = 0;
}

}  // namespace mete
