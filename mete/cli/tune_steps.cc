// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/tune_steps.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/progress.h"
#include "mete/base/rng.h"
#include "mete/base/text.h"
#include "mete/control/policy.h"
#include "mete/learn/trainer.h"

namespace mete {
namespace {

constexpr std::string_view kClockControl = "GPU_CORE_FREQUENCY_MAX_CONTROL";
/// Run indices of the verification, far from those of any sweep: on a board every run has a
/// variation of its own.
constexpr std::size_t kVerifyIndex = 1'000'000;

/// The words of a program to learn from: a board runs one word, a machine a command line.
std::vector<std::string> words_of(const std::string& text, bool board) {
  if (board) return {text};
  std::vector<std::string> out;
  for (const auto word : split(text, ' ')) {
    if (!trim(word).empty()) out.emplace_back(trim(word));
  }
  return out;
}

SweepOptions sweep_options(const TuneOptions& options, const std::string& spec,
                           const std::string& folder, std::vector<std::string> command) {
  SweepOptions sweep;
  sweep.target = options.target;
  sweep.controls = {fmt::format("{}={}", kClockControl, spec)};
  sweep.trials = options.trials;
  sweep.out = path_join(options.out, folder);
  sweep.period = options.period;
  sweep.command = std::move(command);
  return sweep;
}

Result<SweepDone> one_sweep(const SweepOptions& options, const Context& context,
                            std::vector<std::string>& notes) {
  METE_TRY(const StudyPlan plan, plan_sweep(options, context, notes));
  METE_TRY(SweepDone done, run_sweep(plan, options, context, "sweep " + plan.app));
  METE_TRY_VOID(check_complete(done));
  return done;
}

/// Returns the file's path.
Result<std::string> make_table(const TuneOptions& options, const std::vector<SweepDone>& sweeps,
                               const Context& context, std::vector<std::string>& notes) {
  ProcessOptions process;
  for (const SweepDone& sweep : sweeps) process.directories.push_back(sweep.study.directory);
  process.output = path_join(options.out, "training.h5");
  process.node = sweeps.front().study.manifest.plan.node;
  Progress bar("process", 1, context.clock);
  METE_TRY(const ProcessSummary summary,
           process_sweeps(
               process,
               [&](double done, double total, const std::string& note) {
                 bar.update(total > 0 ? done / total : 0, note);
               },
               &context.interrupt));
  bar.finish();
  notes.insert(notes.end(), summary.problems.begin(), summary.problems.end());
  notes.insert(notes.end(), summary.notes.begin(), summary.notes.end());
  return process.output;
}

Result<ModelStep> train_model(const TuneOptions& options, const TrainingData& data,
                              const Context& context, ModelStep step) {
  TrainOptions train;
  train.seed = options.target.seed;
  train.source = path_join(options.out, "training.h5");
  train.wall_seconds = context.clock.wall_seconds();
  step.epochs_chosen = !options.epochs;
  train.epochs = options.epochs.value_or(recommended_epochs(data.rows() * kPhiSteps, train.batch));
  step.epochs = train.epochs;
  Progress bar("train", 1, context.clock);
  const Nanoseconds start = context.clock.now();
  METE_TRY(const TrainedModel trained, train_clock_model(
                                           data, train,
                                           [&](double done, double total, const std::string& note) {
                                             bar.update(total > 0 ? done / total : 0, note);
                                           },
                                           &context.interrupt));
  bar.finish();
  step.seconds = to_seconds(context.clock.now() - start);
  step.examples = trained.training.examples;
  step.mean_error = trained.training.mean_error;
  step.guess_error = trained.training.guess_error;
  step.notes.insert(step.notes.end(), trained.notes.begin(), trained.notes.end());
  if (!(step.mean_error < step.guess_error)) {
    step.notes.push_back(
        fmt::format("after {} epochs the model's clocks are no better than a constant guess: train "
                    "longer with --epochs",
                    step.epochs));
  }
  step.path = path_join(options.out, "model.pt");
  METE_TRY_VOID(write_file_atomically(step.path, trained.bytes));
  return step;
}

PointJob job_for(const TuneOptions& options, const StudyPlan& plan, const ArmPlan& arm,
                 std::size_t repeat, std::size_t order) {
  PointJob job;
  job.index = kVerifyIndex + order;
  job.controls = {{std::string(kClockControl), arm.clock}};
  job.command = plan.command;
  job.agent = arm.agent;
  job.policy = arm.policy;
  job.model = arm.model;
  job.signals = plan.signals;
  job.period = plan.period;
  job.energy_signals = plan.energy_signals;
  job.node = plan.node;
  job.profile = fmt::format("{} {}.repeat_{}", plan.app, arm.name, repeat);
  const std::string stem =
      path_join(path_join(options.out, "runs"),
                fmt::format("arm_{}.{}.repeat_{}", arm.name, file_piece(plan.app), repeat));
  job.report_path = stem + ".report";
  job.trace_path = stem + ".trace-" + plan.node;
  return job;
}

Result<PointOutcome> run_one(Engine& engine, const PointJob& job, const Context& context) {
  METE_TRY_VOID(engine.submit(job));
  METE_TRY(const auto outcomes, engine.wait(context.interrupt));
  const PointOutcome& outcome = outcomes.at(0);
  if (outcome.kind == PointOutcome::Kind::interrupted) {
    return fail(Errc::failed,
                "interrupted in the verification runs; the sweep is kept: the same command goes on "
                "from there");
  }
  if (outcome.kind == PointOutcome::Kind::failed) return outcome.error.within(job.profile);
  return outcome;
}

}  // namespace

Result<std::string> clock_spec(const TuneOptions& options, Platform& platform) {
  const auto info = platform.control_info(kClockControl);
  if (!info || !platform.has_signal("GPU_ENERGY")) {
    return fail(Errc::unavailable,
                "this machine has no {}; `mete doctor` says what is missing and the next step, and "
                "`mete tune --board v100 -- BlackScholes` shows tune on a replayed GPU",
                info ? "GPU energy to measure" : "GPU clock to control");
  }
  METE_TRY(const ControlLimits limits, platform.limits({info->name, info->domain, 0}));
  if (limits.supported.size() == 1 || !(limits.max > limits.min)) {
    return fail(Errc::unavailable,
                "this GPU offers one clock only, so there is nothing to tune; `mete doctor` says "
                "what can be controlled");
  }
  if (options.clocks != "auto") return options.clocks;
  if (limits.supported.size() <= kAutoClocks) return std::string("all");
  const std::size_t n = limits.supported.size();
  std::vector<std::string> chosen;
  for (std::size_t i = 0; i < kAutoClocks; ++i) {
    const std::size_t at = (i * (n - 1) + (kAutoClocks - 1) / 2) / (kAutoClocks - 1);
    chosen.push_back(fmt::format("{}", limits.supported[at]));
  }
  return join(chosen, ",");
}

Result<std::vector<SweepDone>> run_sweeps(const TuneOptions& options, const std::string& spec,
                                          const Context& context, std::vector<std::string>& notes) {
  std::vector<SweepDone> out;
  METE_TRY(out.emplace_back(),
           one_sweep(sweep_options(options, spec, "sweep", options.command), context, notes));
  std::set<std::string> folders;
  for (const std::string& text : options.learn_from) {
    const auto words = words_of(text, !options.target.board.empty());
    const std::string folder = "sweep-" + file_piece(app_name(words));
    if (!folders.insert(folder).second) {
      return fail(Errc::invalid, "--learn-from {}: given twice", text);
    }
    METE_TRY(out.emplace_back(),
             one_sweep(sweep_options(options, spec, folder, words), context, notes));
  }
  return out;
}

Result<AgentInfo> check_own_agent(const TuneOptions& options) {
  AgentContext context;
  context.model_path = options.model;
  METE_TRY(const auto agent, make_agent(options.agent, context));
  METE_TRY(const auto named, parse_policy(options.policy, agent->info()));
  METE_TRY_VOID(resolve_policy(named, agent->info()));
  return agent->info();
}

std::string own_policy(const TuneOptions& options, const AgentInfo& info, const Goal& goal,
                       double phi) {
  if (!options.policy.empty()) return options.policy;
  const auto takes = [&](std::string_view name) {
    return std::any_of(info.policy.begin(), info.policy.end(),
                       [&](const PolicyField& field) { return field.name == name; });
  };
  if (!goal.phi && takes("MAX_SLOWDOWN")) {
    return fmt::format("MAX_SLOWDOWN={:g}", goal.max_slowdown);
  }
  return takes("GPU_PHI") ? fmt::format("GPU_PHI={:g}", phi) : std::string();
}

Result<ModelStep> make_model(const TuneOptions& options, const std::vector<SweepDone>& sweeps,
                             const Context& context) {
  ModelStep step;
  METE_TRY(const std::string table, make_table(options, sweeps, context, step.notes));
  if (!options.model.empty()) {
    METE_TRY(const auto model, load_model(options.model));
    step.path = options.model;
    step.given = true;
    return step;
  }
  const auto data = read_training_table(
      table, {.node = sweeps.front().study.manifest.plan.node, .roi_only = true});
  Result<ModelStep> trained =
      data ? train_model(options, *data, context, step) : Result<ModelStep>(data.error());
  if (trained) return trained;
  if (context.interrupt.signal() != 0 || trained.error().code == Errc::internal) {
    return trained.error();
  }
  step.absent = trained.error().what;
  return step;
}

Result<Verification> verify_arms(const TuneOptions& options, const StudyPlan& plan,
                                 const std::vector<ArmPlan>& arms, const Context& context) {
  METE_TRY_VOID(make_directories(path_join(options.out, "runs")));
  Verification out;
  for (const ArmPlan& arm : arms) out.arms.push_back({arm.name, {}, {}});
  LocalEngine engine(point_sites(options.target, context));
  Progress bar("verify", static_cast<double>(arms.size() * options.repeats), context.clock);
  std::size_t order = 0;
  for (std::size_t repeat = 1; repeat <= options.repeats; ++repeat) {
    std::vector<std::size_t> turn(arms.size());
    for (std::size_t i = 0; i < turn.size(); ++i) turn[i] = i;
    Rng(options.target.seed).fork(kVerifyIndex + repeat).shuffle(turn);
    for (const std::size_t i : turn) {
      const PointJob job = job_for(options, plan, arms[i], repeat, ++order);
      METE_TRY(const PointOutcome outcome, run_one(engine, job, context));
      out.arms[i].seconds.push_back(outcome.runtime);
      out.arms[i].joules.push_back(outcome.energy);
      out.source = weakest(out.source, outcome.source);
      out.records.push_back({arms[i].name, repeat, order, outcome.runtime, outcome.energy,
                             job.report_path, job.trace_path});
      for (const std::string& warning : outcome.warnings) {
        if (std::find(out.warnings.begin(), out.warnings.end(), warning) == out.warnings.end()) {
          out.warnings.push_back(warning);
        }
      }
      bar.update(static_cast<double>(order), job.profile);
    }
  }
  bar.finish();
  return out;
}

}  // namespace mete
