// mete evaluate: how good an agent's choices are, on measurements it has never seen, beside the
// best clock that was measured. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/evaluate_report.h"
#include "mete/cli/evaluate_work.h"
#include "mete/cli/options.h"
#include "mete/cli/tune_choice.h"
#include "mete/learn/response_model.h"

namespace mete {
namespace {

constexpr std::string_view kProgressSignal = "BOARD_KERNELS_COMPLETED";
constexpr std::size_t kMostGoals = 101;
constexpr int kMostRepeats = 1000;
constexpr std::size_t kRealisticRepeats = 20;

struct Options {
  std::string board;
  std::string train;
  std::string test;
  std::string agent = "frontier";
  std::string policy;
  std::string model;
  std::string save_model;
  std::string phi;
  std::string max_slowdown;
  std::string sensor = "exact";
  std::string board_options;
  std::string progress = "auto";
  std::string program;
  std::vector<std::string> hidden;
  std::optional<std::size_t> repeats;
  std::uint64_t seed = 1;
  bool json = false;
};

/// "0.5", "0,0.5,1" or "0:1:0.1" (both ends included).
Result<std::vector<double>> parse_phis(const std::string& text) {
  const auto bad = fail(
      Errc::invalid, "--phi {}: expected values from 0 to 1, as in 0.5, 0,0.5,1 or 0:1:0.1", text);
  std::vector<double> out;
  const auto range = split(text, ':');
  if (range.size() == 3) {
    const auto first = parse_double(trim(range[0]));
    const auto last = parse_double(trim(range[1]));
    const auto step = parse_double(trim(range[2]));
    if (!first || !last || !step || !(*step > 0) || !(*first <= *last)) return bad;
    const double count = std::floor((*last - *first) / *step + 1e-6) + 1;
    if (!(count <= static_cast<double>(kMostGoals))) return bad;
    for (double i = 0; i < count; ++i) out.push_back(std::min(*last, *first + i * *step));
  } else if (range.size() == 1) {
    for (const auto word : split(text, ',')) {
      const auto value = parse_double(trim(word));
      if (!value) return bad;
      out.push_back(*value);
    }
  }
  if (out.empty() || out.size() > kMostGoals) return bad;
  for (const double phi : out) {
    if (!(phi >= 0 && phi <= 1)) return bad;
  }
  return out;
}

Result<std::vector<EvaluationGoal>> goals_of(const Options& options) {
  if (options.phi.empty() == options.max_slowdown.empty()) {
    return fail(Errc::invalid,
                "give --phi (as in 0:1:0.1) or --max-slowdown (as in 10%), one of them");
  }
  std::vector<EvaluationGoal> goals;
  if (!options.max_slowdown.empty()) {
    METE_TRY(const double bound, parse_slowdown(options.max_slowdown));
    goals.push_back({.phi = {}, .max_slowdown = bound});
    return goals;
  }
  METE_TRY(const auto phis, parse_phis(options.phi));
  for (const double phi : phis) goals.push_back({.phi = phi});
  return goals;
}

bool has_activity(const Board& board) {
  for (const bool has : board.has_activity) {
    if (has) return true;
  }
  return false;
}

Result<bool> shows_progress(const Options& options, const Board& board) {
  if (options.progress == "auto") return !has_activity(board);
  if (options.progress == "yes" || options.progress == "no") return options.progress == "yes";
  return fail(Errc::invalid, "--progress {}: expected auto, yes or no", options.progress);
}

Result<MachineOptions> machine_of(const Options& options) {
  if (options.sensor != "exact" && options.sensor != "realistic") {
    return fail(Errc::invalid, "--sensor {}: expected exact or realistic", options.sensor);
  }
  std::string text = options.sensor == "exact" ? "exact" : "";
  if (!options.board_options.empty()) text += (text.empty() ? "" : ",") + options.board_options;
  return parse_machine_options(text);
}

std::size_t repeats_of(const Options& options) {
  return options.repeats.value_or(options.sensor == "exact" ? 1 : kRealisticRepeats);
}

Result<EvaluatePlan> plan_of(const Options& options, const EvaluationData& data) {
  EvaluatePlan plan;
  plan.agent = options.agent;
  plan.policy = options.policy;
  plan.context.model_path = options.model;
  if (options.model.empty()) {
    auto model = ResponseModel::learn(response_data(data.train, options.train));
    // Who does not use it is not held up by rows that teach nothing.
    if (!model && (options.agent == "frontier" || !options.save_model.empty())) {
      return model.error();
    }
    if (model) plan.context.response = std::make_shared<const ResponseModel>(std::move(*model));
  }
  METE_TRY(plan.goals, goals_of(options));
  plan.repeats = repeats_of(options);
  METE_TRY(plan.trial.machine, machine_of(options));
  plan.trial.hidden = options.hidden;
  METE_TRY(const bool progress, shows_progress(options, data.test));
  if (!progress) plan.trial.hidden.emplace_back(kProgressSignal);
  plan.trial.seed = options.seed;
  return plan;
}

EvaluateHeading heading_of(const Options& options, const EvaluationData& data,
                           const EvaluatePlan& plan) {
  return {.board = data.test.name,
          .agent = plan.agent,
          .train = options.train,
          .test = options.test,
          .sensor = options.sensor,
          .hidden = plan.trial.hidden,
          .repeats = plan.repeats,
          .goals = plan.goals,
          .train_kernels = data.train.kernels.size(),
          .test_kernels = data.test.kernels.size()};
}

Result<ExitCode> run(const Options& options, const Context& context) {
  METE_TRY_VOID(goals_of(options));
  if (!options.model.empty() && !options.save_model.empty()) {
    return fail(Errc::invalid,
                "--save-model keeps what was learned, and --model says not to learn");
  }
  METE_TRY_VOID(check_outputs({options.board}, {options.save_model}));
  METE_TRY(const EvaluationData data,
           load_evaluation_data(options.board, options.train, options.test));
  METE_TRY(const EvaluatePlan plan, plan_of(options, data));
  if (!options.save_model.empty()) {
    METE_TRY_VOID(write_file_atomically(options.save_model,
                                        plan.context.response->to_json().dump(-1) + "\n"));
  }
  const EvaluateHeading heading = heading_of(options, data, plan);
  if (!options.model.empty()) {
    say(fmt::format(
        "note: {} was learned elsewhere: whether it has seen the tested rows is not known "
        "here, and --train serves the baselines only",
        options.model));
  }
  if (!options.program.empty()) {
    if (plan.goals.size() != 1) {
      return fail(Errc::invalid, "--program runs for one goal: give one --phi");
    }
    METE_TRY(const auto arms, evaluate_program(data.test, options.program, plan));
    fmt::print("{}", options.json ? program_json(heading, options.program, arms).dump() + "\n"
                                  : program_text(heading, options.program, arms));
    return 0;
  }
  METE_TRY(const EvaluationResult result, evaluate_agent(data, plan, context));
  fmt::print("{}", options.json ? evaluation_json(heading, result).dump() + "\n"
                                : evaluation_text(heading, result));
  return 0;
}

}  // namespace

Runner add_evaluate(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("BOARD", options->board, "The board: v100, jetson-agx, or a CSV file")->required();
  app.add_option("--train", options->train,
                 "Rows to learn from: set=NAME, kernel=NAME (* stands for any text), all; "
                 "BOARD:set=NAME takes them from another board")
      ->required();
  app.add_option("--test", options->test, "Rows to be tested on; none of them is learned from")
      ->required();
  app.add_option("--agent", options->agent, "`mete list agents` shows them")->capture_default_str();
  app.add_option("--policy", options->policy, "The agent's other policy values");
  app.add_option("--model", options->model,
                 "The agent's model; frontier learns one from --train if none is given");
  app.add_option("--save-model", options->save_model,
                 "Write what was learned from --train, for `mete run --agent frontier --model`");
  app.add_option("--phi", options->phi,
                 "0 (fastest) to 1 (least energy): one, a list, or first:last:step as in 0:1:0.1");
  app.add_option("--max-slowdown", options->max_slowdown,
                 "The least energy that is at most this much slower: 10%");
  app.add_option("--sensor", options->sensor,
                 "exact, or realistic: lag, noise, quantisation, switch latency and run-to-run "
                 "variation")
      ->capture_default_str();
  app.add_option("--repeats", options->repeats, "Runs of every case; 1 if exact, 20 if realistic")
      ->range(1, kMostRepeats);
  app.add_option("--board-option", options->board_options,
                 "k=v,k=v of " + describe_machine_options());
  app.add_option("--progress", options->progress,
                 "Whether the agent sees how much work was done, as of a program that reports its "
                 "progress: yes, no, or auto (on boards without activity signals)")
      ->capture_default_str();
  app.add_option("--hide", options->hidden,
                 "Signals that the agent shall not see, as on a device that lacks them")
      ->delimiter(',');
  app.add_option("--program", options->program,
                 "Run this program of test kernels instead, beside every fixed clock");
  app.add_option("--seed", options->seed, "Same seed, same answer")->capture_default_str();
  app.add_flag("--json", options->json, "Tell the result as JSON");
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
