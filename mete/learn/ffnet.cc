// The arithmetic of GEOPM's feed-forward networks; the reader is ffnet_reader.cc.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/ffnet.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double logistic(double x) noexcept { return 1 / (1 + std::exp(-x)); }

void multiply(const DenseLayer& layer, std::span<const double> in, std::span<double> out) noexcept {
  for (std::size_t r = 0; r < layer.rows; ++r) {
    const double* const row = &layer.weights[r * layer.cols];
    double sum = layer.bias[r];
    for (std::size_t c = 0; c < layer.cols; ++c) sum += row[c] * in[c];
    out[r] = sum;
  }
}

}  // namespace

void FeedForwardNet::forward(std::span<const double> in, std::span<double> logits) noexcept {
  if (in.size() != inputs() || logits.size() != outputs_.size() ||
      std::any_of(in.begin(), in.end(), [](double v) { return std::isnan(v); })) {
    std::fill(logits.begin(), logits.end(), kNan);
    return;
  }
  std::copy(in.begin(), in.end(), from_.begin());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const DenseLayer& layer = layers_[i];
    multiply(layer, from_, to_);
    if (i + 1 < layers_.size()) {
      const auto end = to_.begin() + static_cast<std::ptrdiff_t>(layer.rows);
      std::transform(to_.begin(), end, to_.begin(), logistic);
    }
    std::swap(from_, to_);
  }
  std::copy_n(from_.begin(), logits.size(), logits.begin());
}

const std::vector<double>* FrequencyMap::find(std::string_view region) const {
  for (const auto& [name, frequencies] : regions_) {
    if (name == region) return &frequencies;
  }
  return nullptr;
}

double frequency_at(std::span<const double> frequencies, double phi) noexcept {
  if (frequencies.empty()) return kNan;
  const double inside = std::isnan(phi) ? 0 : std::clamp(phi, 0.0, 1.0);
  const double last = static_cast<double>(frequencies.size() - 1);
  return frequencies[static_cast<std::size_t>(std::floor(inside * last))];
}

double mix_frequencies(std::span<const double> logits,
                       std::span<const double> frequencies) noexcept {
  double greatest = -kInfinity;
  for (const double logit : logits) {
    if (std::isnan(logit)) return kNan;
    greatest = std::max(greatest, logit);
  }
  double sum = 0;
  double weights = 0;
  for (std::size_t i = 0; i < std::min(logits.size(), frequencies.size()); ++i) {
    const double weight = std::exp(logits[i] - greatest);
    sum += weight * frequencies[i];
    weights += weight;
  }
  const double mixed = sum / weights;
  return std::isnan(mixed) ? kInfinity : mixed;
}

}  // namespace mete
