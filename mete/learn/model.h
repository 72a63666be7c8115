// Model: rows of features in, rows of outputs out, whatever library computes it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"

namespace mete {

/// The tutorial's six inputs, in its order: core frequency (Hz), power (W), utilisation, core
/// activity, memory activity, phi. The output is a frequency in GHz.
inline constexpr std::size_t kClockModelInputs = 6;

class Model {
 public:
  virtual ~Model() = default;
  /// What is known of it: inputs, clocks, scaling, provenance; null for a model that others wrote.
  virtual const Json& metadata() const = 0;
  [[nodiscard]] virtual std::size_t inputs() const = 0;
  /// `rows` is rows × inputs, row-major, SI units; fills one output per row, NaN if the model
  /// cannot say. No exception leaves it. Warm: the first calls at start-up may be slow, later ones
  /// allocate only inside the library.
  virtual void predict(std::span<const double> rows, std::span<double> out) noexcept = 0;
};

/// Opens a TorchScript file. Checks with trial rows that it takes six inputs and gives one output;
/// the error says what it takes instead. Needs the torch plugin: unavailable, with the next step,
/// where it is not installed.
Result<std::unique_ptr<Model>> load_model(const std::string& path);

}  // namespace mete
