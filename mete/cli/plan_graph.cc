// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/plan_graph.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/memory_arms.h"
#include "mete/execute/fitted_plan.h"

namespace mete {
namespace {

constexpr int kRepeats = 10;
constexpr std::uint64_t kSearchParts = 256;
constexpr double kMostOfPeak = 1.05;  // packing takes room of its own

Result<FittedPlan> fit_within(const ProfiledStep& step, FitRequest fit, std::uint64_t limit) {
  fit.solve.limit_bytes = limit;
  return fit_plan(step.planned.graph, step.planned.liveness, step.planned.layouts, step.profile,
                  fit);
}

/// The plan of the least fast memory that stays within `slowdown` of all-fast. Searched from what
/// it takes where parameters stay where they are and nothing is packed.
Result<FittedPlan> least_fit(const ProfiledStep& step, const FitRequest& fit, double slowdown) {
  METE_TRY(const auto guess, least_fast_memory(*fit.solver, step.still, fit.solve, slowdown));
  const double goal = all_fast_seconds(step.still) * (1 + slowdown);
  const auto most =
      static_cast<std::uint64_t>(kMostOfPeak * static_cast<double>(all_fast_peak(step.still)));
  const std::uint64_t low = least_memory(step.still).bytes;
  const std::uint64_t first = std::max(low, guess.solved.plan.figures.limit_bytes);
  std::optional<FittedPlan> best;
  METE_TRY(const bool found,
           search_least({low, first, most, kSearchParts}, [&](std::uint64_t limit) -> Result<bool> {
             METE_TRY(auto fitted, fit_within(step, fit, limit));
             if (fitted.solved.verdict.seconds > goal) return false;
             best = std::move(fitted);
             return true;
           }));
  if (!found || !best) return stays_above(*fit.solver, slowdown);
  return std::move(*best);
}

}  // namespace

bool names_a_graph(std::string_view argument) {
  return argument.starts_with("zoo:") || argument.ends_with(".onnx");
}

Result<GraphPlan> plan_graph(const GraphPlanRequest& request, const Context& context) {
  FitRequest fit;
  METE_TRY(fit.solver, find_solver(request.optimizer));
  fit.solve = request.solve;
  fit.clock = &context.clock;
  const bool limited = !request.ratio.empty() || !request.fast_memory.empty();
  if (limited) METE_TRY_VOID(check_fast_memory(request.ratio, request.fast_memory));
  METE_TRY(const auto step,
           profile_step(request.graph, request.memory, kRepeats, request.solve.seed, context));
  if (limited) {
    METE_TRY(fit.solve.limit_bytes, fast_limit(request.ratio, request.fast_memory, step.still));
  }
  METE_TRY(auto fitted, request.max_slowdown ? least_fit(step, fit, *request.max_slowdown)
                                             : fit_within(step, fit, fit.solve.limit_bytes));
  const ProfileEnvironment& environment = step.profile.environment;
  GraphPlan plan;
  plan.problem = std::move(fitted.step.problem);
  plan.problem.source =
      fmt::format("{}{}, slow memory {}", environment.machine,
                  environment.emulated ? " (emulated)" : "", environment.slow_tier);
  plan.solved = std::move(fitted.solved);
  PlanFigures& figures = plan.solved.plan.figures;
  figures.source = plan.problem.source;
  figures.lower_bound_seconds = fitted.lower_bound_seconds;
  figures.gap = fitted.gap;
  // The problem's own holds the writes back of parameters that it leaves in slow memory.
  figures.all_fast_seconds = all_fast_seconds(step.still);
  plan.solve_seconds =
      std::accumulate(fitted.solve_seconds.begin(), fitted.solve_seconds.end(), 0.0);
  return plan;
}

}  // namespace mete
