// mete tune: sweep, process, train, choose, run, compare: the whole energy loop.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/cli/options.h"
#include "mete/cli/run_options.h"
#include "mete/cli/tune_choice.h"
#include "mete/cli/tune_report.h"
#include "mete/cli/tune_steps.h"
#include "mete/learn/trainer.h"

namespace mete {
namespace {

constexpr int kMostTrials = 100'000;
constexpr int kMostRepeats = 1000;

Result<Goal> goal_of(const TuneOptions& options) {
  Goal goal;
  if (options.phi && !options.max_slowdown.empty()) {
    return fail(Errc::invalid, "--phi and --max-slowdown are two ways to say one thing: give one");
  }
  if (options.phi && !(*options.phi >= 0 && *options.phi <= 1)) {
    return fail(Errc::invalid, "--phi {}: expected 0 (fastest) to 1 (least energy)", *options.phi);
  }
  goal.phi = options.phi;
  if (!options.max_slowdown.empty()) {
    METE_TRY(goal.max_slowdown, parse_slowdown(options.max_slowdown));
  }
  return goal;
}

Result<void> check_numbers(const TuneOptions& options) {
  if (options.command.empty()) {
    return fail(Errc::invalid,
                "nothing to tune: put a command after --, or with --board a kernel or a program "
                "file");
  }
  if (options.agent.empty() && !options.policy.empty()) {
    return fail(Errc::invalid, "--policy is of an agent of yours: name it with --agent");
  }
  if (!options.agent.empty() && options.epochs) {
    return fail(Errc::invalid,
                "--epochs is for training, and --agent runs in place of what would "
                "be trained: give one");
  }
  if (!options.model.empty() && options.epochs) {
    return fail(Errc::invalid, "--epochs is for training, and --model says not to train: give one");
  }
  return {};
}

std::vector<ArmPlan> arms_of(const TuneResult& result, const TuneOptions& options) {
  const Choice& choice = result.choice;
  std::vector<ArmPlan> arms{{"baseline", choice.top.clock, "monitor", "", ""}};
  if (!result.agent.empty()) {
    arms.push_back({"agent", choice.top.clock, result.agent, result.agent_policy, options.model});
  } else if (!result.model.path.empty()) {
    arms.push_back({"torch", choice.top.clock, "torch", fmt::format("GPU_PHI={:g}", choice.phi),
                    result.model.path});
  }
  if (choice.fixed.clock != choice.top.clock) {
    arms.push_back({"fixed", choice.fixed.clock, "monitor", "", ""});
  }
  return arms;
}

Result<TuneResult> tune(const TuneOptions& options, const Goal& goal, const Context& context) {
  TuneResult result;
  result.goal = goal;
  result.directory = options.out;
  result.created = format_wall_time(context.clock.wall_seconds());
  AgentInfo own;
  if (!options.agent.empty()) {
    METE_TRY(own, check_own_agent(options));
  }
  METE_TRY(const auto target, make_target(options.target, context, 0, result.notes));
  METE_TRY(const std::string spec, clock_spec(options, target->platform()));
  result.replayed = target->replayed();
  METE_TRY(const auto sweeps, run_sweeps(options, spec, context, result.notes));
  const Manifest& sweep = sweeps.front().study.manifest;
  result.plan = sweep.plan;
  for (const StudyPoint& point : sweep.points) {
    if (!point.plan.reference) result.sweep_points.push_back(point);
  }
  for (const SweepDone& one : sweeps) {
    result.learned_from.push_back(one.study.manifest.plan.app_config);
  }
  result.drift = drift_of(sweep);
  METE_TRY(result.clocks, swept_clocks(summarise(sweep)));
  result.choice = choose(result.clocks, goal);
  if (options.agent.empty()) {
    METE_TRY(result.model, make_model(options, sweeps, context));
  } else {
    result.agent = options.agent;
    result.agent_policy = own_policy(options, own, goal, result.choice.phi);
    result.model.absent = fmt::format("the agent {} runs instead", options.agent);
  }
  result.notes.insert(result.notes.end(), result.model.notes.begin(), result.model.notes.end());
  METE_TRY(result.verification,
           verify_arms(options, sweep.plan, arms_of(result, options), context));
  result.notes.insert(result.notes.end(), result.verification.warnings.begin(),
                      result.verification.warnings.end());
  result.changes = changes_of(result.verification.arms);
  result.verdict = recommend(result.verification.arms, goal);
  if (result.choice.fixed.clock == result.choice.top.clock) {
    result.verdict.cautions.emplace_back(
        "fixed: the best single clock of the sweep is the top clock, so there is no such arm");
  }
  if (result.model.path.empty() && result.agent.empty()) {
    result.verdict.cautions.push_back("torch: not run: " + result.model.absent);
  }
  return result;
}

Result<ExitCode> run(TuneOptions options, const Context& context) {
  METE_TRY(const Goal goal, goal_of(options));
  METE_TRY_VOID(check_numbers(options));
  if (options.out.empty()) options.out = "mete-tune-" + file_piece(app_name(options.command));
  METE_TRY(const TuneResult result, tune(options, goal, context));
  METE_TRY_VOID(write_file_atomically(path_join(options.out, "tune.json"),
                                      tune_json(result, options).dump() + "\n"));
  METE_TRY(const std::string page, tune_html(result, options));
  METE_TRY_VOID(write_file_atomically(path_join(options.out, "tune.html"), page));
  for (const std::string& note : result.notes) say(fmt::format("note: {}", note));
  if (options.json) {
    fmt::print("{}\n", tune_json(result, options).dump());
  } else {
    fmt::print("{}", tune_text(result, options));
  }
  return 0;
}

}  // namespace

Runner add_tune(OptionSet& app) {
  auto options = std::make_shared<TuneOptions>();
  app.add_option("--phi", options->phi, "Goal: 0 (fastest) to 1 (least energy)");
  app.add_option("--max-slowdown", options->max_slowdown,
                 "Goal: least energy at most this much slower than the top clock, as 10% or 0.1 "
                 "(10% if neither is given)");
  app.add_option("--clocks", options->clocks,
                 "Clocks to sweep: VALUE,.. or FROM:TO:STEP or all; auto takes at most 12, evenly "
                 "spaced")
      ->capture_default_str();
  app.add_option("--trials", options->trials, "Runs of every clock in the sweep")
      ->range(1, kMostTrials)
      ->capture_default_str();
  app.add_option("--repeats", options->repeats, "Runs of every arm when comparing")
      ->range(1, kMostRepeats)
      ->capture_default_str();
  app.add_option("--agent", options->agent,
                 "Compare this agent instead of training one: a name, FILE.py:CLASS or FILE.so");
  app.add_option("--policy", options->policy, "Its policy; the goal, as it names it, if not given");
  app.add_option("--model", options->model,
                 "Use this .pt instead of training one; with --agent: that agent's model");
  app.add_option("--epochs", options->epochs,
                 "Training epochs; as many as a sweep of this length needs if not given")
      ->range(1, kMostEpochs);
  app.add_option("--learn-from", options->learn_from,
                 "Another program to sweep and train on, so that the model knows more than one; "
                 "repeatable")
      ->allow_extra_args(false);
  app.add_option("--period", options->period, "Time between samples")->capture_default_str();
  app.add_option("--out", options->out, "Folder for everything; ./mete-tune-PROGRAM if not given");
  app.add_flag("--json", options->json, "Print tune.json");
  add_target_options(app, options->target);
  add_command_words(app, options->command);
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
