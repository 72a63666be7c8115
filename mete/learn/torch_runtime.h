// The seam between mete and libtorch. libtorch costs 0.3 s and 150 MB at start, so it lives in a
// plugin, lib/mete_torch.so, which only those verbs open that need it (docs/adr/0002). The plugin
// is built by the same compiler from the same sources; a version check refuses any other.
//
// Nothing below throws; everything runs on the calling thread. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// Counts up whenever anything in this header changes.
inline constexpr int kTorchPluginAbi = 1;

/// A TorchScript module, ready to predict.
class TorchModule {
 public:
  virtual ~TorchModule() = default;
  /// The text of the file's `mete.json`; "" for a model that others wrote.
  [[nodiscard]] virtual const std::string& metadata() const = 0;
  /// What the module gives for `rows` rows of `inputs` ones: the shape of its output, or why it
  /// refuses.
  virtual Result<std::vector<std::int64_t>> output_shape(std::size_t rows, std::size_t inputs) = 0;
  /// One number per row. All NaN if the module fails. `inputs` × out.size() == rows.size().
  virtual void predict(std::span<const double> rows, std::size_t inputs,
                       std::span<double> out) noexcept = 0;
};

/// A network of: batch normalisation of the inputs → for each hidden width a linear layer and a
/// sigmoid → one linear output.
struct NetworkSpec {
  std::size_t inputs = 0;
  std::vector<std::size_t> hidden;
  double learning_rate = 0;
  std::uint64_t seed = 0;
  /// Per input, over the whole training set: what the finished model scales by. A variance of 0
  /// marks an input that never varied; the model then ignores it.
  std::vector<double> mean;
  std::vector<double> variance;
};

/// Fits the network to mini-batches that the caller makes.
class TorchTraining {
 public:
  virtual ~TorchTraining() = default;
  /// One step of Adam on the mean squared error, which is returned as it was before the step.
  /// At least two rows, row-major; one target per row.
  virtual Result<double> step(std::span<const float> rows, std::span<const float> targets) = 0;
  /// What the model would say now, scaled by the spec's mean and variance.
  virtual Result<void> predict(std::span<const float> rows, std::span<float> out) = 0;
  /// The bytes of a TorchScript file with `metadata` in it as `extra/mete.json`.
  virtual Result<std::string> save(const std::string& metadata) = 0;
};

class TorchRuntime {
 public:
  virtual ~TorchRuntime() = default;
  /// "1.13.0".
  [[nodiscard]] virtual std::string version() const = 0;
  virtual Result<std::unique_ptr<TorchModule>> load(const std::string& path) = 0;
  virtual Result<std::unique_ptr<TorchTraining>> train(const NetworkSpec& spec) = 0;
};

/// The plugin's one function: nullptr if it was built for another ABI or another mete.
inline constexpr const char* kTorchPluginSymbol = "mete_torch_runtime";

/// Opens the plugin, looked for in $METE_PLUGIN_DIR, then beside the program (../lib, ../lib/mete,
/// and the library folders of Debian). It stays open until the process ends. `unavailable`, with
/// the next step, where there is none. Call it before other threads are started: for the moment of
/// loading it tells OpenBLAS through the environment to start no threads of its own.
Result<TorchRuntime*> open_torch_runtime();
/// Where it would be looked for, in order.
std::vector<std::string> torch_plugin_paths();

}  // namespace mete
