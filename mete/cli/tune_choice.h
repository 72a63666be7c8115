// How tune chooses: from the sweep a clock and a phi, from the verification runs an arm. Pure
// arithmetic over measured figures; every answer carries its reason in words.
//
//   goal       what the owner wants: a phi, or the least energy within a slowdown
//   slowdown   time relative to the top clock, minus one
//   arm        one way to run the program: baseline (top clock), fixed (one clock), torch (model)
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"
#include "mete/base/stats.h"
#include "mete/study/summary.h"

namespace mete {

/// Exactly one of the two counts.
struct Goal {
  std::optional<double> phi;   ///< 0 (fastest) .. 1 (least energy)
  double max_slowdown = 0.10;  ///< fraction; used when there is no phi

  [[nodiscard]] std::string describe() const;
};

/// "10%" or "0.1"; a bare number above 1 is refused because it is most likely a percentage.
Result<double> parse_slowdown(std::string_view text);

struct SweptClock {
  double clock = 0;          ///< Hz
  double seconds = 0;        ///< mean of its runs
  double joules = 0;         ///< mean of its runs
  double slowdown = 0;       ///< fraction, against the highest clock
  double energy_change = 0;  ///< fraction, against the highest clock
  std::size_t runs = 0;
};
/// One per setting of a sweep of one control, ascending. Invalid if a time or an energy is missing
/// or not above 0, or if there is one clock only.
Result<std::vector<SweptClock>> swept_clocks(const std::vector<SettingSummary>& settings);

/// The tutorial's rule on means: the clock with the least (1-phi)·T/T_fastest + phi·E/E_top. Index
/// into `clocks`; the higher clock of equals.
std::size_t best_for_phi(std::span<const SweptClock> clocks, double phi);

struct Choice {
  double phi = 0;     ///< for the agent
  SweptClock at_phi;  ///< the one clock that phi stands for
  SweptClock fixed;   ///< the best single clock
  SweptClock top;     ///< the baseline
  std::string why;    ///< one or two sentences
};
/// With a slowdown bound: the fixed clock is the one of least energy within the bound, and phi the
/// largest of 0, 0.1, .. 1 whose clock lies within it.
Choice choose(std::span<const SweptClock> clocks, const Goal& goal);

/// Verification runs of one arm, element i beside element i of every other arm.
struct ArmRuns {
  std::string name;
  std::vector<double> seconds;
  std::vector<double> joules;
};
struct ArmChange {
  std::string name;
  Interval time;    ///< relative change against the baseline, 95 %
  Interval energy;  ///< the same
};
/// Of every arm but the first, which is the baseline.
std::vector<ArmChange> changes_of(std::span<const ArmRuns> arms);

struct TuneVerdict {
  std::string arm;                    ///< "baseline" if nothing is worth it
  std::string why;                    ///< a sentence
  std::vector<std::string> cautions;  ///< a bound that was broken, an interval that holds zero, ..
};
/// An arm is worth it if its energy is lower with 95 % confidence and its time within the bound.
/// Where agent and single clock do not differ with 95 % confidence, the single clock is
/// recommended: it needs nothing to run beside the program.
TuneVerdict recommend(std::span<const ArmRuns> arms, const Goal& goal);

/// "saves 12.3 % energy (95 %: 11.9 % to 12.7 %)", "costs ..", "no change that could be told from
/// chance ..".
std::string change_words(const Interval& change, std::string_view quantity);

}  // namespace mete
