// How far a clock model is from the clocks it should have chosen.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/learn/examples.h"

namespace mete {

struct Evaluation {
  std::size_t examples = 0;
  double mean_error = 0;     ///< mean absolute error, Hz
  double within_a_step = 0;  ///< share whose nearest clock is the right one or a neighbour of it
  /// Share that equals the right clock after rounding both to 0.1 GHz: the PyTorch tutorial's
  /// score, counted over all examples (the tutorial counts its last batch only).
  double rounded_equal = 0;
  /// The mean absolute error of a model that always says `guess`: what any model must beat.
  double guess_error = 0;

  [[nodiscard]] Json to_json() const;
};

/// Fills one output in GHz per row.
using Predictor = std::function<Result<void>(std::span<const float> rows, std::span<float> out)>;
/// Told how many more examples are done; false asks to stop.
using Tick = std::function<bool(std::size_t examples)>;

/// `clocks` are the clocks that can be chosen, Hz, ascending, at least one. `guess` in GHz.
Result<Evaluation> evaluate(const Examples& examples, const Predictor& predict,
                            const std::vector<double>& clocks, double guess, const Tick& tick = {});

}  // namespace mete
