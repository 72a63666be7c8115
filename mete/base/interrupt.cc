// Signal handlers that only set a flag and write one byte.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/interrupt.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace mete {
namespace {

// A signal handler has no argument to find its object by: this is the one place that needs globals.
volatile std::sig_atomic_t g_signal = 0;
volatile std::sig_atomic_t g_count = 0;
volatile std::sig_atomic_t g_terminal = 0;
std::array<int, 2> g_pipe{-1, -1};
constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};
std::array<struct sigaction, kSignals.size()> g_old{};

void on_signal(int number, siginfo_t* info, void* /*context*/) {
  const int saved = errno;
  if (g_signal == 0) {
    // A terminal's Ctrl-C comes from the kernel; kill(2) does not.
    g_terminal = info != nullptr && info->si_code == SI_KERNEL ? 1 : 0;
    g_signal = number;
  }
  g_count = g_count + 1;
  const char byte = 0;
  [[maybe_unused]] const auto n = ::write(g_pipe[1], &byte, 1);
  errno = saved;
}

}  // namespace

SignalInterrupt::SignalInterrupt() {
  g_signal = 0;
  g_count = 0;
  g_terminal = 0;
  if (::pipe2(g_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) g_pipe = {-1, -1};
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action{};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    ::sigaction(kSignals[i], nullptr, &g_old[i]);
    if (g_old[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

SignalInterrupt::~SignalInterrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &g_old[i], nullptr);
  for (int& end : g_pipe) {
    if (end >= 0) ::close(end);
    end = -1;
  }
}

int SignalInterrupt::signal() const noexcept { return g_signal; }
int SignalInterrupt::descriptor() const noexcept { return g_pipe[0]; }
bool SignalInterrupt::from_terminal() const noexcept { return g_terminal != 0; }
bool SignalInterrupt::repeated() const noexcept { return g_count > 1; }

}  // namespace mete
