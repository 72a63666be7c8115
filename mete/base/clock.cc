// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/clock.h"

#include <ctime>

namespace mete {
namespace {

Nanoseconds read_clock(clockid_t id) noexcept {
  timespec t{};
  clock_gettime(id, &t);
  return std::chrono::seconds(t.tv_sec) + Nanoseconds(t.tv_nsec);
}

}  // namespace

Nanoseconds SteadyClock::now() const noexcept { return read_clock(CLOCK_MONOTONIC); }

void SteadyClock::sleep_until(Nanoseconds deadline) noexcept {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(deadline);
  timespec t{};
  t.tv_sec = whole.count();
  t.tv_nsec = (deadline - whole).count();
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) != 0) {
    if (now() >= deadline) return;
  }
}

double SteadyClock::wall_seconds() const noexcept { return to_seconds(read_clock(CLOCK_REALTIME)); }

double thread_cpu_seconds() noexcept { return to_seconds(read_clock(CLOCK_THREAD_CPUTIME_ID)); }

std::string format_wall_time(double wall_seconds) {
  const auto seconds = static_cast<time_t>(wall_seconds);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const auto n = strftime(text, sizeof text, "%a %b %d %H:%M:%S %Y", &parts);
  return {text, n};
}

}  // namespace mete
