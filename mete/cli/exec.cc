// mete exec: run an execution plan that `mete fit` wrote. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/base/utf8.h"
#include "mete/cli/command.h"
#include "mete/cli/graph_arg.h"
#include "mete/cli/memory_arms.h"
#include "mete/cli/options.h"

namespace mete {
namespace {

struct Options {
  std::string program;
  std::string graph;
  MemoryOptions memory;
  int steps = 5;
  std::uint64_t seed = 1;
  bool json = false;
};

Result<ExecutionPlan> read_program(const std::string& path) {
  if (!path_exists(path)) return fail(Errc::invalid, "{}: no such file", path);
  METE_TRY(const auto text, read_file(path));
  auto plan = parse_execution(text, path);
  if (!plan && text.find("\"mete.placement/1\"") != std::string::npos) {
    return fail(Errc::invalid,
                "{}: is a plan without addresses; `mete fit -o DIR` writes DIR/program.json, "
                "which can be run",
                path);
  }
  return plan;
}

/// In what the prediction's conditions are not those of this run; empty if it is for them.
std::vector<std::string> unlike(const ExecutionPlan& plan, const MemorySetup& setup) {
  const ProfileEnvironment here = environment_of(request_of(setup));
  const ProfileEnvironment& there = plan.predicted_in;
  if (there.machine.empty()) return {"conditions that the program does not tell"};
  std::vector<std::string> out;
  if (there.machine != here.machine) out.push_back("machine " + there.machine);
  if (there.libraries != here.libraries) out.push_back("kernels of " + there.libraries);
  if (there.fast_tier != here.fast_tier) out.push_back("fast memory " + there.fast_tier);
  if (plan.slow_bytes > 0 && there.slow_tier != here.slow_tier) {
    out.push_back("slow memory " + there.slow_tier);
  }
  if (there.threads != here.threads) out.push_back(fmt::format("{} threads", there.threads));
  return out;
}

void print_prediction(const ExecutionPlan& plan, double measured,
                      const std::vector<std::string>& unlike) {
  const auto predicted = format_quantity(plan.predicted_seconds, "s", 4);
  if (unlike.empty()) {
    fmt::print("predicted     {}: {} of what was measured\n", predicted,
               format_percent(measured > 0 ? plan.predicted_seconds / measured : 0));
  } else {
    fmt::print("predicted     {}, but for {}: not to be compared with this run\n", predicted,
               printable(join(unlike, ", ")));
  }
}

void print_run(const ExecutionPlan& plan, const ArmOutcome& outcome, const Options& options,
               const MemorySetup& setup) {
  const bool emulated = setup.slow->emulated() && plan.slow_bytes > 0;
  fmt::print("{}, batch {}, {} plan: {} steps, verified\n", plan.graph, options.memory.batch,
             plan.solver, plan.steps.size());
  fmt::print(
      "pools         {} in {}\n              {} in {}\n",
      format_quantity(static_cast<double>(plan.fast_bytes), "B", 4), setup.fast->description(),
      format_quantity(static_cast<double>(plan.slow_bytes), "B", 4), setup.slow->description());
  fmt::print("step          {}\n", interval_text(outcome.interval(), emulated));
  print_prediction(plan, mean_of(outcome.seconds), unlike(plan, setup));
  fmt::print("results       {:016x} after {} steps from seed {}{}\n", outcome.digest,
             options.steps + 1, options.seed,
             std::isnan(outcome.loss) ? "" : fmt::format(", loss {:.6g}", outcome.loss));
}

Json json_of(const ExecutionPlan& plan, const ArmOutcome& outcome, const Options& options,
             const MemorySetup& setup) {
  const Interval interval = outcome.interval();
  return Json::object(
      {{"graph", plan.graph},
       {"batch", options.memory.batch},
       {"optimizer", plan.solver},
       {"source", setup.slow->emulated() && plan.slow_bytes > 0 ? "emulated" : "measured"},
       {"fast_tier", setup.fast->description()},
       {"slow_tier", setup.slow->description()},
       {"fast_pool_bytes", static_cast<std::int64_t>(plan.fast_bytes)},
       {"slow_pool_bytes", static_cast<std::int64_t>(plan.slow_bytes)},
       {"seconds", interval.estimate},
       {"low_seconds", interval.low},
       {"high_seconds", interval.high},
       {"all_seconds", Json::array_of(outcome.seconds)},
       {"predicted_seconds", plan.predicted_seconds},
       {"predicted_for_others", Json::array_of(unlike(plan, setup))},
       {"digest", fmt::format("{:016x}", outcome.digest)},
       {"loss", outcome.loss}});
}

Result<ExitCode> exec(const Options& options, const Context& context) {
  METE_TRY(auto plan, read_program(options.program));
  METE_TRY(auto graph, load_training_step(options.graph, options.memory.batch));
  if (plan.graph != graph.name) {
    return fail(Errc::invalid, "{}: is for {}, not for {}", options.program, plan.graph,
                graph.name);
  }
  if (plan.shapes != shape_digest(graph)) {
    return fail(Errc::invalid,
                "{}: is for {} at another batch than {}; name the batch it was made for with "
                "--batch",
                options.program, plan.graph, options.memory.batch);
  }
  METE_TRY(auto store, ProfileStore::open(options.memory.store, ProfileStore::Mode::create));
  std::vector<std::string> notices;
  METE_TRY(const auto setup, open_memory(options.memory, store, context, notices));
  for (const auto& notice : notices) say(fmt::format("note: {}", notice));
  const PlannedGraph planned = plan_memory(std::move(graph), setup.libraries.list);
  if (auto judged = verify(plan, planned.graph, planned.layouts); !judged) {
    return fail(Errc::invalid, "{}: not for this model at this batch, or damaged: {}",
                options.program, judged.error().what);
  }
  METE_TRY(const auto outcomes, run_arms({{options.program, plan}}, planned, setup, options.steps,
                                         options.seed, context));
  if (options.json) {
    fmt::print("{}\n", json_of(plan, outcomes.front(), options, setup).dump());
  } else {
    print_run(plan, outcomes.front(), options, setup);
  }
  return 0;
}

}  // namespace

Runner add_exec(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("PROGRAM", options->program, "An execution plan (mete.execution/1)")->required();
  app.add_option("--graph", options->graph, "The model it was made for: zoo:resnet50")->required();
  add_memory_options(app, options->memory);
  app.add_option("--profile", options->memory.store,
                 "The store that knows this machine's bandwidth")
      ->capture_default_str();
  app.add_option("--steps", options->steps, "Steps that are timed")
      ->range(2, kMostSteps, "six or more for an interval")
      ->capture_default_str();
  app.add_option("--seed", options->seed, "Of parameters and inputs")->capture_default_str();
  app.add_flag("--json", options->json, "The figures as JSON");
  return [options](const Context& context) { return exec(*options, context); };
}

}  // namespace mete
