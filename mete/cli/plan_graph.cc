// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/plan_graph.h"

#include <numeric>

#include <fmt/format.h>

#include "mete/cli/memory_arms.h"
#include "mete/execute/fitted_plan.h"

namespace mete {
namespace {

constexpr int kRepeats = 10;

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
  METE_TRY(auto fitted, fit_plan(step.planned.graph, step.planned.liveness, step.planned.layouts,
                                 step.profile, fit));
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
  plan.solve_seconds =
      std::accumulate(fitted.solve_seconds.begin(), fitted.solve_seconds.end(), 0.0);
  return plan;
}

}  // namespace mete
