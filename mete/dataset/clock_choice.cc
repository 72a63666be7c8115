// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/clock_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Sum {
  double time = 0;
  double energy = 0;
  double n = 0;
};

double weight_of(std::size_t step) { return static_cast<double>(step * 10) / 100.0; }

/// Means per clock, ascending.
std::map<double, Sum> means_by_clock(std::span<const RunFigures> runs, std::size_t app) {
  std::map<double, Sum> by_clock;
  for (const auto& run : runs) {
    if (run.app_config != app) continue;
    auto& sum = by_clock[run.frequency];
    sum.time += run.runtime;
    sum.energy += run.energy;
    sum.n += 1;
  }
  for (auto& [clock, sum] : by_clock) {
    sum.time /= sum.n;
    sum.energy /= sum.n;
  }
  return by_clock;
}

double clock_of_least_energy(const std::map<double, Sum>& means) {
  double best = kNaN;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [clock, mean] : means) {
    if (mean.energy < least) {
      least = mean.energy;
      best = clock;
    }
  }
  return best;
}

GoalClocks choose_for_app(std::span<RunFigures> runs, std::size_t app) {
  const auto means = means_by_clock(runs, app);
  GoalClocks choice{kNaN, {}};
  if (means.empty()) return choice;
  double best_time = std::numeric_limits<double>::infinity();
  for (const auto& [clock, mean] : means) best_time = std::min(best_time, mean.time);
  const double top_energy = means.rbegin()->second.energy;
  for (auto& run : runs) {
    if (run.app_config != app) continue;
    run.runtime_vs_best = run.runtime / best_time;
    run.energy_vs_top = run.energy / top_energy;
  }
  if (means.size() < 2) return choice;
  choice.min_energy_frequency = clock_of_least_energy(means);
  for (std::size_t step = 0; step < kPhiSteps; ++step) {
    const double w = weight_of(step);
    double least = std::numeric_limits<double>::infinity();
    double best = kNaN;
    for (auto it = means.rbegin(); it != means.rend(); ++it) {
      const double objective =
          (1 - w) * (it->second.time / best_time) + w * (it->second.energy / top_energy);
      if (objective < least) {
        least = objective;
        best = it->first;
      }
    }
    choice.choices.push_back({w, best});
  }
  return choice;
}

GoalClocks choose_for_app_as_tutorial(std::span<RunFigures> runs, std::size_t app,
                                      const std::map<std::size_t, double>& folder_top) {
  double best_time = std::numeric_limits<double>::infinity();
  Sum top;
  for (const auto& run : runs) {
    if (run.app_config != app) continue;
    best_time = std::min(best_time, run.runtime);
    if (run.frequency == folder_top.at(run.directory)) {
      top.energy += run.energy;
      top.n += 1;
    }
  }
  const double top_energy = top.n > 0 ? top.energy / top.n : kNaN;
  for (auto& run : runs) {
    if (run.app_config != app) continue;
    run.runtime_vs_best = run.runtime / best_time;
    run.energy_vs_top = run.energy / top_energy;
  }
  GoalClocks choice{clock_of_least_energy(means_by_clock(runs, app)), {}};
  for (std::size_t step = 0; step < kPhiSteps; ++step) {
    const double w = weight_of(step);
    double least = std::numeric_limits<double>::infinity();
    double best = kNaN;
    for (const auto& run : runs) {
      if (run.app_config != app) continue;
      const double objective = (1 - w) * run.runtime_vs_best + w * run.energy_vs_top;
      if (objective < least) {
        least = objective;
        best = run.frequency;
      }
    }
    choice.choices.push_back({w, best});
  }
  return choice;
}

}  // namespace

std::vector<GoalClocks> choose_clocks(std::span<RunFigures> runs, std::size_t app_configs) {
  std::vector<GoalClocks> choices;
  for (std::size_t app = 0; app < app_configs; ++app) choices.push_back(choose_for_app(runs, app));
  return choices;
}

std::vector<GoalClocks> choose_clocks_as_tutorial(std::span<RunFigures> runs,
                                                  std::size_t app_configs) {
  std::map<std::size_t, double> folder_top;
  for (const auto& run : runs) {
    auto& top = folder_top[run.directory];
    top = std::max(top, run.frequency);
  }
  std::vector<GoalClocks> choices;
  for (std::size_t app = 0; app < app_configs; ++app) {
    choices.push_back(choose_for_app_as_tutorial(runs, app, folder_top));
  }
  return choices;
}

}  // namespace mete
