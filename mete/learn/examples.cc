// SPDX-License-Identifier: BSD-3-Clause
#include "mete/learn/examples.h"

#include <algorithm>
#include <cmath>

namespace mete {
namespace {

constexpr double kGiga = 1e9;
constexpr double kNegligibleSpread = 1e-6;

}  // namespace

bool features_are_finite(const TrainingData& data, std::size_t row) {
  return std::all_of(data.features.begin(), data.features.end(),
                     [row](const auto& column) { return std::isfinite(column[row]); });
}

Examples::Examples(const TrainingData& data, const std::vector<bool>& use) : data_(&data) {
  const std::size_t apps = data.app_configs.size();
  std::vector<std::vector<std::uint32_t>> by_app(apps);
  for (std::size_t row = 0; row < data.rows(); ++row) {
    const std::size_t app = data.app_config[row];
    if (app >= apps || !use[app] || data.choices[app].empty()) continue;
    if (data.is_roi[row] == 0 || !features_are_finite(data, row)) continue;
    by_app[app].push_back(static_cast<std::uint32_t>(row));
  }
  for (std::size_t app = 0; app < apps; ++app) {
    if (by_app[app].empty()) continue;
    groups_.push_back({size_, rows_.size(), by_app[app].size(), &data.choices[app]});
    rows_.insert(rows_.end(), by_app[app].begin(), by_app[app].end());
    size_ += by_app[app].size() * data.choices[app].size();
  }
}

const Examples::Group& Examples::group_of(std::size_t index) const {
  const auto after =
      std::upper_bound(groups_.begin(), groups_.end(), index,
                       [](std::size_t i, const Group& group) { return i < group.first_example; });
  return *(after - 1);
}

const PhiChoice& Examples::choice(std::size_t index) const {
  const Group& group = group_of(index);
  return (*group.choices)[(index - group.first_example) % group.choices->size()];
}

float Examples::fill(std::size_t index, std::span<float> inputs) const {
  const Group& group = group_of(index);
  const std::size_t within = index - group.first_example;
  const std::size_t row = rows_[group.first_row + within / group.choices->size()];
  const PhiChoice& goal = (*group.choices)[within % group.choices->size()];
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    inputs[i] = static_cast<float>(data_->features[i][row]);
  }
  inputs[kFeatureCount] = static_cast<float>(goal.phi);
  return static_cast<float>(goal.frequency / kGiga);
}

Examples::Moments Examples::moments() const {
  Moments result;
  const auto n = static_cast<double>(size_);
  // Two passes: clocks of 1e9 Hz squared would lose their spread in one.
  for (const bool second : {false, true}) {
    for (const auto& group : groups_) {
      const auto goals = static_cast<double>(group.choices->size());
      for (std::size_t i = 0; i < kFeatureCount; ++i) {
        for (std::size_t r = 0; r < group.rows; ++r) {
          const double value = data_->features[i][rows_[group.first_row + r]];
          if (second) {
            result.variance[i] += goals * (value - result.mean[i]) * (value - result.mean[i]) / n;
          } else {
            result.mean[i] += goals * value / n;
          }
        }
      }
      for (const auto& goal : *group.choices) {
        const auto rows = static_cast<double>(group.rows);
        const double off = goal.phi - result.mean[kFeatureCount];
        if (second) {
          result.variance[kFeatureCount] += rows * off * off / n;
        } else {
          result.mean[kFeatureCount] += rows * goal.phi / n;
        }
      }
    }
  }
  for (std::size_t i = 0; i < kClockModelInputs; ++i) {
    if (std::sqrt(result.variance[i]) <= kNegligibleSpread * std::abs(result.mean[i])) {
      result.variance[i] = 0;
    }
  }
  return result;
}

std::vector<double> Examples::targets() const {
  std::vector<double> clocks;
  for (const auto& group : groups_) {
    for (const auto& goal : *group.choices) clocks.push_back(goal.frequency);
  }
  std::sort(clocks.begin(), clocks.end());
  clocks.erase(std::unique(clocks.begin(), clocks.end()), clocks.end());
  return clocks;
}

double Examples::mean_target() const {
  double sum = 0;
  for (const auto& group : groups_) {
    for (const auto& goal : *group.choices) {
      sum += static_cast<double>(group.rows) * goal.frequency / kGiga;
    }
  }
  return size_ == 0 ? 0 : sum / static_cast<double>(size_);
}

}  // namespace mete
