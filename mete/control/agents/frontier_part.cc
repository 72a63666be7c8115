// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/frontier_part.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "mete/control/agents/frontier_budget.h"

namespace mete {
namespace {

/// Clocks are told to a per cent of the highest.
constexpr double kSameClock = 0.01;
/// What one piece of work can do between two clocks: power falls no faster than the cube of the
/// clock and does not rise, time is between none and the clock's period, both with this margin.
constexpr double kMargin = 0.25;
/// The run so far may be slower than the bound by this before less is allowed.
constexpr double kOverspent = 0.005;
/// Only activities this large are asked whether they are plausible.
constexpr double kTelling = 0.05;

}  // namespace

FrontierPhase::FrontierPhase(const ResponseTable& table)
    : estimate(table),
      seen(table.clocks()),
      known(table.clocks()),
      skip(table.clocks()),
      doubted(table.clocks()),
      believed(table.clocks()) {}

FrontierPart::FrontierPart(std::shared_ptr<const ResponseTable> table, std::vector<double> clocks,
                           const FrontierGoal& goal, const FrontierColumns& columns)
    : table_(std::move(table)),
      clocks_(std::move(clocks)),
      goal_(goal),
      search_(
          [this] {
            std::vector<double> shares;
            for (const double clock : clocks_) shares.push_back(clock / clocks_.back());
            return shares;
          }(),
          goal),
      eye_(columns),
      target_(clocks_.size() - 1),
      current_(kPhases) {
  for (std::size_t i = 0; i < kPhases; ++i) phases_.emplace_back(*table_);
}

double FrontierPart::step(double time, std::span<const double> row) noexcept {
  const FrontierSight sight = eye_.look(time, row);
  if (!sight.usable) {
    mean_.clear();
    if (++blind_ == kBlindSteps) go(Mode::identify, top());
    return clocks_[target_];
  }
  blind_ = 0;
  if (mode_ == Mode::shelter) {
    shelter();
    return clocks_[target_];
  }
  if (sight.idle) {  // says nothing of the work
    mean_.clear();
    different_ = 0;
    since_ = std::min(since_, kSettleSteps);
    return clocks_[target_];
  }
  ++since_;
  if (mode_ == Mode::probe) ++phases_[current_].steps;
  const bool there = std::abs(sight.clock - clocks_[target_]) <= kSameClock * clocks_.back();
  if (!there && since_ <= kPatience) {
    mean_.clear();
    return clocks_[target_];
  }
  if (!there && mode_ == Mode::probe) {
    phases_[current_].skip[target_] = true;
    proceed();
    return clocks_[target_];
  }
  below_ = sight.status < kCapped * clocks_[target_];
  count_work();
  if (!steady(sight)) return clocks_[target_];
  switch (mode_) {
    case Mode::identify:
      identify(sight);
      break;
    case Mode::probe:
      probe(sight);
      break;
    case Mode::settled:
      watch(sight);
      break;
    case Mode::shelter:
      break;
  }
  return clocks_[target_];
}

FrontierState FrontierPart::state() const noexcept {
  if (blind_ > 0) return FrontierState::blind;
  switch (mode_) {
    case Mode::identify:
      return FrontierState::identify;
    case Mode::probe:
      return FrontierState::probe;
    case Mode::settled:
      return different_ > 0 ? FrontierState::unlike : FrontierState::settled;
    case Mode::shelter:
      break;
  }
  return FrontierState::shelter;
}

bool FrontierPart::steady(const FrontierSight& sight) noexcept {
  const double moved = std::abs(std::log(sight.seen.watts / last_watts_));
  last_watts_ = sight.seen.watts;
  power_band_ = sight.counted ? kPowerBand : kSensorPowerBand;
  if (sight.counted) return since_ > kSettleSteps;
  if (since_ <= kSettleStepsOfSensor) return false;
  // Once it has been looked at, a step more is as good.
  return moved < kSteady || since_ > kMostSettleStepsOfSensor || mean_.count() > 0 ||
         mode_ == Mode::settled;
}

void FrontierPart::go(Mode mode, std::size_t clock) noexcept {
  mode_ = mode;
  mean_.clear();
  different_ = 0;
  // A clock that is there already need not be waited for; a first interval may hold a change.
  since_ = clock == target_ && mode != Mode::shelter ? since_ : 0;
  target_ = clock;
}

void FrontierPart::identify(const FrontierSight& sight) noexcept {
  if (mean_.count() > 0 && differ(mean_.mean(), sight.seen)) mean_.clear();
  mean_.add(sight);
  if (!measured()) return;
  const ResponseSeen seen = mean_.mean();
  const std::size_t known = find(seen, top(), kPhases);
  if (known == kPhases) {
    begin_phase(seen);
  } else {
    enter(known);
    phases_[known].capped = below_;
  }
  if (stranger_) {
    // What the work looked like when it came is remembered, to know it there the next time.
    FrontierPhase& phase = phases_[current_];
    if (!phase.known[stranger_clock_]) {
      phase.seen[stranger_clock_] = stranger_seen_;
      phase.known[stranger_clock_] = true;
    }
    stranger_ = false;
  }
  proceed();
}

void FrontierPart::begin_phase(const ResponseSeen& top_seen) noexcept {
  std::size_t at = 0;
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    if (!phases_[i].used) {
      at = i;
      break;
    }
    if (phases_[i].last_visit < phases_[at].last_visit) at = i;
  }
  FrontierPhase& phase = phases_[at];
  phase.used = true;
  phase.done = false;
  phase.capped = below_;
  phase.tried = 0;
  phase.steps = 0;
  phase.work = 0;
  phase.visits = 0;
  std::fill(phase.known.begin(), phase.known.end(), false);
  std::fill(phase.skip.begin(), phase.skip.end(), false);
  std::fill(phase.doubted.begin(), phase.doubted.end(), false);
  phase.seen[top()] = top_seen;
  phase.known[top()] = true;
  phase.choice = top();
  phase.estimate.start(top_seen);
  for (std::size_t i = 0; i < clocks_.size(); ++i) phase.believed[i] = phase.estimate.at(i);
  enter(at);
}

void FrontierPart::enter(std::size_t phase) noexcept {
  current_ = phase;
  ++phases_[phase].visits;
  phases_[phase].last_visit = ++visit_;
}

void FrontierPart::proceed() noexcept {
  FrontierPhase& phase = phases_[current_];
  if (!phase.done) {
    const std::size_t next = phase.steps >= most_trial_steps()
                                 ? search_.none()
                                 : search_.next(phase.estimate, phase.skip, phase.tried);
    if (next != search_.none()) return go(Mode::probe, next);
    phase.done = true;
  }
  phase.choice = chosen();
  restless_ = 0;
  calm_ = 0;
  go(Mode::settled, phase.choice);
}

bool FrontierPart::measured() const noexcept {
  if (mean_.count() < kMeasureSteps) return false;
  return !mean_.coarse() || mean_.steps() >= kEnoughProgress || mean_.count() >= kMostMeasureSteps;
}

int FrontierPart::most_trial_steps() const noexcept {
  if (phases_[current_].seen[top()].rate_doubt > 0) return kMostTrialStepsOfCoarse;
  return power_band_ == kPowerBand ? kMostTrialSteps : kMostTrialStepsOfSensor;
}

void FrontierPart::probe(const FrontierSight& sight) noexcept {
  FrontierPhase& phase = phases_[current_];
  if (mean_.count() > 0 && differ(mean_.mean(), sight.seen)) {
    return other_work(sight);
  }
  mean_.add(sight);
  if (!measured()) return;
  const ResponseSeen seen = mean_.mean();
  if (!phase.doubted[target_]) {
    // It may have become other work just then.
    const bool odd = !plausible(seen);
    const bool like_another = find(seen, target_, current_) != kPhases;
    phase.doubted[target_] = odd || like_another;
    if (odd) return other_work(sight);
    if (like_another) return go(Mode::identify, top());  // there it can be told apart
  }
  phase.seen[target_] = seen;
  phase.known[target_] = true;
  phase.estimate.add(target_, seen);
  ++phase.tried;
  proceed();
}

bool FrontierPart::plausible(const ResponseSeen& seen) const noexcept {
  const ResponseSeen& at_top = phases_[current_].seen[top()];
  const double period = -std::log(table_->share(target_));
  const double power = std::log(at_top.watts / seen.watts);
  if (power < -kMargin / 2 || power > 3 * period + kMargin) return false;
  const double longest = table_->longest(target_) + kMargin;
  for (std::size_t a = kMemoryActivity; a < kResponseActivities; ++a) {
    if (!(at_top.activity[a] > kTelling) && !(seen.activity[a] > kTelling)) continue;
    const HintKind kind = a == kMemoryActivity ? HintKind::memory : HintKind::pipe;
    const double hint =
        hinted_log_time(a, std::max(at_top.activity[a], 2 * kLeastActivity),
                        std::max(seen.activity[a], 2 * kLeastActivity), table_->share(target_)) +
        table_->bias(kind, target_);
    if (hint < -kMargin || hint > longest) return false;
  }
  return true;
}

void FrontierPart::watch(const FrontierSight& sight) noexcept {
  FrontierPhase& phase = phases_[current_];
  if (!phase.known[target_]) {  // cannot be: a chosen clock was seen
    phase.seen[target_] = sight.seen;
    phase.known[target_] = true;
  }
  if (!differ(phase.seen[target_], sight.seen)) {
    different_ = 0;
    if (phase.capped && ++capped_steps_ >= cap_patience_) return look_at_top_again();
    if (++calm_ >= kReviewSteps) review();
    return;
  }
  if (++different_ >= kChangeSteps) other_work(sight);
}

void FrontierPart::look_at_top_again() noexcept {
  capped_steps_ = 0;
  cap_patience_ = std::min(2 * cap_patience_, kMostCapSteps);
  go(Mode::identify, top());
}

void FrontierPart::other_work(const FrontierSight& now) noexcept {
  ++changes_;
  cap_patience_ = kCapSteps;
  if (++restless_ >= kRestless) {
    restless_ = 0;
    ++shelters_;
    return go(Mode::shelter, top());
  }
  const std::size_t known = find(now.seen, target_, current_);
  if (known != kPhases) {
    enter(known);
    return proceed();
  }
  stranger_ = target_ != top();
  stranger_clock_ = target_;
  stranger_seen_ = now.seen;
  const bool at_top = target_ == top();
  go(Mode::identify, top());
  if (at_top) mean_.add(now);
}

std::size_t FrontierPart::find(const ResponseSeen& seen, std::size_t clock,
                               std::size_t besides) const noexcept {
  std::size_t found = kPhases;
  double least = 1;
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    if (i == besides || !phases_[i].used || !phases_[i].known[clock]) continue;
    // Progress is told by another source than then, or for the first time: what is remembered
    // cannot be compared with it.
    const ResponseSeen& then = phases_[i].seen[clock];
    if (seen.rate > 0 && !(then.rate > 0 && then.progress == seen.progress)) continue;
    const double here = difference(phases_[i].seen[clock], seen, power_band_);
    if (here < least) {
      least = here;
      found = i;
    }
  }
  return found;
}

void FrontierPart::count_work() noexcept {
  if (current_ == kPhases || mode_ == Mode::identify || different_ > 0) return;
  FrontierPhase& phase = phases_[current_];
  const double work = std::exp(-phase.estimate.at(target_).log_time);
  phase.work += work;
  if (mode_ != Mode::settled) return;
  spent_ += 1;
  earned_ += work;
}

std::size_t FrontierPart::chosen() const noexcept {
  if (!goal_.bounded()) return search_.best(phases_[current_].estimate);
  std::array<BudgetShare, kPhases> shares;
  std::size_t count = 0;
  std::size_t own = 0;
  double most = 0;
  for (const FrontierPhase& phase : phases_) most = std::max(most, phase.used ? phase.work : 0);
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    const FrontierPhase& phase = phases_[i];
    if (!phase.used || !phase.done) continue;
    if (i == current_) own = count;
    // Work that has just come may stay as long as any.
    const double work = i == current_ && phase.visits < 2 ? most : phase.work;
    shares[count++] = {&phase.estimate, std::max(work, 1.0), phase.seen[top()].watts, top()};
  }
  // What was overspent when the program was made of other work is saved again.
  const double over = earned_ > 0 ? spent_ / earned_ - 1 - goal_.max_slowdown : 0;
  const double bound =
      over > kOverspent ? std::max(0.0, goal_.max_slowdown - over) : goal_.max_slowdown;
  spend_budget(std::span(shares).first(count), bound);
  return shares[own].clock;
}

void FrontierPart::review() noexcept {
  calm_ = 0;
  if (!goal_.bounded()) return;
  FrontierPhase& phase = phases_[current_];
  const std::size_t better = chosen();
  if (better == phase.choice) return;
  const auto energy = [&](std::size_t clock) {
    const ResponseAnswer& answer = phase.estimate.at(clock);
    return answer.log_time + answer.log_power;
  };
  const bool slower = better < phase.choice;
  if (slower && energy(phase.choice) - energy(better) < kWorthAChange) return;
  phase.choice = better;
  go(Mode::settled, better);
}

void FrontierPart::shelter() noexcept {
  if (++since_ >= kShelterSteps) go(Mode::identify, top());
}

}  // namespace mete
