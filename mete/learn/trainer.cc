// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "mete/base/clock.h"
#include "mete/base/rng.h"
#include "mete/base/text.h"
#include "mete/learn/clock_model.h"
#include "mete/learn/shuffle.h"
#include "mete/learn/torch_runtime.h"

namespace mete {
namespace {

constexpr double kGiga = 1e9;
/// Fewer usable rows than this are no sweep but a mistake.
constexpr std::size_t kFewestRows = 10;
constexpr std::size_t kFewestSteps = 2000;
/// Steps of Adam at 1e-3 after which the tutorial's network no longer improves on sweeps of the
/// built-in boards.
constexpr std::size_t kEnoughSteps = 8000;
constexpr std::size_t kMostLayers = 16;

Result<void> check_options(const TrainOptions& o) {
  if (o.epochs < 1 || o.epochs > kMostEpochs) {
    return fail(Errc::invalid, "--epochs {}: expected 1 to {}", o.epochs, kMostEpochs);
  }
  if (o.batch < 2 || o.batch > kLargestBatch) {
    return fail(Errc::invalid, "--batch {}: expected 2 to {} examples", o.batch, kLargestBatch);
  }
  if (!(o.learning_rate > 0) || o.learning_rate > 1) {
    return fail(Errc::invalid, "--learning-rate {}: expected more than 0 and at most 1",
                o.learning_rate);
  }
  if (o.hidden.empty() || o.hidden.size() > kMostLayers) {
    return fail(Errc::invalid, "--hidden: expected 1 to {} layers, got {}", kMostLayers,
                o.hidden.size());
  }
  for (const auto width : o.hidden) {
    if (width >= 1 && width <= kWidestLayer) continue;
    return fail(Errc::invalid, "--hidden: a layer of {}: expected 1 to {}", width, kWidestLayer);
  }
  return {};
}

/// What is trained on and what is held out, by application.
struct Selection {
  std::vector<bool> train;
  std::vector<bool> held_out;
};

Result<Selection> select_apps(const TrainingData& data, const TrainOptions& options) {
  const std::size_t apps = data.app_configs.size();
  Selection selection{std::vector<bool>(apps, true), std::vector<bool>(apps, false)};
  const std::string& wanted = options.leave_app_out;
  if (wanted.empty()) return selection;
  const auto& names = data.app_configs;
  const bool exact = std::find(names.begin(), names.end(), wanted) != names.end();
  bool any = false;
  for (std::size_t i = 0; i < apps; ++i) {
    const bool leave = exact ? names[i] == wanted : names[i].find(wanted) != std::string::npos;
    selection.held_out[i] = leave;
    selection.train[i] = !leave;
    any = any || leave;
  }
  const auto list = join(names, ", ");
  if (!any) {
    return fail(Errc::invalid, "--leave-app-out {}: no such application in {}; there are: {}",
                wanted, options.source, list);
  }
  if (std::find(selection.train.begin(), selection.train.end(), true) == selection.train.end()) {
    return fail(Errc::invalid,
                "--leave-app-out {}: leaves nothing to train on: every application matches ({})",
                wanted, list);
  }
  return selection;
}

/// The reason why no example was left, in the words of the data.
Error nothing_usable(const TrainingData& data, const TrainOptions& options, std::size_t rows) {
  if (data.rows() == 0) {
    return fail(Errc::invalid,
                "{}: has no rows in a region of interest: was a {} active during the sweep?",
                options.source, data.kind->noun);
  }
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    const auto& column = data.features[i];
    if (std::any_of(column.begin(), column.end(), [](double v) { return std::isfinite(v); })) {
      continue;
    }
    const auto& name = data.feature_columns[i];
    return fail(Errc::invalid, "{}: no row has a value in column {}: sweep again with {} sampled",
                options.source, name.empty() ? data.kind->features[i] : name,
                data.kind->features[i]);
  }
  const bool choices = std::any_of(data.choices.begin(), data.choices.end(),
                                   [](const auto& c) { return !c.empty(); });
  if (!choices) {
    return fail(Errc::invalid,
                "{}: no application has a clock to choose: `mete process` says why when it writes "
                "the table",
                options.source);
  }
  return fail(
      Errc::invalid,
      "{}: only {} rows to train on have all five values and a clock to choose: expected at "
      "least {}; sweep longer, or with a shorter period",
      options.source, rows, kFewestRows);
}

Result<void> check_targets(const Examples& examples, const TrainOptions& options) {
  const auto targets = examples.targets();
  if (targets.size() > 1) return {};
  return fail(
      Errc::invalid,
      "{}: all rows want the same clock, {}: nothing to learn; sweep more clocks, or run with "
      "the agent `fixed` at this one",
      options.source, format_quantity(targets.front(), "Hz", 4));
}

/// Every clock that was swept or chosen, Hz, ascending.
std::vector<double> all_clocks(const TrainingData& data) {
  auto clocks = data.asked_clock;
  for (const auto& choices : data.choices) {
    for (const auto& choice : choices) clocks.push_back(choice.frequency);
  }
  std::erase_if(clocks, [](double clock) { return !std::isfinite(clock); });
  std::sort(clocks.begin(), clocks.end());
  clocks.erase(std::unique(clocks.begin(), clocks.end()), clocks.end());
  return clocks;
}

/// Counts examples for the progress line and watches for an interrupt.
class Pace {
 public:
  Pace(double total, const TrainProgress& report, const Interrupt* interrupt)
      : total_(total), report_(report), interrupt_(interrupt) {}
  /// False once asked to stop.
  bool advance(std::size_t examples, const std::string& note) {
    done_ += static_cast<double>(examples);
    if (report_) report_(done_, total_, note);
    return interrupt_ == nullptr || interrupt_->signal() == 0;
  }

 private:
  double total_;
  double done_ = 0;
  const TrainProgress& report_;
  const Interrupt* interrupt_;
};

/// One pass over all examples in the order of `shuffle`; the root mean square error in Hz.
Result<double> run_epoch(TorchTraining& training, const Examples& examples, const Shuffle& shuffle,
                         std::size_t batch, const Tick& tick) {
  std::vector<float> inputs(batch * kClockModelInputs);
  std::vector<float> targets(batch);
  double squares = 0;
  std::size_t seen = 0;
  for (std::size_t first = 0; first < examples.size(); first += batch) {
    const std::size_t n = std::min(batch, examples.size() - first);
    if (n < 2) break;  // batch normalisation needs a spread
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = std::span(inputs).subspan(i * kClockModelInputs, kClockModelInputs);
      targets[i] = examples.fill(shuffle(first + i), row);
    }
    METE_TRY(const double loss, training.step(std::span(inputs).first(n * kClockModelInputs),
                                              std::span(targets).first(n)));
    squares += loss * static_cast<double>(n);
    seen += n;
    if (!tick(n)) return fail(Errc::failed, "interrupted; nothing was written");
  }
  const double error = std::sqrt(squares / static_cast<double>(std::max<std::size_t>(seen, 1)));
  if (!std::isfinite(error)) {
    return fail(Errc::failed, "the error grew without bound: try a smaller --learning-rate");
  }
  return error * kGiga;
}

Json features_json(const TrainingData& data, const Examples::Moments& moments) {
  Json features = Json::array();
  for (std::size_t i = 0; i < kClockModelInputs; ++i) {
    const auto& feature = clock_model_features(data.kind->domain)[i];
    Json entry = Json::object({{"name", feature.name},
                               {"unit", feature.unit},
                               {"mean", moments.mean[i]},
                               {"standard_deviation", std::sqrt(moments.variance[i])}});
    if (i < kFeatureCount) entry.set("column", data.feature_columns[i]);
    features.push(std::move(entry));
  }
  return features;
}

struct Fit {
  const TrainingData& data;
  const TrainOptions& options;
  const Examples& train;
  const Examples::Moments& moments;
  const std::vector<double>& clocks;
  std::string torch_version;
};

Json make_metadata(const TrainedModel& model, const Fit& fit) {
  const auto& o = fit.options;
  Json hidden = Json::array();
  for (const auto width : o.hidden) hidden.push(width);
  double phi_low = 1;
  double phi_high = 0;
  for (const auto& choices : fit.data.choices) {
    for (const auto& choice : choices) {
      phi_low = std::min(phi_low, choice.phi);
      phi_high = std::max(phi_high, choice.phi);
    }
  }
  return Json::object(
      {{"format", kModelFormat},
       {"format_version", kModelFormatVersion},
       {"features", features_json(fit.data, fit.moments)},
       {"output", Json::object({{"name", "clock"}, {"unit", "GHz"}})},
       {"clocks_hz", Json::array_of(fit.clocks)},
       {"phi_range", Json::array_of(std::vector<double>{phi_low, phi_high})},
       {"training", Json::object({{"source", o.source},
                                  {"node", fit.data.node},
                                  {"rows", fit.train.rows()},
                                  {"examples", fit.train.size()},
                                  {"applications", Json::array_of(model.trained_apps)},
                                  {"epochs", o.epochs},
                                  {"batch", o.batch},
                                  {"learning_rate", o.learning_rate},
                                  {"hidden", std::move(hidden)},
                                  {"loss", "mean squared error"},
                                  {"optimiser", "Adam"},
                                  {"seed", static_cast<std::int64_t>(o.seed)},
                                  {"epoch_errors_hz", Json::array_of(model.epoch_errors)}})},
       {"error_on_training_data", model.training.to_json()},
       {"held_out_applications", Json::array_of(model.held_out_apps)},
       {"error_on_held_out", model.held_out ? model.held_out->to_json() : Json()},
       {"mete_version", METE_VERSION},
       {"libtorch_version", fit.torch_version},
       {"date", format_wall_time(o.wall_seconds)}});
}

void add_notes(TrainedModel& model, const Fit& fit, std::size_t batch) {
  const auto& o = fit.options;
  if (batch < o.batch) {
    model.notes.push_back(fmt::format("there are only {} examples: batches of {} instead of {}",
                                      fit.train.size(), batch, o.batch));
  }
  const std::size_t steps = o.epochs * ((fit.train.size() + batch - 1) / batch);
  if (steps < kFewestSteps) {
    model.notes.push_back(fmt::format(
        "{} epochs over {} examples are {} steps, too few to settle: try --epochs {}", o.epochs,
        fit.train.size(), steps, recommended_epochs(fit.train.size(), batch)));
  }
  for (std::size_t i = 0; i < kClockModelInputs; ++i) {
    if (fit.moments.variance[i] > 0) continue;
    model.notes.push_back(fmt::format("{} never varies in the training data: the model ignores it",
                                      clock_model_features(fit.data.kind->domain)[i].name));
  }
  const auto& judged = model.held_out ? *model.held_out : model.training;
  if (judged.mean_error >= judged.guess_error) {
    model.notes.push_back(
        "the model is no better than always choosing one clock: more epochs, or a longer sweep");
  }
}

void list_apps(const TrainingData& data, const Selection& selection, TrainedModel& model) {
  for (std::size_t i = 0; i < data.app_configs.size(); ++i) {
    (selection.held_out[i] ? model.held_out_apps : model.trained_apps)
        .push_back(data.app_configs[i]);
  }
}

NetworkSpec network_spec(const TrainOptions& options, const Examples::Moments& moments) {
  return {.inputs = kClockModelInputs,
          .hidden = options.hidden,
          .learning_rate = options.learning_rate,
          .seed = options.seed,
          .mean = {moments.mean.begin(), moments.mean.end()},
          .variance = {moments.variance.begin(), moments.variance.end()}};
}

}  // namespace

std::size_t recommended_epochs(std::size_t examples, std::size_t batch) {
  const std::size_t steps = std::max<std::size_t>(examples / std::max<std::size_t>(batch, 1), 1);
  return std::max<std::size_t>(5, (kEnoughSteps + steps - 1) / steps);
}

Result<TrainedModel> train_clock_model(const TrainingData& data, const TrainOptions& options,
                                       const TrainProgress& progress, const Interrupt* interrupt) {
  METE_TRY_VOID(check_options(options));
  METE_TRY(const auto selection, select_apps(data, options));
  const Examples train(data, selection.train);
  if (train.rows() < kFewestRows) return nothing_usable(data, options, train.rows());
  METE_TRY_VOID(check_targets(train, options));
  const Examples held_out(data, selection.held_out);
  if (!options.leave_app_out.empty() && held_out.size() == 0) {
    return fail(Errc::invalid,
                "--leave-app-out {}: has no row with all five values and a clock to choose: hold "
                "out another",
                options.leave_app_out);
  }

  METE_TRY(auto* runtime, open_torch_runtime());
  const auto moments = train.moments();
  METE_TRY(auto training, runtime->train(network_spec(options, moments)));

  TrainedModel model;
  list_apps(data, selection, model);
  model.rows = train.rows();
  model.rows_left_out = data.rows() - train.rows() - held_out.rows();
  const std::size_t batch = std::min(options.batch, train.size());
  const auto total = static_cast<double>((options.epochs + 1) * train.size() + held_out.size());
  Pace pace(total, progress, interrupt);
  const Rng orders = Rng(options.seed).fork(1);
  std::string note = fmt::format("epoch 1 of {}", options.epochs);
  for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
    const Shuffle shuffle(train.size(), orders.fork(epoch));
    METE_TRY(const double error, run_epoch(*training, train, shuffle, batch,
                                           [&](std::size_t n) { return pace.advance(n, note); }));
    model.epoch_errors.push_back(error);
    note = fmt::format("epoch {} of {}, error {}", std::min(epoch + 2, options.epochs),
                       options.epochs, format_quantity(error, "Hz"));
  }

  const Predictor predict = [&](std::span<const float> rows, std::span<float> out) {
    return training->predict(rows, out);
  };
  const auto tick = [&](std::size_t n) { return pace.advance(n, "judging the model"); };
  const auto clocks = all_clocks(data);
  const double guess = train.mean_target();
  METE_TRY(model.training, evaluate(train, predict, clocks, guess, tick));
  if (held_out.size() > 0) {
    METE_TRY(model.held_out, evaluate(held_out, predict, clocks, guess, tick));
  }
  const Fit fit{data, options, train, moments, clocks, runtime->version()};
  add_notes(model, fit, batch);
  model.metadata = make_metadata(model, fit);
  METE_TRY(model.bytes, training->save(model.metadata.dump()));
  return model;
}

}  // namespace mete
