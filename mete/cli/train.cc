// mete train: a training table into a clock model, with the error it makes on what it has not seen.
// SPDX-License-Identifier: BSD-3-Clause
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/outputs.h"
#include "mete/base/progress.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/learn/trainer.h"

namespace mete {
namespace {

struct Options {
  std::string input;
  std::string output;
  std::string node;
  TrainOptions train;
  bool json = false;
};

/// Told before the work, not after it.
Result<void> check_output(const std::string& path) {
  if (is_directory(path)) return fail(Errc::invalid, "{}: is a folder; name the model file", path);
  const auto folder = dir_name(path);
  if (!is_directory(folder)) {
    return fail(Errc::invalid, "{}: no such folder for the model; make it first", folder);
  }
  if (::access(folder.c_str(), W_OK) != 0) {
    return fail(errc_of_errno(errno), "{}: cannot write the model here: {}", folder,
                errno_text(errno));
  }
  return {};
}

std::string describe(const Evaluation& e) {
  return fmt::format(
      "mean error {}; {} within one clock step; {} equal to 0.1 GHz; always one clock would err by "
      "{}",
      format_quantity(e.mean_error, "Hz"), format_percent(e.within_a_step),
      format_percent(e.rounded_equal), format_quantity(e.guess_error, "Hz"));
}

constexpr std::size_t kEpochLines = 10;

void print_epochs(const std::vector<double>& errors) {
  // The first, the last and some between: an epoch a line for the tutorial's five, not for 500.
  const std::size_t stride = (errors.size() + kEpochLines - 1) / kEpochLines;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (i % stride != 0 && i + 1 != errors.size()) continue;
    fmt::print("epoch {:>4}  training error {} (root mean square)\n", i + 1,
               format_quantity(errors[i], "Hz"));
  }
}

void print_result(const Options& options, const TrainedModel& model) {
  fmt::print("{}: {} rows ({} examples) of {} applications", options.input, model.rows,
             model.training.examples, model.trained_apps.size());
  if (model.rows_left_out > 0) {
    fmt::print("; {} rows left out: a value or the choice of a clock is missing",
               model.rows_left_out);
  }
  fmt::print("\n");
  print_epochs(model.epoch_errors);
  fmt::print("on its training data: {}\n", describe(model.training));
  if (model.held_out) {
    fmt::print("on {}, held out: {}\n", join(model.held_out_apps, ", "), describe(*model.held_out));
  } else {
    fmt::print(
        "That is the error on data it was trained on; --leave-app-out NAME tells how it does on an "
        "application it has not seen ({})\n",
        join(model.trained_apps, ", "));
  }
  for (const auto& note : model.notes) fmt::print("note: {}\n", note);
  fmt::print("wrote {}; run with `mete run --agent torch --model {} ..`\n", options.output,
             options.output);
}

void print_json(const Options& options, const TrainedModel& model) {
  Json json = Json::object({{"model", options.output}});
  for (const auto& [key, value] : model.metadata.members()) json.set(key, value);
  json.set("rows_left_out", model.rows_left_out);
  json.set("notes", Json::array_of(model.notes));
  fmt::print("{}\n", json.dump());
}

Result<ExitCode> run(Options options, const Context& context) {
  METE_TRY_VOID(check_output(options.output));
  METE_TRY_VOID(check_outputs({options.input}, {options.output}));
  METE_TRY(const auto data, read_training_table(options.input, {.node = options.node}));
  options.train.source = options.input;
  options.train.wall_seconds = context.clock.wall_seconds();

  std::unique_ptr<Progress> progress;
  const TrainProgress report = [&](double done, double total, const std::string& note) {
    if (!progress) progress = std::make_unique<Progress>("training", total, context.clock);
    progress->update(done, note);
  };
  const auto model = train_clock_model(data, options.train, report, &context.interrupt);
  if (progress) progress->finish();
  if (!model) return model.error();

  METE_TRY_VOID(write_file_atomically(options.output, model->bytes));
  if (options.json) {
    print_json(options, *model);
  } else {
    print_result(options, *model);
  }
  return 0;
}

}  // namespace

Runner add_train(OptionSet& app) {
  auto options = std::make_shared<Options>();
  auto& train = options->train;
  app.add_option("table", options->input, "The training table that `mete process` wrote")
      ->required();
  app.add_option("-o,--output", options->output, "The model to write, in TorchScript")->required();
  app.add_option("--node", options->node, "Which node's table, if the file holds several");
  app.add_option("--leave-app-out", train.leave_app_out,
                 "Hold this application out and tell the error on it: an app-config, or a part of "
                 "its name");
  app.add_option("--epochs", train.epochs, "Passes over the data")
      ->range(1, kMostEpochs)
      ->capture_default_str();
  app.add_option("--batch", train.batch, "Examples per step")
      ->range(2, kLargestBatch)
      ->capture_default_str();
  app.add_option("--learning-rate", train.learning_rate, "Adam's")->capture_default_str();
  app.add_option("--hidden", train.hidden, "Widths of the hidden layers: 6,6,6")
      ->range(1, kWidestLayer)
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--seed", train.seed, "Same seed, same data: same model")->capture_default_str();
  app.add_flag("--json", options->json, "Tell the result as JSON");
  return [options](const Context& context) { return run(*options, context); };
}

}  // namespace mete
