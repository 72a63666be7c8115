// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/bench_memory.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/base/table.h"
#include "mete/base/text.h"
#include "mete/cli/graph_arg.h"
#include "mete/cli/look.h"
#include "mete/cli/memory_arms.h"
#include "mete/cli/memory_pages.h"
#include "mete/cli/memory_setup.h"
#include "mete/cli/options.h"
#include "mete/execute/run_counts.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::string_view kFormat = "mete.memory-run/1";
constexpr int kRepeats = 10;

struct BenchModel {
  std::string name;
  std::int64_t batch = 1;
};

/// "vgg19" or "vgg19@64".
Result<BenchModel> model_of(const std::string& text, std::int64_t batch) {
  const auto parts = split(text, '@');
  BenchModel model{std::string(parts[0]), batch};
  if (parts.size() > 2)
    return fail(Errc::invalid, "--models {}: expected NAME or NAME@BATCH", text);
  if (parts.size() == 2) {
    const auto given = parse_int(parts[1]);
    if (!given || *given < 1)
      return fail(Errc::invalid, "--models {}: '{}' is no batch", text, parts[1]);
    model.batch = *given;
  }
  return model;
}

/// One cell of the grid.
struct Cell {
  std::string optimizer;
  std::string ratio;
};

std::string file_of(const BenchModel& model, const Cell& cell) {
  std::string ratio = cell.ratio;
  std::replace(ratio.begin(), ratio.end(), ':', '-');
  return fmt::format("{}@{}.{}.{}.json", model.name, model.batch, ratio, cell.optimizer);
}

Json config_map(const ExecutionPlan& plan, const Graph& graph) {
  Json::Object members;
  for (const auto& step : plan.steps) {
    if (step.kind != StepKind::run) continue;
    std::string config;
    for (const auto place : step.inputs) config += place.fast ? 'D' : 'P';
    config += '>';
    for (const auto place : step.outputs) config += place.fast ? 'D' : 'P';
    members.emplace_back(fmt::format("{} {}", step.node, graph.nodes[step.node].op->name), config);
  }
  return Json::from_members(std::move(members));
}

/// Bytes of each tensor that is made and used within the step.
Json tensor_sizes(const Graph& graph) {
  Json::Object members;
  for (const auto& tensor : graph.tensors) {
    if (tensor.role != TensorRole::intermediate) continue;
    members.emplace_back(tensor.name, static_cast<std::int64_t>(tensor.bytes()));
  }
  return Json::from_members(std::move(members));
}

Json kernel_times(const ExecutionPlan& plan, const Graph& graph, const ArmOutcome& outcome) {
  Json::Object members;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (plan.steps[s].kind != StepKind::run) continue;
    const NodeId node = plan.steps[s].node;
    members.emplace_back(fmt::format("{} {}", node, graph.nodes[node].op->name),
                         outcome.step_seconds[s]);
  }
  return Json::from_members(std::move(members));
}

/// `outcomes`: of the plan, and of all-fast in the same turns.
Json run_json(const BenchModel& model, const Cell& cell, const PlannedGraph& planned,
              const GraphProfile& profile, const FittedPlan& fitted, double all_fast_predicted,
              const std::vector<ArmOutcome>& outcomes) {
  const ArmOutcome& outcome = outcomes.front();
  const Interval slowdown = times_as_long(outcome, outcomes.back());
  const auto whole = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  const ExecutionPlan& plan = fitted.draft.plan;
  const Interval interval = outcome.interval();
  const Interval error =
      placement_error(plan.predicted_seconds - all_fast_predicted, outcome, outcomes.back());
  Json json = Json::object(
      {{"format", kFormat},
       {"units", "seconds and bytes throughout"},
       {"name", model.name},
       {"batchsize", model.batch},
       {"formulation", cell.optimizer},
       {"ratio", cell.ratio},
       {"source", profile.environment.emulated ? "emulated" : "measured"},
       {"machine", profile.environment.machine},
       {"libraries", profile.environment.libraries},
       {"threads", profile.environment.threads},
       {"fast_tier", profile.environment.fast_tier},
       {"slow_tier", profile.environment.slow_tier},
       {"io_size", whole(io_bytes(planned.graph))},
       {"default_alloc_size", whole(planned.liveness.peak_bytes)},
       {"creation_times", Json::array_of(fitted.make_seconds)},
       {"optimization_times", Json::array_of(fitted.solve_seconds)},
       {"packing_times", fitted.pack_seconds},
       {"tightening_rounds", fitted.rounds},
       {"dram_limit", whole(fitted.solved.plan.figures.limit_bytes)},
       {"dram_alloc_size", whole(plan.fast_bytes)},
       {"pmem_alloc_size", whole(plan.slow_bytes)},
       {"predicted_runtime", plan.predicted_seconds},
       {"lower_bound_seconds", fitted.lower_bound_seconds},
       {"gap", fitted.gap},
       {"actual_runtime", *std::min_element(outcome.seconds.begin(), outcome.seconds.end())},
       {"median_runtime", interval.estimate},
       {"low_runtime", interval.low},
       {"high_runtime", interval.high},
       {"all_runtimes", Json::array_of(outcome.seconds)},
       {"all_fast_runtime", outcomes.back().median()},
       {"all_fast_runtimes", Json::array_of(outcomes.back().seconds)},
       {"all_fast_predicted_runtime", all_fast_predicted},
       {"placement_error", error.estimate},
       {"placement_error_low", error.low},
       {"placement_error_high", error.high},
       {"slowdown", slowdown.estimate},
       {"slowdown_low", slowdown.low},
       {"slowdown_high", slowdown.high},
       {"equal_results", outcome.digest == outcomes.back().digest},
       {"digest", fmt::format("{:016x}", outcome.digest)}});
  const Json counts = run_counts(plan, planned.graph);
  for (const auto& [key, value] : counts.members()) json.set(key, value);
  json.set("tensor_size_map", tensor_sizes(planned.graph));
  json.set("config_map", config_map(plan, planned.graph));
  json.set("kernel_times", kernel_times(plan, planned.graph, outcome));
  return json;
}

class MemoryGrid {
 public:
  MemoryGrid(const MemoryBenchOptions& options, const Context& context)
      : options_(options), context_(context) {}

  /// How many models could not be run, each of which was told: one that is too large for the
  /// machine must not cost the figures of the others.
  Result<std::size_t> run() {
    std::vector<BenchModel> models;  // all are looked at before the first is measured
    for (const auto& text : options_.models) {
      METE_TRY(auto model, model_of(text, options_.batch));
      METE_TRY_VOID(find_zoo_model(model.name));
      models.push_back(std::move(model));
    }
    METE_TRY(const auto folders, NewFolders::make(options_.out));
    std::size_t failed = 0;
    for (const auto& model : models) {
      const auto done = run_model(model);
      if (done) continue;
      if (context_.interrupt.signal() != 0) return done.error();
      say(fmt::format("mete bench: {}, batch {}: {}", model.name, model.batch, done.error().what));
      ++failed;
    }
    return failed;
  }

 private:
  std::vector<Cell> missing_of(const BenchModel& model) const {
    std::vector<Cell> missing;
    for (const auto& ratio : options_.ratios) {
      for (const auto& optimizer : options_.optimizers) {
        const Cell cell{optimizer, ratio};
        if (!path_exists(path_join(options_.out, file_of(model, cell)))) missing.push_back(cell);
      }
    }
    return missing;
  }

  Result<void> run_model(const BenchModel& model) {
    const auto missing = missing_of(model);
    if (missing.empty()) return {};
    MemoryOptions memory;
    memory.batch = model.batch;
    memory.slow = options_.slow;
    memory.threads = options_.threads;
    memory.store = options_.store;
    METE_TRY(const auto step,
             profile_step("zoo:" + model.name, memory, kRepeats, options_.seed, context_));
    METE_TRY(const auto all_fast, fit_cell({"all-fast", "0:1"}, step));
    for (const auto& cell : missing) {
      auto done = run_cell(model, cell, step, all_fast.draft.plan);
      if (!done) {
        return done.error().within(fmt::format("{} {} {}", model.name, cell.ratio, cell.optimizer));
      }
    }
    return {};
  }

  Result<FittedPlan> fit_cell(const Cell& cell, const ProfiledStep& step) const {
    FitRequest request;
    METE_TRY(request.solver, find_solver(cell.optimizer));
    METE_TRY(request.solve.limit_bytes, limit_of_ratio(cell.ratio, step.still));
    request.solve.seed = options_.seed;
    request.solve.interrupt = &context_.interrupt;
    request.clock = &context_.clock;
    if (request.solver->needs_lp) {
      METE_TRY(request.solve.lp, open_lp_runtime());
    }
    return fit_plan(step.planned.graph, step.planned.liveness, step.planned.layouts, step.profile,
                    request);
  }

  /// Beside all-fast, a step of each in turn: cells of a grid are minutes apart, and the machine
  /// may be another one by then.
  Result<void> run_cell(const BenchModel& model, const Cell& cell, const ProfiledStep& step,
                        const ExecutionPlan& all_fast) {
    METE_TRY(const auto fitted, fit_cell(cell, step));
    METE_TRY(const auto outcomes,
             run_arms({{cell.optimizer, fitted.draft.plan}, {"all-fast", all_fast}}, step.planned,
                      step.setup, options_.steps, options_.seed, context_));
    const Json json = run_json(model, cell, step.planned, step.profile, fitted,
                               all_fast.predicted_seconds, outcomes);
    return write_file_atomically(path_join(options_.out, file_of(model, cell)), json.dump() + "\n");
  }

  const MemoryBenchOptions& options_;
  const Context& context_;
};

constexpr const char* kTexts[] = {"name", "ratio", "formulation", "source", "digest"};
constexpr std::pair<const char*, const char*> kNumbers[] = {{"batchsize", ""},
                                                            {"actual_runtime", "s"},
                                                            {"median_runtime", "s"},
                                                            {"low_runtime", "s"},
                                                            {"high_runtime", "s"},
                                                            {"all_fast_runtime", "s"},
                                                            {"all_fast_predicted_runtime", "s"},
                                                            {"placement_error", "1"},
                                                            {"placement_error_low", "1"},
                                                            {"placement_error_high", "1"},
                                                            {"slowdown", "1"},
                                                            {"slowdown_low", "1"},
                                                            {"slowdown_high", "1"},
                                                            {"predicted_runtime", "s"},
                                                            {"lower_bound_seconds", "s"},
                                                            {"gap", "1"},
                                                            {"packing_times", "s"},
                                                            {"tightening_rounds", ""},
                                                            {"dram_limit", "B"},
                                                            {"dram_alloc_size", "B"},
                                                            {"pmem_alloc_size", "B"},
                                                            {"io_size", "B"},
                                                            {"default_alloc_size", "B"},
                                                            {"bytes_moved_pmem", "B"},
                                                            {"bytes_moved_dram", "B"},
                                                            {"bytes_async_moved", "B"},
                                                            {"bytes_input_tensors", "B"},
                                                            {"bytes_output_tensors", "B"},
                                                            {"bytes_dram_input_tensors", "B"},
                                                            {"bytes_dram_output_tensors", "B"},
                                                            {"move_time", "s"}};

/// All runs of the folder, whatever command made them.
Result<std::vector<Json>> read_runs(const std::string& folder) {
  METE_TRY(const auto names, list_directory(folder));
  std::vector<Json> runs;
  for (const auto& name : names) {
    if (!name.ends_with(".json") || name == "results.json") continue;
    const std::string path = path_join(folder, name);
    METE_TRY(const auto text, read_file(path));
    auto json = parse_json(text);
    if (!json) return json.error().within(path);
    if ((*json)["format"].as_string() == kFormat) runs.push_back(std::move(*json));
  }
  return runs;
}

Table table_of(const std::vector<Json>& runs) {
  Table table;
  for (const char* name : kTexts) {
    auto& column = table.add_texts(name);
    for (const auto& run : runs) column.push_back(run[name].as_string());
  }
  for (const auto& [name, unit] : kNumbers) {
    auto& column = table.add_numbers(name, unit);
    for (const auto& run : runs) column.push_back(run[name].as_number());
  }
  return table;
}

void print_runs(const std::vector<Json>& runs) {
  std::vector<std::vector<std::string>> rows = {{"model", "batch", "ratio", "optimizer", "step",
                                                 "times all-fast", "predicted", "error",
                                                 "beside all-fast", "gap", "fast pool"}};
  for (const auto& run : runs) {
    const double actual = run["median_runtime"].as_number();
    const double predicted = run["predicted_runtime"].as_number();
    rows.push_back(
        {run["name"].as_string(), fmt::format("{}", run["batchsize"].as_integer()),
         run["ratio"].as_string(), run["formulation"].as_string(), format_quantity(actual, "s", 4),
         fmt::format("{:.3f}", run["slowdown"].as_number()), format_quantity(predicted, "s", 4),
         format_percent(actual > 0 ? predicted / actual - 1 : 0),
         // Files of earlier versions have none.
         run["placement_error"].is_number() ? format_percent(run["placement_error"].as_number())
                                            : "",
         format_percent(run["gap"].as_number(), 2),
         format_quantity(run["dram_alloc_size"].as_number(), "B")});
  }
  fmt::print("{}\n", align(rows));
  const bool emulated = std::any_of(runs.begin(), runs.end(), [](const Json& run) {
    return run["source"].as_string() == "emulated";
  });
  if (emulated) fmt::print("slow memory is emulated: every step that touches it is\n");
}

}  // namespace

void add_memory_bench_options(OptionSet& app, MemoryBenchOptions& options) {
  const std::string heading = "bench memory";
  app.add_option("--models", options.models, "Models of the zoo: NAME or NAME@BATCH")
      ->delimiter(',')
      ->group(heading);
  app.add_option("--optimizers", options.optimizers, "See `mete list solvers`")
      ->delimiter(',')
      ->group(heading);
  app.add_option("--ratios", options.ratios, "Slow to fast memory; 0:1 is all fast")
      ->delimiter(',')
      ->group(heading);
  app.add_option("--batch", options.batch, "Where a model names none")
      ->range(1, kMostBatch)
      ->capture_default_str()
      ->group(heading);
  app.add_option("--slow", options.slow, "Slow memory, as for mete fit")
      ->capture_default_str()
      ->group(heading);
  app.add_option("--profile", options.store, "The store of profiles")
      ->capture_default_str()
      ->group(heading);
  app.add_option("--steps", options.steps, "Steps timed of each")
      ->range(2, kMostSteps)
      ->capture_default_str()
      ->group(heading);
}

Result<ExitCode> bench_memory(const MemoryBenchOptions& options, const Context& context) {
  if (options.out.empty()) {
    return fail(Errc::invalid, "bench memory: name a folder for its runs with -o DIR");
  }
  METE_TRY_VOID(parse_tier(options.slow));
  for (const auto& name : options.optimizers) METE_TRY_VOID(find_solver(name));
  for (const auto& ratio : options.ratios) METE_TRY_VOID(fast_share_of(ratio));
  METE_TRY(const auto failed, MemoryGrid(options, context).run());
  METE_TRY(const auto runs, read_runs(options.out));
  if (runs.empty()) return 1;
  Json all = Json::array();
  for (const auto& run : runs) {
    Json brief = Json::object();
    for (const auto& [key, value] : run.members()) {
      if (key != "config_map" && key != "kernel_times" && key != "tensor_size_map")
        brief.set(key, value);
    }
    all.push(std::move(brief));
  }
  METE_TRY_VOID(write_file_atomically(path_join(options.out, "results.json"), all.dump() + "\n"));
  METE_TRY_VOID(
      write_file_atomically(path_join(options.out, "results.csv"), table_of(runs).to_csv()));
  METE_TRY(const auto page, memory_bench_page(runs));
  METE_TRY_VOID(write_file_atomically(path_join(options.out, "results.html"), page.to_html()));
  if (options.json) {
    fmt::print("{}\n", all.dump());
  } else {
    print_runs(runs);
    fmt::print("page: {}\n", path_join(options.out, "results.html"));
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace mete
