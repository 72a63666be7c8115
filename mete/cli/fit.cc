// mete fit: profile, plan, pack, verify, run, compare: the whole memory loop.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/fit_report.h"
#include "mete/cli/memory_arms.h"
#include "mete/cli/memory_pages.h"
#include "mete/cli/options.h"

namespace mete {
namespace {

struct Options {
  std::string graph;
  MemoryOptions memory;
  std::string ratio;
  std::string fast_memory;
  std::string optimizer = "synchronous";
  int steps = 7;
  int repeats = 10;
  std::uint64_t seed = 1;
  double effort = 1;
  std::string out;
  bool json = false;
};

Result<void> check_options(const Options& options) {
  if (!(options.effort > 0 && options.effort <= 1000)) {
    return fail(Errc::invalid, "--effort {}: expected more than 0, and at most 1000",
                options.effort);
  }
  METE_TRY_VOID(check_fast_memory(options.ratio, options.fast_memory));
  METE_TRY_VOID(find_solver(options.optimizer));
  METE_TRY_VOID(parse_tier(options.memory.fast));
  METE_TRY_VOID(parse_tier(options.memory.slow));
  return {};
}

Result<FitRequest> request_of(const Options& options, std::string_view optimizer,
                              std::uint64_t limit, const Context& context) {
  FitRequest request;
  METE_TRY(request.solver, find_solver(optimizer));
  request.solve.limit_bytes = limit;
  request.solve.seed = options.seed;
  request.solve.effort = options.effort;
  request.solve.interrupt = &context.interrupt;
  request.clock = &context.clock;
  if (request.solver->needs_lp) {
    METE_TRY(request.solve.lp, open_lp_runtime());
  }
  return request;
}

/// The plan that was asked for, and the two that it is compared with.
Result<std::vector<FittedArm>> fit_arms(const Options& options, const ProfiledStep& step,
                                        const Context& context) {
  METE_TRY(const auto limit, fast_limit(options.ratio, options.fast_memory, step.still));
  std::vector<FittedArm> arms;
  const auto add = [&](const char* name, std::string_view optimizer,
                       std::uint64_t arm_limit) -> Result<void> {
    METE_TRY(const auto request, request_of(options, optimizer, arm_limit, context));
    METE_TRY(auto fitted, fit_plan(step.planned.graph, step.planned.liveness, step.planned.layouts,
                                   step.profile, request));
    arms.push_back({name, std::string(optimizer), std::move(fitted)});
    return {};
  };
  METE_TRY_VOID(add("plan", options.optimizer, limit));
  METE_TRY_VOID(add("all-fast", "all-fast", kNoLimit));
  METE_TRY_VOID(add("first touch", "numa", limit));
  return arms;
}

Result<void> store_results(const FitReport& report, const Liveness& liveness,
                           const std::string& out) {
  const FittedPlan& fitted = report.arms.front().fitted;
  METE_TRY_VOID(write_file_atomically(path_join(out, "problem.json"),
                                      to_json(fitted.step.problem).dump(-1) + "\n"));
  METE_TRY_VOID(write_file_atomically(path_join(out, "plan.json"),
                                      placement_text(fitted.step.problem, fitted.solved.plan)));
  for (const auto& arm : report.arms) {
    const std::string name = arm.name == "plan" ? "program.json" : arm.optimizer + ".program.json";
    METE_TRY_VOID(
        write_file_atomically(path_join(out, name), execution_text(arm.fitted.draft.plan)));
  }
  METE_TRY_VOID(write_file_atomically(path_join(out, "steps.csv"), step_table(report).to_csv()));
  METE_TRY(const auto page, fit_page(report, liveness));
  METE_TRY_VOID(write_file_atomically(path_join(out, "fit.html"), page.to_html()));
  return write_file_atomically(path_join(out, "fit.json"), json_of(report).dump() + "\n");
}

Result<ExitCode> fit(const Options& options, const Context& context) {
  METE_TRY_VOID(check_options(options));
  NewFolders folders;
  if (!options.out.empty()) {
    METE_TRY(folders, NewFolders::make(options.out));
  }
  METE_TRY(const auto step,
           profile_step(options.graph, options.memory, options.repeats, options.seed, context));
  FitReport report;
  report.batch = options.memory.batch;
  report.environment = step.profile.environment;
  report.copies = step.profile.copies;
  METE_TRY(report.arms, fit_arms(options, step, context));
  std::vector<MemoryArm> runs;
  for (const auto& arm : report.arms) runs.push_back({arm.name, arm.fitted.draft.plan});
  METE_TRY(report.outcomes,
           run_arms(runs, step.planned, step.setup, options.steps, options.seed, context));
  report.graph = &step.planned.graph;
  if (!options.out.empty())
    METE_TRY_VOID(store_results(report, step.planned.liveness, options.out));
  if (options.json) {
    fmt::print("{}\n", json_of(report).dump());
  } else {
    print_fit(report);
    if (!options.out.empty())
      fmt::print("stored in     {}; page: {}\n", options.out, path_join(options.out, "fit.html"));
  }
  return report.equal() ? 0 : 1;
}

}  // namespace

Runner add_fit(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("GRAPH", options->graph, "A model of the zoo: zoo:resnet50")->required();
  app.add_option("--fast-memory", options->fast_memory, "Fast memory, as in 512MiB");
  app.add_option("--ratio", options->ratio,
                 "Slow to fast memory: 4 or 4:1 makes one fifth of the peak fast");
  app.add_option("--optimizer", options->optimizer, "See `mete list solvers`")
      ->capture_default_str();
  add_memory_options(app, options->memory);
  app.add_option("--steps", options->steps, "Steps that are timed, of each plan in turn")
      ->range(2, kMostSteps, "six or more for an interval")
      ->capture_default_str();
  app.add_option("--repeats", options->repeats, "How often each placement is profiled")
      ->range(1, kMostRepeats)
      ->capture_default_str();
  app.add_option("--profile", options->memory.store, "The store of profiles")
      ->capture_default_str();
  app.add_option("--seed", options->seed, "Of data, search and packing")->capture_default_str();
  app.add_option("--effort", options->effort, "How long to search for less: 1 is about a second")
      ->capture_default_str();
  app.add_option("-o,--out", options->out,
                 "Keep problem, plan, programs and figures in this folder");
  app.add_flag("--json", options->json, "All figures as JSON");
  return [options](const Context& context) { return fit(*options, context); };
}

}  // namespace mete
