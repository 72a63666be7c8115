// What a study found: per setting, the time and energy of its runs with their spread; and, from the
// reference points, how much the machine itself changed meanwhile.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/stats.h"
#include "mete/base/table.h"
#include "mete/study/manifest.h"

namespace mete {

/// The finished runs of one setting, without references.
struct SettingSummary {
  std::vector<double> values;   ///< one per axis
  std::vector<double> seconds;  ///< one per finished trial, in order of trial
  std::vector<double> joules;   ///< the same runs; NaN where not measured
  Interval time;                ///< mean, 95 %
  Interval energy;
};
/// In ascending order of values; settings without a finished run are left out.
std::vector<SettingSummary> summarise(const Manifest& manifest);

/// Columns: one per control, then runs, runtime, runtime-low, runtime-high, energy, energy-low,
/// energy-high.
Table summary_table(const Manifest& manifest);

/// One quantity of the reference points over the course of the study, relative to its mean.
struct DriftFigure {
  Interval change;    ///< from the first to the last reference, by a straight line; 95 %
  double spread = 0;  ///< largest minus smallest
  double effect = 0;  ///< largest minus smallest mean of the settings: what the study wants to see
  /// The drift is as large as what the study wants to see, so that its answer may be the machine's.
  [[nodiscard]] bool hides_effect() const;
};
struct Drift {
  std::size_t references = 0;  ///< finished ones; with fewer than three the figures are not known
  DriftFigure time;
  DriftFigure energy;
};
Drift drift_of(const Manifest& manifest);
/// Lines for people: one per quantity, and a warning where the drift hides the effect.
std::vector<std::string> drift_lines(const Drift& drift);
Json drift_to_json(const Drift& drift);
Json interval_to_json(const Interval& interval);

}  // namespace mete
