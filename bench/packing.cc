// The figures of packing: packing [FOLDER with vgg19.json.gz ..]. The pool that a plan needs over
// its peak of living bytes, for fast and slow memory. SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/packing.h"

#include <chrono>
#include <cstdio>
#include <string>

#include "bench/placement_problems.h"

#include "mete/execute/residence.h"
#include "mete/placement/solver.h"

namespace {

using namespace mete;

constexpr double kBar = 0.02;

bool show(const Problem& problem, const char* ratio, const char* name, LpRuntime* runtime) {
  const auto solved = bench::solve_at(problem, ratio, name, runtime);
  if (!solved) return false;
  const auto residence = residence_of(problem, solved->plan.placement);
  double over[2] = {0, 0};
  double seconds = 0;
  for (const bool fast : {true, false}) {
    const auto items = items_of(problem, residence.stays, fast);
    const auto began = std::chrono::steady_clock::now();
    const auto packing = pack(items);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    seconds += wall.count();
    const auto legal = check_packing(items, packing);
    if (!legal) {
      std::printf("%s: %s\n", problem.name.c_str(), legal.error().what.c_str());
      return false;
    }
    const auto peak = fast ? solved->verdict.peak_bytes : packing.peak_bytes;
    over[fast ? 0 : 1] = static_cast<double>(packing.bytes) / static_cast<double>(peak) - 1;
  }
  std::printf("%-36.36s %5s %-12s fast %8.4f %% (bar %2.0f %%)   slow %8.4f %%  %7.3f s\n",
              problem.name.c_str(), ratio, name, 100 * over[0], 100 * kBar, 100 * over[1], seconds);
  std::fflush(stdout);
  return over[0] <= kBar;
}

}  // namespace

int main(int argc, char** argv) {
  const auto runtime = open_lp_runtime();
  if (!runtime) {
    std::fprintf(stderr, "packing: %s\n", runtime.error().what.c_str());
    return 1;
  }
  std::printf("pool over the plan's peak\n");
  bool met = true;
  if (argc > 1) {
    met = bench::each_published(argv[1], [&](const Problem& problem) {
      bool all = show(problem, "4:1", "asynchronous", *runtime);
      for (const char* ratio : {"1:1", "4:1", "8:1"}) {
        for (const char* solver : {"synchronous", "static"}) {
          all = show(problem, ratio, solver, *runtime) && all;
        }
      }
      return all;
    });
  }
  met =
      show(bench::dense_network({6, 12, 64, 48}, 1, false), "4:1", "synchronous", *runtime) && met;
  std::printf("%s\n", met ? "every pool is within its bar" : "a pool is above its bar");
  return met ? 0 : 1;
}
