// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/plan_graph.h"

#include <cstdio>

#include <fmt/format.h>

#include "mete/cli/graph_arg.h"
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
  METE_TRY(auto graph, load_training_step(request.graph, request.memory.batch));
  METE_TRY(auto store, ProfileStore::open(request.memory.store, ProfileStore::Mode::create));
  std::vector<std::string> notices;
  METE_TRY(const auto setup, open_memory(request.memory, store, context, notices));
  for (const auto& notice : notices) fmt::print(stderr, "note: {}\n", notice);
  const PlannedGraph planned = plan_memory(std::move(graph), setup.libraries.list);
  METE_TRY(const auto profile, profile_with_progress(planned, setup, request.memory, kRepeats,
                                                     request.solve.seed, store, context));
  METE_TRY(const auto still, problem_of(planned.graph, planned.liveness, profile,
                                        homes_of(planned.graph, planned.liveness, Home::still)));
  METE_TRY(fit.solve.limit_bytes, fast_limit(request.ratio, request.fast_memory, still.problem));
  METE_TRY(auto fitted, fit_plan(planned.graph, planned.liveness, planned.layouts, profile, fit));
  GraphPlan plan;
  plan.problem = std::move(fitted.step.problem);
  plan.problem.source =
      fmt::format("{}{}, slow memory {}", profile.environment.machine,
                  profile.environment.emulated ? " (emulated)" : "", profile.environment.slow_tier);
  plan.solved = std::move(fitted.solved);
  PlanFigures& figures = plan.solved.plan.figures;
  figures.source = plan.problem.source;
  figures.lower_bound_seconds = fitted.lower_bound_seconds;
  figures.gap = fitted.gap;
  plan.solve_seconds = fitted.solve_seconds;
  return plan;
}

}  // namespace mete
