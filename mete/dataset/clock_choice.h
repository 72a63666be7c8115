// From the times and energies of a sweep to the clock that each goal would have chosen.
//
// Goal phi weighs relative time and relative energy: objective = (1 - phi) * T / T_best + phi * E /
// E_top, where T_best is the shortest time and E_top the energy at the highest clock.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mete/dataset/training_table.h"

namespace mete {

/// One run of an app-config, and where it stands among them.
struct RunFigures {
  std::size_t app_config = 0;
  std::size_t directory = 0;
  double frequency = 0;        ///< Hz
  double runtime = 0;          ///< s
  double energy = 0;           ///< J
  double runtime_vs_best = 0;  ///< the tutorial's "runtime-vs-maxfreq"
  double energy_vs_top = 0;    ///< the tutorial's "energy-vs-max"
};

struct GoalClocks {
  double min_energy_frequency = 0;  ///< Hz; NaN if no choice could be made
  std::vector<PhiChoice> choices;   ///< kPhiSteps of them, or none
};

/// Trials are averaged first; the top clock is the app-config's own. Of equal objectives the higher
/// clock wins. No choice with fewer than two clocks. Fills in the relative figures of the runs.
std::vector<GoalClocks> choose_clocks(std::span<RunFigures> runs, std::size_t app_configs);

/// The tutorial's rule: every run stands for itself, so that the luckiest trial decides; the top
/// clock is that of the whole folder; the first of equal objectives wins. Runs in the order of
/// their reports.
std::vector<GoalClocks> choose_clocks_as_tutorial(std::span<RunFigures> runs,
                                                  std::size_t app_configs);

}  // namespace mete
