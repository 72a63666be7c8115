// A clock model in a few lines of arithmetic: for tests of agents that need one, without libtorch.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>

#include "mete/learn/model.h"

namespace mete::test {

class FakeModel final : public Model {
 public:
  /// One row of six in, a clock in GHz out.
  using Rule = std::function<double(std::span<const double>)>;
  explicit FakeModel(Rule rule) : rule_(std::move(rule)) {}
  const Json& metadata() const override { return metadata_; }
  std::size_t inputs() const override { return kClockModelInputs; }
  void predict(std::span<const double> rows, std::span<double> out) noexcept override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = rule_(rows.subspan(i * kClockModelInputs, kClockModelInputs));
    }
  }

 private:
  Rule rule_;
  Json metadata_;
};

/// Memory-bound work at a lower clock, the more so the higher phi: plausible, and it moves.
inline double plausible_clock(std::span<const double> row) {
  return 1.5 - row[5] * (0.2 + row[4]) + 0.1 * row[3];
}

}  // namespace mete::test
