// mete plan: which tensor of a training step lies in fast memory, when it moves, and how close to
// the best possible that is. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/memory_arms.h"
#include "mete/cli/options.h"
#include "mete/cli/plan_graph.h"
#include "mete/cli/plan_page.h"
#include "mete/cli/tune_choice.h"
#include "mete/placement/solver.h"

namespace mete {
namespace {

struct Options {
  std::string problem;
  std::string optimizer = "synchronous";
  std::string ratio;
  std::string fast_memory;
  std::string max_slowdown;
  std::string output;
  std::string page;
  std::string write_problem;
  MemoryOptions memory;  ///< of a graph
  bool curve = false;
  std::uint64_t seed = 1;
  double effort = 1;
  double target_gap = SolveRequest{}.target_gap;
  bool json = false;
};

/// What was asked for, and what it cost to answer.
struct Answer {
  SolvedPlan solved;
  std::optional<double> max_slowdown;
  std::uint64_t proven_bytes = 0;
  double solve_seconds = 0;
  double cpu_seconds = std::numeric_limits<double>::quiet_NaN();  ///< unknown for a graph
};

double cpu_seconds_of(int who) {
  rusage used{};
  ::getrusage(who, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/// Ours, and of the children that have ended: CBC runs in one.
double cpu_seconds() { return cpu_seconds_of(RUSAGE_SELF) + cpu_seconds_of(RUSAGE_CHILDREN); }

Result<std::uint64_t> limit_of(const Options& options, const Problem& problem) {
  if (!options.ratio.empty()) return limit_of_ratio(options.ratio, problem);
  if (options.fast_memory.empty()) return kNoLimit;
  return parse_fast_memory(options.fast_memory);
}

Result<void> check_options(const Options& options) {
  const int given = static_cast<int>(!options.ratio.empty()) +
                    static_cast<int>(!options.fast_memory.empty()) +
                    static_cast<int>(!options.max_slowdown.empty());
  if (given > 1) {
    return fail(Errc::invalid,
                "--ratio, --fast-memory and --max-slowdown say the same thing; give one of them");
  }
  const bool limited = options.optimizer != "all-fast" && options.optimizer != "all-slow";
  if (given == 0 && limited) {
    return fail(Errc::invalid,
                "how much fast memory? give --ratio 4:1 (slow to fast), --fast-memory 512MiB, or "
                "--max-slowdown 10% for the least that keeps it");
  }
  if (options.curve && options.page.empty()) {
    return fail(Errc::invalid, "--curve is drawn on a page: give --page FILE.html too");
  }
  if (!(options.effort > 0 && options.effort <= 1000)) {
    return fail(Errc::invalid, "--effort {}: expected more than 0, and at most 1000",
                options.effort);
  }
  if (!(options.target_gap >= 0 && options.target_gap <= 1)) {
    return fail(Errc::invalid, "--target-gap {}: expected a fraction from 0 to 1",
                options.target_gap);
  }
  return {};
}

Result<Answer> answer_of(const Options& options, const Problem& problem, const Context& context) {
  METE_TRY(const Solver* solver, find_solver(options.optimizer));
  SolveRequest request;
  request.seed = options.seed;
  request.effort = options.effort;
  request.target_gap = options.target_gap;
  request.interrupt = &context.interrupt;
  if (solver->needs_lp) {
    METE_TRY(request.lp, open_lp_runtime());
  }
  Answer answer;
  if (!options.max_slowdown.empty()) {
    METE_TRY(answer.max_slowdown, parse_slowdown(options.max_slowdown));
  }
  METE_TRY(request.limit_bytes, limit_of(options, problem));
  const auto began = context.clock.now();
  const double cpu_began = cpu_seconds();
  if (answer.max_slowdown) {
    METE_TRY(auto least, least_fast_memory(*solver, problem, request, *answer.max_slowdown));
    answer.solved = std::move(least.solved);
    answer.proven_bytes = least.proven_bytes;
  } else {
    METE_TRY(answer.solved, solve(*solver, problem, request));
  }
  answer.solve_seconds = to_seconds(context.clock.now() - began);
  answer.cpu_seconds = cpu_seconds() - cpu_began;
  return answer;
}

Result<void> write_page(const Options& options, const Answer& answer, const Problem& problem,
                        const Context& context) {
  Table cases;
  if (options.curve) {
    SolveRequest request;
    request.seed = options.seed;
    request.interrupt = &context.interrupt;
    METE_TRY(request.lp, open_lp_runtime());
    METE_TRY(cases, case_study(problem, request, context));
  }
  METE_TRY(const auto page, plan_page(problem, answer.solved, cases));
  return write_file_atomically(options.page, page.to_html());
}

/// The problem of a graph is made of what its kernels take here.
Result<Answer> answer_of_graph(const Options& options, Problem& problem, const Context& context) {
  for (const auto* path : {&options.output, &options.page, &options.write_problem}) {
    // Said now: to measure a graph can take hours.
    if (is_directory(*path)) return fail(Errc::invalid, "{}: is a folder, expected a file", *path);
    if (!path->empty() && !is_directory(dir_name(*path))) {
      return fail(Errc::failed, "{}: cannot write: there is no folder {}", *path, dir_name(*path));
    }
  }
  Answer answer;
  if (!options.max_slowdown.empty()) {
    METE_TRY(answer.max_slowdown, parse_slowdown(options.max_slowdown));
  }
  GraphPlanRequest request{options.problem,
                           options.memory,
                           options.ratio,
                           options.fast_memory,
                           answer.max_slowdown,
                           options.optimizer,
                           {}};
  request.solve.seed = options.seed;
  request.solve.effort = options.effort;
  request.solve.target_gap = options.target_gap;
  request.solve.interrupt = &context.interrupt;
  METE_TRY(const Solver* solver, find_solver(options.optimizer));
  if (solver->needs_lp) {
    METE_TRY(request.solve.lp, open_lp_runtime());
  }
  METE_TRY(auto planned, plan_graph(request, context));
  problem = std::move(planned.problem);
  answer.solved = std::move(planned.solved);
  answer.solve_seconds = planned.solve_seconds;
  return answer;
}

Json json_of(const Answer& answer, const Problem& problem) {
  const PlanFigures& f = answer.solved.plan.figures;
  const Verdict& v = answer.solved.verdict;
  Json json =
      Json::object({{"problem", f.problem},
                    {"source", f.source},
                    {"optimizer", f.solver},
                    {"seconds", f.seconds},
                    {"all_fast_seconds", f.all_fast_seconds},
                    {"all_slow_seconds", all_slow_seconds(problem)},
                    {"lower_bound_seconds", f.lower_bound_seconds},
                    {"gap", f.gap},
                    {"solve_seconds", answer.solve_seconds},
                    {"solve_cpu_seconds", answer.cpu_seconds},
                    {"limit_bytes", static_cast<std::int64_t>(f.limit_bytes)},
                    {"peak_bytes", static_cast<std::int64_t>(f.peak_bytes)},
                    {"all_fast_peak_bytes", static_cast<std::int64_t>(all_fast_peak(problem))},
                    {"kernel_seconds", v.kernel_seconds},
                    {"stall_seconds", v.stall_seconds},
                    {"moves_to_slow", v.moves_to_slow},
                    {"moves_to_fast", v.moves_to_fast},
                    {"bytes_to_slow", static_cast<std::int64_t>(v.bytes_to_slow)},
                    {"bytes_to_fast", static_cast<std::int64_t>(v.bytes_to_fast)}});
  if (answer.max_slowdown) {
    json.set("max_slowdown", *answer.max_slowdown);
    if (answer.proven_bytes > 0)
      json.set("proven_least_bytes", static_cast<std::int64_t>(answer.proven_bytes));
  }
  return json;
}

std::string size_text(std::uint64_t bytes) {
  return format_quantity(static_cast<double>(bytes), "B", 4);
}

void print_for_people(const Answer& answer, const Problem& problem) {
  const PlanFigures& f = answer.solved.plan.figures;
  const Verdict& v = answer.solved.verdict;
  fmt::print("{}: {} kernels, {} tensors, {} at the peak\n",
             problem.name.empty() ? "problem" : problem.name, problem.kernels.size(),
             problem.tensors.size(), size_text(all_fast_peak(problem)));
  if (!problem.source.empty()) fmt::print("source        {}\n", problem.source);
  fmt::print("fast memory   {} of at most {}\n", size_text(f.peak_bytes), size_text(f.limit_bytes));
  if (answer.max_slowdown && answer.proven_bytes > 0) {
    fmt::print("              below {} no such plan stays within {} of all-fast (proven)\n",
               size_text(answer.proven_bytes), format_percent(*answer.max_slowdown));
  }
  fmt::print("step          {} predicted: {} times all-fast ({})\n",
             format_quantity(f.seconds, "s", 5),
             f.all_fast_seconds > 0 ? fmt::format("{:.3f}", f.seconds / f.all_fast_seconds) : "?",
             format_quantity(f.all_fast_seconds, "s", 5));
  fmt::print("moves         {} to slow ({}), {} to fast ({}); {} of the step waits for them\n",
             v.moves_to_slow, size_text(v.bytes_to_slow), v.moves_to_fast,
             size_text(v.bytes_to_fast), format_quantity(v.stall_seconds, "s"));
  fmt::print("proven        no {} plan takes less than {}: gap {}\n", f.solver,
             format_quantity(f.lower_bound_seconds, "s", 7), format_percent(f.gap, 3));
  const auto cpu = std::isnan(answer.cpu_seconds)
                       ? std::string()
                       : fmt::format(" ({} of CPU time)", format_quantity(answer.cpu_seconds, "s"));
  fmt::print("solved in     {}{}\n", format_quantity(answer.solve_seconds, "s"), cpu);
}

Result<ExitCode> plan(const Options& options, const Context& context) {
  METE_TRY_VOID(check_options(options));
  METE_TRY_VOID(find_solver(options.optimizer));
  METE_TRY_VOID(
      check_outputs({options.problem}, {options.output, options.page, options.write_problem}));
  Problem problem;
  Answer answer;
  if (names_a_graph(options.problem)) {
    METE_TRY(answer, answer_of_graph(options, problem, context));
  } else {
    if (!path_exists(options.problem)) {
      return fail(Errc::invalid, "{}: no such file; a model of the zoo is zoo:NAME",
                  options.problem);
    }
    METE_TRY(problem, read_problem(options.problem));
    METE_TRY(answer, answer_of(options, problem, context));
  }
  if (!options.write_problem.empty()) {
    METE_TRY_VOID(write_file_atomically(options.write_problem, to_json(problem).dump(-1) + "\n"));
  }
  if (!options.output.empty()) {
    METE_TRY_VOID(
        write_file_atomically(options.output, placement_text(problem, answer.solved.plan)));
  }
  if (!options.page.empty()) METE_TRY_VOID(write_page(options, answer, problem, context));
  if (options.json) {
    fmt::print("{}\n", json_of(answer, problem).dump());
  } else {
    print_for_people(answer, problem);
  }
  return 0;
}

std::string optimizer_names() {
  std::vector<std::string> names;
  for (const auto& solver : builtin_solvers()) names.emplace_back(solver.name);
  return join(names, " | ");
}

}  // namespace

Runner add_plan(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option(
         "PROBLEM", options->problem,
         "A placement problem (mete.placement-problem/1), which may be gzipped; or a graph, "
         "zoo:NAME or FILE.onnx, whose kernels are then measured here")
      ->required();
  app.add_option("--optimizer", options->optimizer, optimizer_names())->capture_default_str();
  app.add_option("--ratio", options->ratio,
                 "Slow to fast memory: 4 or 4:1 makes one fifth of the peak fast");
  app.add_option("--fast-memory", options->fast_memory, "Fast memory, as in 512MiB");
  app.add_option("--max-slowdown", options->max_slowdown,
                 "The least fast memory that keeps the step within this of all-fast, as in 10%");
  app.add_option("-o,--output", options->output, "Write the plan (mete.placement/1)");
  app.add_option("--write-problem", options->write_problem,
                 "Write the problem, as made from a graph and its profile");
  add_memory_options(app, options->memory);
  app.add_option("--profile", options->memory.store, "Of a graph: the store of profiles")
      ->capture_default_str();
  app.add_option("--page", options->page,
                 "Write a page: memory over time, and every tensor's place");
  app.add_flag("--curve", options->curve,
               "On the page, also how the step slows down with less fast memory (34 more plans)");
  app.add_option("--seed", options->seed, "The same seed gives the same plan")
      ->capture_default_str();
  app.add_option("--target-gap", options->target_gap, "A proven gap that is good enough")
      ->capture_default_str();
  app.add_option("--effort", options->effort, "How long to search for less: 1 is about a second")
      ->capture_default_str();
  app.add_flag("--json", options->json, "The figures as JSON");
  return [options](const Context& context) { return plan(*options, context); };
}

}  // namespace mete
