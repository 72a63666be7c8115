// The frontier agent's mind for one GPU: a small state machine that sees one interval per step and
// says which clock it wants. Allocates nothing after it is made.
//
//   identify   at the highest clock, measuring there: is this work known, or new?
//   probe      at a clock under trial
//   settled    at the clock that serves the goal best, watching for other work
//   shelter    at the highest clock for a while: work changes faster than it can be told apart, or
//              cannot be seen
//   phase      one piece of work that was told from others: what was seen of it at which clock
//
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mete/control/agents/frontier_search.h"
#include "mete/control/agents/frontier_sight.h"

namespace mete {

/// So many steps after a new clock was asked for are not looked at: the first holds the switch
/// itself.
inline constexpr int kSettleSteps = 1;
/// Without an energy counter power comes from a sensor that lags: at least so many, until it moves
/// by less than kSteady from step to step, and at most so many.
inline constexpr int kSettleStepsOfSensor = 3;
inline constexpr int kMostSettleStepsOfSensor = 8;
inline constexpr double kSteady = 0.01;
/// So many steps are averaged at each clock.
inline constexpr int kMeasureSteps = 2;
/// Of progress that comes in coarse steps, so many are waited for, and no longer than this; its
/// trials may take longer too.
inline constexpr double kEnoughProgress = 60;
inline constexpr int kMostMeasureSteps = 20;
inline constexpr int kMostTrialStepsOfCoarse = 240;
/// So many steps running must look different before it counts as other work.
inline constexpr int kChangeSteps = 2;
/// A clock that was asked for and does not come within this many steps is not waited for.
inline constexpr int kPatience = 6;
/// Trials of one piece of work end after this many steps.
inline constexpr int kMostTrialSteps = 44;
inline constexpr int kMostTrialStepsOfSensor = 24;
inline constexpr std::size_t kPhases = 8;
/// So many changes without settling once: shelter, for so many steps.
inline constexpr int kRestless = 8;
inline constexpr int kShelterSteps = 200;
/// With a bound, what each piece of work may cost is reviewed after so many settled steps, and a
/// new clock taken if it saves this share of the energy, or if the old one breaks the bound.
inline constexpr int kReviewSteps = 20;
inline constexpr double kWorthAChange = 0.01;
/// A device that ran below the highest clock when asked for it (a thermal cap, or no turbo) may do
/// better later, which a lower clock does not show: the highest is looked at again after so many
/// settled steps, then twice as many, up to the most.
inline constexpr int kCapSteps = 60;
inline constexpr int kMostCapSteps = 480;
inline constexpr double kCapped = 0.95;
/// So many unseen steps running: the highest clock.
inline constexpr int kBlindSteps = 3;

struct FrontierPhase {
  explicit FrontierPhase(const ResponseTable& table);

  bool used = false;
  bool done = false;       ///< its trials are over
  bool capped = false;     ///< the device ran below the highest clock when that was asked for
  std::size_t choice = 0;  ///< place of its clock, once done
  ResponseEstimate estimate;
  std::vector<ResponseSeen> seen;        ///< per clock: what it looks like there
  std::vector<bool> known;               ///< per clock: `seen` holds
  std::vector<bool> skip;                ///< per clock: cannot be had, or was not believed
  std::vector<bool> doubted;             ///< per clock: looked like other work once
  std::vector<ResponseAnswer> believed;  ///< per clock, after the highest clock alone
  std::size_t tried = 0;
  int steps = 0;    ///< spent on trials
  double work = 0;  ///< steps' worth of work at the highest clock, done while it was recognised
  std::uint64_t visits = 0;
  std::uint64_t last_visit = 0;
};

/// What the part is doing, as the trace's column FRONTIER_STATE tells it.
enum class FrontierState : int {
  identify = 1,  ///< measuring at the highest clock
  probe = 2,     ///< measuring at a clock under trial
  settled = 3,   ///< nothing seen that is farther from what is known than the dead band
  unlike = 4,    ///< settled, and what is seen lies outside the dead band
  shelter = 5,   ///< the highest clock for a while: cannot be told apart
  blind = 6,     ///< clock or power cannot be seen
};

class FrontierPart {
 public:
  /// `clocks`: Hz, ascending, at least one, and the same as the table's.
  FrontierPart(std::shared_ptr<const ResponseTable> table, std::vector<double> clocks,
               const FrontierGoal& goal, const FrontierColumns& columns);

  /// The clock wanted, Hz.
  double step(double time, std::span<const double> row) noexcept;

  [[nodiscard]] const std::vector<FrontierPhase>& phases() const { return phases_; }
  [[nodiscard]] const std::vector<double>& clocks() const { return clocks_; }
  [[nodiscard]] FrontierState state() const noexcept;
  /// Place in phases() of the work that is believed to run; kPhases: not known.
  [[nodiscard]] std::size_t phase() const noexcept {
    return mode_ == Mode::identify || mode_ == Mode::shelter ? kPhases : current_;
  }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::uint64_t shelters() const { return shelters_; }

 private:
  enum class Mode { identify, probe, settled, shelter };

  void go(Mode mode, std::size_t clock) noexcept;
  void identify(const FrontierSight& sight) noexcept;
  void probe(const FrontierSight& sight) noexcept;
  void watch(const FrontierSight& sight) noexcept;
  void shelter() noexcept;
  void begin_phase(const ResponseSeen& top) noexcept;
  void enter(std::size_t phase) noexcept;
  void proceed() noexcept;
  void look_at_top_again() noexcept;
  void other_work(const FrontierSight& now) noexcept;
  [[nodiscard]] bool measured() const noexcept;
  [[nodiscard]] int most_trial_steps() const noexcept;
  [[nodiscard]] bool steady(const FrontierSight& sight) noexcept;
  [[nodiscard]] bool differ(const ResponseSeen& a, const ResponseSeen& b) const noexcept {
    return difference(a, b, power_band_) > 1;
  }
  void count_work() noexcept;
  [[nodiscard]] std::size_t chosen() const noexcept;
  void review() noexcept;
  [[nodiscard]] std::size_t find(const ResponseSeen& seen, std::size_t clock,
                                 std::size_t besides) const noexcept;
  [[nodiscard]] bool plausible(const ResponseSeen& seen) const noexcept;
  [[nodiscard]] std::size_t top() const noexcept { return clocks_.size() - 1; }

  std::shared_ptr<const ResponseTable> table_;
  std::vector<double> clocks_;
  FrontierGoal goal_;
  FrontierSearch search_;
  FrontierEye eye_;
  std::vector<FrontierPhase> phases_;
  Mode mode_ = Mode::identify;
  std::size_t target_;   ///< place of the clock asked for
  std::size_t current_;  ///< phase; kPhases: none
  int since_ = 0;        ///< steps since it was asked for
  FrontierMean mean_;
  double power_band_ = kPowerBand;
  double last_watts_ = 0;  ///< of the sensor, at the step before
  int different_ = 0;      ///< steps running that look different
  int blind_ = 0;
  int calm_ = 0;          ///< settled steps since the last review
  int capped_steps_ = 0;  ///< settled steps under a cap since the highest clock was looked at
  int cap_patience_ = kCapSteps;  ///< so many of them, and it is looked at again
  bool below_ = false;            ///< the clock, at this step, is below the one asked for
  double spent_ = 0;              ///< settled steps, and the work done in them, as phases count it
  double earned_ = 0;
  int restless_ = 0;
  std::uint64_t visit_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t shelters_ = 0;
  bool stranger_ = false;  ///< `stranger_seen_` is what unknown work looked like at stranger_clock_
  std::size_t stranger_clock_ = 0;
  ResponseSeen stranger_seen_;
};

}  // namespace mete
