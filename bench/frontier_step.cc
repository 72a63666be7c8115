// How long one step of the frontier agent takes for 8 GPUs that run programs of changing work: the
// decision alone, without reading signals. Bar: median ≤ 150 µs.
//
//   frontier_step [GPUS [STEPS [MODEL]]]     MODEL: what `mete evaluate --save-model` wrote
//
// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <cstdlib>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "mete/base/stats.h"
#include "mete/control/controller.h"
#include "mete/provider/board/board_provider.h"
#include "mete/provider/board/machine.h"
#include "mete/provider/time/time_provider.h"

namespace mete {
namespace {

using Stopwatch = std::chrono::steady_clock;

Result<std::vector<double>> measure(const std::string& policy, const std::string& model, int gpus,
                                    int steps) {
  VirtualClock clock;
  METE_TRY(auto board, load_board("v100"));
  METE_TRY(auto machine, Machine::make(std::move(board), MachineOptions(), gpus, clock, 1));
  METE_TRY(auto program, parse_program("repeat 10000\n kernel fastWalshTransform 2\n"
                                       " kernel binomialOptions 2\nend\n",
                                       "program", machine->board()));
  machine->start(std::move(program));
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_time_provider(clock, clock.now()));
  providers.push_back(make_board_provider(*machine));
  Platform platform(std::move(providers));
  METE_TRY(const auto steering, make_steering("frontier", policy, model));
  ControlGuard guard(platform, "");
  METE_TRY_VOID(steering->begin(platform, guard));

  std::vector<double> times;
  for (int i = 0; i < steps; ++i) {
    clock.advance_to(clock.now() + std::chrono::milliseconds(50));
    platform.read_batch();
    const auto before = Stopwatch::now();
    steering->step(platform, 0.05 * i);
    const auto after = Stopwatch::now();
    times.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    METE_TRY_VOID(platform.write_batch());
  }
  METE_TRY_VOID(guard.restore());
  return times;
}

Result<void> run(int gpus, int steps, const std::string& model) {
  fmt::print("v100 board, {} GPUs, agent frontier, {} steps; µs per step\n", gpus, steps);
  fmt::print("{:<20} {:>8} {:>8} {:>8}\n", "policy", "median", "p99", "worst");
  for (const auto* policy : {"GPU_PHI=0.5", "MAX_SLOWDOWN=0.1"}) {
    METE_TRY(const auto times, measure(policy, model, gpus, steps));
    fmt::print("{:<20} {:>8.1f} {:>8.1f} {:>8.1f}\n", policy, quantile_of(times, 0.5),
               quantile_of(times, 0.99), quantile_of(times, 1));
  }
  return {};
}

}  // namespace
}  // namespace mete

int main(int argc, char** argv) {
  const int gpus = argc > 1 ? std::atoi(argv[1]) : 8;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 4000;
  if (gpus < 1 || steps < 1) {
    fmt::print(stderr, "frontier_step [GPUS [STEPS [MODEL]]]: expected numbers above 0\n");
    return 2;
  }
  const auto done = mete::run(gpus, steps, argc > 3 ? argv[3] : "");
  if (!done) fmt::print(stderr, "frontier_step: {}\n", done.error().what);
  return done ? 0 : 1;
}
