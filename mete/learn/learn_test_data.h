// A training table with a rule that is known, for tests.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "mete/base/rng.h"
#include "mete/dataset/training_table.h"

namespace mete::test {

/// `apps` applications at 8 clocks, `rows` rows each. Application i is memory-bound by the share
/// i/(apps-1): its activities say so, and phi takes it from 1.4 GHz down towards 0.6 GHz, the
/// farther the more memory-bound it is.
inline TrainingData known_rule(std::size_t apps, std::size_t rows, std::uint64_t seed = 1) {
  constexpr double kTop = 1.4e9;
  constexpr double kDepth = 0.8e9;
  TrainingData data;
  Rng rng(seed);
  data.node = "here";
  for (std::size_t i = 0; i < kFeatureCount; ++i) {
    data.feature_columns[i] = std::string(kGpuTraining.features[i]) + "-gpu-0";
  }
  for (std::size_t app = 0; app < apps; ++app) {
    const double bound = apps < 2 ? 0.5 : static_cast<double>(app) / static_cast<double>(apps - 1);
    data.app_configs.push_back("app-" + std::to_string(app));
    data.choices.emplace_back();
    for (std::size_t p = 0; p < kPhiSteps; ++p) {
      const double phi = static_cast<double>(p) / 10;
      data.choices.back().push_back({phi, kTop - kDepth * phi * bound});
    }
    for (std::size_t row = 0; row < rows; ++row) {
      const double clock = 0.7e9 + 0.1e9 * static_cast<double>(row % 8);
      data.app_config.push_back(static_cast<std::uint32_t>(app));
      data.is_roi.push_back(1);
      data.trial.push_back(0);
      data.asked_clock.push_back(clock);
      data.features[0].push_back(clock);
      data.features[1].push_back(100 + 100 * (1 - bound) * clock / kTop + rng.normal());
      data.features[2].push_back(0.98 + 0.01 * rng.uniform());
      data.features[3].push_back(0.9 - 0.6 * bound + 0.02 * rng.normal());
      data.features[4].push_back(0.2 + 0.6 * bound + 0.02 * rng.normal());
    }
  }
  return data;
}

}  // namespace mete::test
