// The figures of the placement solvers: placement [FOLDER with vgg19.json.gz ..]. Gaps are proven;
// times are CPU time of one thread, with wall time beside it. SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <cstdio>
#include <ctime>

#include "bench/placement_problems.h"

#include "mete/placement/solver.h"

namespace {

using namespace mete;

struct Bar {
  const char* ratio;
  const char* solver;
  double gap;
};
constexpr Bar kBars[] = {
    {"4:1", "synchronous", 5e-4},  {"1:1", "synchronous", 1e-3}, {"8:1", "synchronous", 1e-3},
    {"40:1", "synchronous", 7e-3}, {"1:1", "static", 6e-3},      {"4:1", "static", 6e-3},
    {"8:1", "static", 6e-3},       {"4:1", "asynchronous", 1.0},
};

bool show(const Problem& problem, const char* ratio, const char* name, double gap_bar,
          LpRuntime* runtime) {
  const auto began = std::chrono::steady_clock::now();
  const auto cpu = std::clock();
  const auto solved = bench::solve_at(problem, ratio, name, runtime);
  const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  if (!solved) return false;
  const auto& f = solved->plan.figures;
  std::printf("%-36.36s %6zu %5s %-12s %11.6f %11.6f %8.4f %% (bar %5.2f %%) %7.3f %7.3f\n",
              problem.name.c_str(), problem.kernels.size(), ratio, name, f.seconds,
              f.lower_bound_seconds, 100 * f.gap, 100 * gap_bar, cpu_seconds, wall.count());
  std::fflush(stdout);
  return f.gap <= gap_bar;
}

}  // namespace

int main(int argc, char** argv) {
  const auto runtime = open_lp_runtime();
  if (!runtime) {
    std::fprintf(stderr, "placement: %s\n", runtime.error().what.c_str());
    return 1;
  }
  std::printf("%s\n%-36s %6s %5s %-12s %11s %11s %8s %15s %7s %7s\n", (*runtime)->version().c_str(),
              "problem", "kernels", "ratio", "optimizer", "seconds", "bound", "gap", "", "cpu s",
              "wall s");
  bool met = true;
  if (argc > 1) {
    met = bench::each_published(argv[1], [&](const Problem& problem) {
      bool all = true;
      for (const auto& bar : kBars) {
        all = show(problem, bar.ratio, bar.solver, bar.gap, *runtime) && all;
      }
      return all;
    });
  }
  for (const bool tables : {false, true}) {
    met = show(bench::dense_network({6, 12, 64, 48}, 1, tables), "4:1", "synchronous", 1e-3,
               *runtime) &&
          met;
    met =
        show(bench::residual_network(330, 1, tables), "4:1", "synchronous", 1e-3, *runtime) && met;
  }
  std::printf("%s\n", met ? "every gap is within its bar" : "a gap is above its bar");
  return met ? 0 : 1;
}
