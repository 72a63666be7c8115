// Trainer: fits the PyTorch tutorial's clock model to a training table.
//
// The network and its defaults are the tutorial's: batch normalisation of the six inputs, three
// hidden layers of six with sigmoids, one linear output (the clock in GHz); mean squared error;
// Adam at 1e-3; shuffled batches of 1000; five epochs. Same seed, same data: same model.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mete/base/interrupt.h"
#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/dataset/training_table.h"
#include "mete/learn/evaluation.h"

namespace mete {

inline constexpr int kMostEpochs = 1'000'000;
inline constexpr int kLargestBatch = 1 << 22;
inline constexpr int kWidestLayer = 4096;

struct TrainOptions {
  std::size_t epochs = 5;
  std::size_t batch = 1000;
  double learning_rate = 1e-3;
  std::vector<std::size_t> hidden = {6, 6, 6};
  std::uint64_t seed = 1;
  std::string leave_app_out;  ///< an app-config, or a part of its name; "" holds nothing out
  std::string source;         ///< the table's file, for errors and provenance
  double wall_seconds = 0;    ///< the date, for provenance
};

struct TrainedModel {
  std::string bytes;                   ///< the .pt file
  Json metadata;                       ///< its mete.json
  std::vector<double> epoch_errors;    ///< root mean square over each epoch's batches, Hz
  Evaluation training;                 ///< on the examples it was trained on
  std::optional<Evaluation> held_out;  ///< on the application left out
  std::vector<std::string> trained_apps;
  std::vector<std::string> held_out_apps;
  std::size_t rows = 0;            ///< usable rows trained on
  std::size_t rows_left_out = 0;   ///< rows with a missing value, or without a choice
  std::vector<std::string> notes;  ///< what the user should know, one line each
};

/// Examples done, examples in all, and what goes on ("epoch 3 of 5, error 41 MHz").
using TrainProgress = std::function<void(double done, double total, const std::string& note)>;

/// Errors: invalid for options out of range and for data from which nothing can be learned (no
/// rows, a feature without values, one clock only, an unknown application: the error lists them);
/// unavailable without the torch plugin; failed when interrupted.
Result<TrainedModel> train_clock_model(const TrainingData& data, const TrainOptions& options,
                                       const TrainProgress& progress = {},
                                       const Interrupt* interrupt = nullptr);

/// Epochs that give Adam at its default rate enough steps to settle: the tutorial's five are made
/// for millions of examples, and a short sweep has thousands. At least 5.
std::size_t recommended_epochs(std::size_t examples, std::size_t batch);

}  // namespace mete
