// The examples of a training table: every usable row once for every goal, expanded one at a time,
// so that the eleven-fold table of the tutorials is never held in memory.
//
//   row      one sample of a trace: five features
//   example  a row and a phi: six inputs, and the clock that phi would have chosen, in GHz
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/dataset/training_table.h"
#include "mete/learn/model.h"

namespace mete {

class Examples {
 public:
  /// Rows in the region of interest without NaN or infinity, of the applications that `use` marks
  /// (by index) and that have a choice. Borrows `data`.
  Examples(const TrainingData& data, const std::vector<bool>& use);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  /// Fills inputs (kClockModelInputs of them) and returns the target in GHz. index < size().
  float fill(std::size_t index, std::span<float> inputs) const;
  /// The phi (and its clock) of an example.
  [[nodiscard]] const PhiChoice& choice(std::size_t index) const;

  struct Moments {
    std::array<double, kClockModelInputs> mean{};
    std::array<double, kClockModelInputs> variance{};  ///< of the population; 0 for a constant
  };
  /// Over all examples. A spread below a millionth of the mean counts as none.
  [[nodiscard]] Moments moments() const;
  /// Clocks that are asked for, Hz, ascending, each once.
  [[nodiscard]] std::vector<double> targets() const;
  /// The mean target in GHz: what a model that knows nothing should say.
  [[nodiscard]] double mean_target() const;

 private:
  struct Group {
    std::size_t first_example = 0;
    std::size_t first_row = 0;
    std::size_t rows = 0;
    const std::vector<PhiChoice>* choices = nullptr;
  };
  [[nodiscard]] const Group& group_of(std::size_t index) const;

  const TrainingData* data_;
  std::vector<std::uint32_t> rows_;  ///< by application
  std::vector<Group> groups_;
  std::size_t size_ = 0;
};

/// True if all five features of the row are finite.
bool features_are_finite(const TrainingData& data, std::size_t row);

}  // namespace mete
