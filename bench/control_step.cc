// How long one step of the closed loop takes: read, infer, decide, write, for 8 GPUs of a board and
// the torch agent with the tutorial's network. Bar: median ≤ 100 µs, p99 ≤ 300 µs.
//
//   control_step [GPUS [STEPS]]
//
// The reading includes what the board's simulation of the GPUs costs, which hardware does not have.
// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/stats.h"
#include "mete/control/controller.h"
#include "mete/learn/learn_test_data.h"
#include "mete/learn/trainer.h"
#include "mete/provider/board/board_provider.h"
#include "mete/provider/board/machine.h"
#include "mete/provider/time/time_provider.h"

namespace mete {
namespace {

using Stopwatch = std::chrono::steady_clock;

double microseconds(Stopwatch::time_point from, Stopwatch::time_point to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

struct Times {
  std::vector<double> whole, read, decide, write;

  void report(int repeat) const {
    const auto line = [](const std::vector<double>& v) {
      return fmt::format("{:7.1f} {:7.1f}", quantile_of(v, 0.5), quantile_of(v, 0.99));
    };
    fmt::print("{:>6}  {}  {:7.1f}  {}  {}  {}\n", repeat, line(whole), quantile_of(whole, 1),
               line(read), line(decide), line(write));
  }
};

/// The tutorial's network, briefly trained: what it says does not matter here, only that it moves.
Result<std::string> write_model() {
  TrainOptions options;
  options.batch = 100;
  options.epochs = 20;
  options.source = "bench";
  METE_TRY(const auto model, train_clock_model(test::known_rule(4, 64), options));
  const auto path = fmt::format("/tmp/mete-control-step-{}.pt", ::getpid());
  METE_TRY_VOID(write_file_atomically(path, model.bytes));
  return path;
}

Result<Times> measure(const std::string& model, int gpus, int steps) {
  VirtualClock clock;
  METE_TRY(auto board, load_board("v100"));
  METE_TRY(auto machine, Machine::make(std::move(board), MachineOptions(), gpus, clock, 1));
  METE_TRY(auto program, load_program("vectorAdd:100000s", machine->board()));
  machine->start(std::move(program));
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_time_provider(clock, clock.now()));
  providers.push_back(make_board_provider(*machine));
  Platform platform(std::move(providers));
  METE_TRY(const auto steering, make_steering("torch", "NAN,NAN,0.5", model));
  ControlGuard guard(platform, "");
  METE_TRY_VOID(steering->begin(platform, guard));

  Times times;
  for (int i = 0; i < steps; ++i) {
    clock.advance_to(clock.now() + std::chrono::milliseconds(50));
    const auto t0 = Stopwatch::now();
    platform.read_batch();
    const auto t1 = Stopwatch::now();
    steering->step(platform, 0.05 * i);
    const auto t2 = Stopwatch::now();
    METE_TRY_VOID(platform.write_batch());
    const auto t3 = Stopwatch::now();
    times.whole.push_back(microseconds(t0, t3));
    times.read.push_back(microseconds(t0, t1));
    times.decide.push_back(microseconds(t1, t2));
    times.write.push_back(microseconds(t2, t3));
  }
  METE_TRY_VOID(guard.restore());
  return times;
}

Result<void> run(int gpus, int steps) {
  METE_TRY(const auto model, write_model());
  fmt::print("v100 board, {} GPUs, agent torch, {} steps per repeat; µs\n", gpus, steps);
  fmt::print("{:>6}  {:^25}  {:^15}  {:^15}  {:^15}\n", "", "whole step", "read", "infer+decide",
             "write");
  fmt::print(
      "repeat   median     p99    worst   median     p99   median     p99   median     p99\n");
  constexpr int kRepeats = 5;
  std::vector<double> medians;
  std::vector<double> tails;
  for (int repeat = 1; repeat <= kRepeats; ++repeat) {
    METE_TRY(const auto times, measure(model, gpus, steps));
    times.report(repeat);
    medians.push_back(quantile_of(times.whole, 0.5));
    tails.push_back(quantile_of(times.whole, 0.99));
  }
  ::unlink(model.c_str());
  fmt::print("median {:.1f} µs ({:.1f} to {:.1f}), p99 {:.1f} µs ({:.1f} to {:.1f})\n",
             median_of(medians), quantile_of(medians, 0), quantile_of(medians, 1), median_of(tails),
             quantile_of(tails, 0), quantile_of(tails, 1));
  return {};
}

}  // namespace
}  // namespace mete

int main(int argc, char** argv) {
  const int gpus = argc > 1 ? std::atoi(argv[1]) : 8;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 20'000;
  const auto done = mete::run(gpus, steps);
  if (done) return 0;
  fmt::print(stderr, "control_step: {}\n", done.error().what);
  return 1;
}
