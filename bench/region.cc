// What a region mark costs: enter and exit together, without a session and with one that takes the
// marks out as a session does. Bars: 50 ns and 1 us.
//
//   build/release/bin/region [RUNS=9] [MARKS=1000]
//
// SPDX-License-Identifier: BSD-3-Clause
#include "include/mete/region.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/clock.h"
#include "mete/base/stats.h"
#include "mete/measure/region_listener.h"

namespace {

using namespace mete;

double nanoseconds_each(int marks) {
  const SteadyClock clock;
  const Nanoseconds start = clock.now();
  for (int i = 0; i < marks; ++i) const Region region("epoch");
  return static_cast<double>((clock.now() - start).count()) / marks;
}

void print(const char* what, std::vector<double> values, double bar) {
  std::sort(values.begin(), values.end());
  fmt::print("{:<12} median {:7.1f} ns   lowest {:7.1f}   highest {:7.1f}   bar {:.0f} ns\n", what,
             median_of(values), values.front(), values.back(), bar);
}

/// In a process of its own: a library looks for its session once.
int run(int runs, int marks, RegionListener* session) {
  std::vector<double> values;
  const SteadyClock clock;
  const std::array<double, 1> joules{1};
  nanoseconds_each(marks);
  for (int i = 0; i < runs; ++i) {
    if (session != nullptr) session->drain(clock.now(), joules);
    // Without one there is too little to see in a thousand.
    values.push_back(nanoseconds_each(session != nullptr ? marks : marks * 1000));
  }
  print(session != nullptr ? "listener" : "no listener", values, session != nullptr ? 1000 : 50);
  std::fflush(stdout);
  if (session != nullptr && session->lost() > 0) {
    fmt::print(stderr, "region: {} marks found no room\n", session->lost());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  const int marks = argc > 2 ? std::clamp(std::atoi(argv[2]), 1, 1000) : 1000;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run(runs, marks, nullptr));
  int status = 0;
  ::waitpid(child, &status, 0);
  const auto session = RegionListener::create();
  if (!session) {
    fmt::print(stderr, "region: {}\n", session.error().what);
    return 1;
  }
  for (const auto& [name, value] : (*session)->environment()) {
    ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  return run(runs, marks, session->get()) | status;
}
