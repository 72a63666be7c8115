// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/gemm_bench.h"

#include <cmath>
#include <limits>
#include <map>

#include "mete/base/rng.h"
#include "mete/base/stats.h"

namespace mete {

std::vector<BenchStep> bench_steps(const BenchPlan& plan, const std::vector<GemmRun>& done) {
  std::map<GemmPoint, std::size_t> have;
  for (const auto& run : done) {
    if (run.origin != "reference") ++have[run.point];
  }
  std::vector<BenchStep> steps;
  Rng rng(plan.seed);
  std::size_t since_reference = 0;
  for (std::size_t trial = 0; trial < plan.trials; ++trial) {
    auto order = plan.points;
    rng.shuffle(order);
    for (const auto& point : order) {
      if (have[point] > trial) continue;
      if (plan.reference_every > 0 && since_reference % plan.reference_every == 0) {
        steps.push_back({plan.points.front(), true});
      }
      ++since_reference;
      steps.push_back({point, false});
    }
  }
  // A grid of one point is its own reference.
  if (plan.points.size() == 1)
    std::erase_if(steps, [](const BenchStep& step) { return step.reference; });
  return steps;
}

Result<BenchOutcome> run_bench(const BenchPlan& plan, const std::vector<BenchStep>& steps,
                               BenchDevice& device, const Interrupt& interrupt,
                               const std::function<Result<void>(const GemmRun&)>& keep,
                               const std::function<void(const BenchProgress&)>& tell) {
  BenchOutcome outcome;
  std::vector<double> reference_rates;
  Rng seeds = Rng(plan.seed).fork(1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (interrupt.signal() != 0) {
      outcome.interrupted = true;
      break;
    }
    auto measured = device.measure(steps[i].point, plan, seeds.next());
    if (!measured && measured.error().code == Errc::gone && interrupt.signal() != 0) {
      outcome.interrupted = true;  // in the middle of a run, which is worth nothing
      break;
    }
    METE_TRY(auto run, std::move(measured));
    run.origin = steps[i].reference ? "reference" : "mete bench";
    if (steps[i].reference) reference_rates.push_back(run.flops);
    METE_TRY_VOID(keep(run));
    outcome.runs.push_back(std::move(run));
    tell({i + 1, steps.size(), &outcome.runs.back()});
  }
  outcome.reference_spread = reference_rates.size() < 2
                                 ? std::numeric_limits<double>::quiet_NaN()
                                 : stddev_of(reference_rates) / mean_of(reference_rates);
  return outcome;
}

}  // namespace mete
