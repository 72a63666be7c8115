// A feed-forward network and the frequency map that goes with it, in GEOPM's JSON forms: what the
// agent ffnet decides by (docs/agents/ffnet.md). Plain arithmetic, no torch.
//
//   network         inputs → { b + W x, then the logistic function } → b + W x: one logit a region
//   frequency map   region → its clocks for phi = 0 .. 1, in Hz
//
// Source of both forms: GEOPM 3.1, DomainNetMap.cpp and RegionHintRecommender.cpp.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// GEOPM reads networks of less than 1 MiB; maps are held to the same.
inline constexpr std::size_t kFfnetReadLimit = (std::size_t{1} << 20U) - 1;

/// Fed to the network as (change of the one since the last step) / (change of the other).
struct DeltaInput {
  std::string numerator;
  std::string denominator;
};

struct DenseLayer {
  std::size_t rows = 0;         ///< outputs
  std::size_t cols = 0;         ///< inputs
  std::vector<double> weights;  ///< rows × cols, row-major
  std::vector<double> bias;     ///< [rows]
};

class FeedForwardNet {
 public:
  /// `where` (a file's name) begins every error; all of them are `invalid` and say which part of
  /// the file is wrong and what was expected. Refused: anything that GEOPM refuses (keys of other
  /// names, no layers, no inputs, sizes that do not match, weights that are not numbers), and
  /// names that are empty, given twice, or would break a trace's header.
  static Result<FeedForwardNet> parse(std::string_view text, std::string_view where);
  static Result<FeedForwardNet> load(const std::string& path);

  [[nodiscard]] const std::vector<std::string>& signal_inputs() const { return signals_; }
  [[nodiscard]] const std::vector<DeltaInput>& delta_inputs() const { return deltas_; }
  /// What the outputs are called: the regions of the frequency map.
  [[nodiscard]] const std::vector<std::string>& outputs() const { return outputs_; }
  [[nodiscard]] std::size_t inputs() const { return signals_.size() + deltas_.size(); }
  [[nodiscard]] const std::vector<DenseLayer>& layers() const { return layers_; }

  /// `in` is the signals, then the deltas: inputs() numbers; `logits` takes outputs().size(). A NaN
  /// among the inputs makes every logit NaN. Spans of other sizes: all NaN. Allocates nothing.
  void forward(std::span<const double> in, std::span<double> logits) noexcept;

 private:
  std::vector<std::string> signals_;
  std::vector<DeltaInput> deltas_;
  std::vector<std::string> outputs_;
  std::vector<DenseLayer> layers_;
  std::vector<double> from_;  ///< two buffers as wide as the widest layer
  std::vector<double> to_;
};

class FrequencyMap {
 public:
  /// As for the network. Refused: no regions, a region without clocks, and clocks that are no
  /// numbers of Hz (below 1 MHz is taken for a slip of the unit).
  static Result<FrequencyMap> parse(std::string_view text, std::string_view where);
  static Result<FrequencyMap> load(const std::string& path);

  /// The region's clocks, Hz, at least one; nullptr if the map does not name it.
  [[nodiscard]] const std::vector<double>* find(std::string_view region) const;
  [[nodiscard]] std::size_t size() const { return regions_.size(); }

 private:
  std::vector<std::pair<std::string, std::vector<double>>> regions_;
};

/// The clock for `phi` (0 .. 1, clamped; NaN: 0): element floor(phi (n - 1)) of n ≥ 1.
double frequency_at(std::span<const double> frequencies, double phi) noexcept;

/// Σ softmax(logit_r) · frequency_r. NaN if a logit is NaN; infinity (which a caller clamps to the
/// top clock, as GEOPM does) if infinite logits leave no answer. The greatest logit is subtracted
/// before exp(), so that large ones do not overflow.
double mix_frequencies(std::span<const double> logits,
                       std::span<const double> frequencies) noexcept;

}  // namespace mete
