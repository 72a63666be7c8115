// GemmBench: a grid of matrix multiplies measured so that its figures can be compared: order drawn
// at random, a reference point measured again and again between the others, warm-up, runs long
// enough for the meter, results checked. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/study/efficiency/gemm_run.h"

namespace mete {

struct BenchPlan {
  std::vector<GemmPoint> points;
  std::size_t trials = 3;
  std::size_t reference_every =
      8;                ///< points between two looks at the reference (the first point); 0: never
  double seconds = 2;   ///< shortest time of a run
  double longest = 30;  ///< where the meter has not settled before
  std::uint64_t seed = 1;
};

/// One run of a grid, in the order in which it is measured.
struct BenchStep {
  GemmPoint point;
  bool reference = false;
};
/// The steps still to be done: every point `trials` times less the runs that `done` has of it,
/// shuffled trial by trial so that drift meets all points alike, with the reference in between. The
/// same seed gives the same order.
std::vector<BenchStep> bench_steps(const BenchPlan& plan, const std::vector<GemmRun>& done);

/// What runs a point: this machine's libraries, or a board.
class BenchDevice {
 public:
  virtual ~BenchDevice() = default;
  /// Refuses a point that cannot run here (type, memory, clock), with the reason, before anything
  /// is measured.
  virtual Result<void> check(const GemmPoint& point) = 0;
  /// Measures it: power samples if there is a meter, rate, what was observed.
  virtual Result<GemmRun> measure(const GemmPoint& point, const BenchPlan& plan,
                                  std::uint64_t seed) = 0;
};

struct BenchProgress {
  std::size_t done = 0;
  std::size_t total = 0;
  const GemmRun* last = nullptr;
};
struct BenchOutcome {
  std::vector<GemmRun> runs;
  bool interrupted = false;
  /// Standard deviation of the reference's rate over its mean; NaN with fewer than two looks.
  double reference_spread = 0;
};
/// Measures the steps. `keep` stores each run as it ends; its error ends the bench. Stops between
/// runs when interrupted.
Result<BenchOutcome> run_bench(const BenchPlan& plan, const std::vector<BenchStep>& steps,
                               BenchDevice& device, const Interrupt& interrupt,
                               const std::function<Result<void>(const GemmRun&)>& keep,
                               const std::function<void(const BenchProgress&)>& tell);

/// A reading of power at this moment, W; NaN if it failed.
struct BenchMeter {
  std::function<double()> read;
  std::string source;           ///< "CPU_POWER, integrated"
  double period_seconds = 0.1;  ///< how often it is worth reading
};

}  // namespace mete
