// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/tune_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr int kPhiTenths = 10;

std::string clock_words(const SweptClock& clock) { return setting_text(clock.clock, "Hz"); }

std::string prediction(const SweptClock& clock) {
  return fmt::format("in the sweep {} energy {:+.1f} %, time {:+.1f} % against the top clock",
                     clock_words(clock), clock.energy_change * 100, clock.slowdown * 100);
}

/// Interval ends of a change, the smaller one first, as per cent without sign trouble.
std::string range_words(const Interval& change, bool flip) {
  const double a = flip ? -change.high : change.low;
  const double b = flip ? -change.low : change.high;
  return fmt::format("95 %: {} to {}", format_percent(a), format_percent(b));
}

bool certain_saving(const Interval& energy) { return energy.bounded() && energy.high < 0; }

/// What the goal minimises, of mean changes against the baseline.
double score(const ArmChange& change, const Goal& goal) {
  const double energy = 1 + change.energy.estimate;
  const double time = 1 + change.time.estimate;
  return goal.phi ? (1 - *goal.phi) * time + *goal.phi * energy : energy;
}

bool within_bound(const ArmChange& change, const Goal& goal) {
  return goal.phi || change.time.estimate <= goal.max_slowdown;
}

/// What the goal minimises, run by run, so that two arms can be compared in pairs.
std::vector<double> run_scores(const ArmRuns& arm, const ArmRuns& baseline, const Goal& goal) {
  std::vector<double> out;
  const std::size_t n = std::min(arm.seconds.size(), baseline.seconds.size());
  for (std::size_t i = 0; i < n; ++i) {
    const double energy = arm.joules[i] / baseline.joules[i];
    const double time = arm.seconds[i] / baseline.seconds[i];
    out.push_back(goal.phi ? (1 - *goal.phi) * time + *goal.phi * energy : energy);
  }
  return out;
}

const ArmRuns* find_arm(std::span<const ArmRuns> arms, std::string_view name) {
  for (const ArmRuns& arm : arms) {
    if (arm.name == name) return &arm;
  }
  return nullptr;
}

void add_cautions(const ArmChange& change, const Goal& goal, std::vector<std::string>& out) {
  if (!change.energy.bounded()) {
    out.push_back(
        fmt::format("{}: one repeat gives no interval; use --repeats 5 or more", change.name));
    return;
  }
  if (change.energy.low > 0) {
    out.push_back(fmt::format("{}: {}", change.name, change_words(change.energy, "energy")));
  } else if (change.energy.high >= 0) {
    out.push_back(fmt::format("{}: the interval of its energy ({} to {}) includes zero",
                              change.name, format_percent(change.energy.low),
                              format_percent(change.energy.high)));
  }
  if (goal.phi) return;
  if (change.time.estimate > goal.max_slowdown) {
    out.push_back(fmt::format(
        "{}: breaks the bound: {} slower in the verification runs, {} allowed", change.name,
        format_percent(change.time.estimate), format_percent(goal.max_slowdown)));
  } else if (change.time.high > goal.max_slowdown) {
    out.push_back(fmt::format("{}: may break the bound: up to {} slower (95 %), {} allowed",
                              change.name, format_percent(change.time.high),
                              format_percent(goal.max_slowdown)));
  }
}

}  // namespace

std::string Goal::describe() const {
  if (phi) return fmt::format("phi {:g} (0: fastest, 1: least energy)", *phi);
  return fmt::format("least energy at most {} slower than the top clock",
                     format_percent(max_slowdown));
}

Result<double> parse_slowdown(std::string_view text) {
  const auto trimmed = trim(text);
  const bool percent = trimmed.ends_with('%');
  const auto number = parse_double(trim(percent ? trimmed.substr(0, trimmed.size() - 1) : trimmed));
  const double value =
      number ? (percent ? *number / 100 : *number) : std::numeric_limits<double>::quiet_NaN();
  if (!percent && value > 1) {
    return fail(Errc::invalid, "--max-slowdown {0}: expected a fraction or per cent; write {0}%",
                trimmed);
  }
  if (!(value >= 0 && value <= 10)) {
    return fail(Errc::invalid, "--max-slowdown {}: expected something like 10% or 0.1", text);
  }
  return value;
}

Result<std::vector<SweptClock>> swept_clocks(const std::vector<SettingSummary>& settings) {
  std::vector<SweptClock> out;
  for (const SettingSummary& setting : settings) {
    SweptClock clock;
    clock.clock = setting.values.at(0);
    clock.seconds = setting.time.estimate;
    clock.joules = setting.energy.estimate;
    clock.runs = setting.seconds.size();
    if (!(clock.seconds > 0 && clock.joules > 0 && std::isfinite(clock.seconds + clock.joules))) {
      return fail(Errc::invalid,
                  "the sweep has no time or no energy at {}; `mete doctor` says what "
                  "can be measured here",
                  clock_words(clock));
    }
    out.push_back(clock);
  }
  if (out.size() < 2) {
    return fail(Errc::invalid,
                "one clock only: with {} there is nothing to choose between; give "
                "--clocks at least two",
                out.empty() ? "none" : clock_words(out[0]));
  }
  const SweptClock top = out.back();
  for (SweptClock& clock : out) {
    clock.slowdown = clock.seconds / top.seconds - 1;
    clock.energy_change = clock.joules / top.joules - 1;
  }
  return out;
}

std::size_t best_for_phi(std::span<const SweptClock> clocks, double phi) {
  double fastest = std::numeric_limits<double>::infinity();
  for (const SweptClock& c : clocks) fastest = std::min(fastest, c.seconds);
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < clocks.size(); ++i) {
    const double value =
        (1 - phi) * clocks[i].seconds / fastest + phi * clocks[i].joules / clocks.back().joules;
    if (value <= least) {
      least = value;
      best = i;
    }
  }
  return best;
}

Choice choose(std::span<const SweptClock> clocks, const Goal& goal) {
  Choice out;
  out.top = clocks.back();
  if (goal.phi) {
    out.phi = *goal.phi;
    out.at_phi = out.fixed = clocks[best_for_phi(clocks, out.phi)];
    out.why = fmt::format("phi {:g} was asked for; {}", out.phi, prediction(out.fixed));
    return out;
  }
  out.fixed = out.top;
  for (const SweptClock& c : clocks) {
    if (c.slowdown <= goal.max_slowdown && c.joules < out.fixed.joules) out.fixed = c;
  }
  out.at_phi = out.top;
  for (int tenth = kPhiTenths; tenth >= 0; --tenth) {
    const double phi = static_cast<double>(tenth) / kPhiTenths;
    const SweptClock& c = clocks[best_for_phi(clocks, phi)];
    if (c.slowdown > goal.max_slowdown) continue;
    out.phi = phi;
    out.at_phi = c;
    break;
  }
  out.why = fmt::format(
      "of the clocks at most {} slower, {} needs least energy ({}); phi {:g} is the largest whose "
      "clock, {}, stays within the bound",
      format_percent(goal.max_slowdown), clock_words(out.fixed), prediction(out.fixed), out.phi,
      clock_words(out.at_phi));
  return out;
}

std::vector<ArmChange> changes_of(std::span<const ArmRuns> arms) {
  std::vector<ArmChange> out;
  for (std::size_t i = 1; i < arms.size(); ++i) {
    out.push_back({arms[i].name, paired_relative_change(arms[i].seconds, arms[0].seconds),
                   paired_relative_change(arms[i].joules, arms[0].joules)});
  }
  return out;
}

std::string change_words(const Interval& change, std::string_view quantity) {
  if (!change.bounded()) {
    return fmt::format("{} changes by {} (one pair of runs: no interval)", quantity,
                       format_percent(change.estimate));
  }
  if (change.high < 0) {
    return fmt::format("saves {} {} ({})", format_percent(-change.estimate), quantity,
                       range_words(change, true));
  }
  if (change.low > 0) {
    return fmt::format("costs {} more {} ({})", format_percent(change.estimate), quantity,
                       range_words(change, false));
  }
  return fmt::format("changes {} by {}, which may be chance ({})", quantity,
                     format_percent(change.estimate), range_words(change, false));
}

TuneVerdict recommend(std::span<const ArmRuns> arms, const Goal& goal) {
  TuneVerdict out{"baseline", "", {}};
  const auto changes = changes_of(arms);
  const ArmChange* best = nullptr;
  for (const ArmChange& change : changes) {
    add_cautions(change, goal, out.cautions);
    const bool worth = certain_saving(change.energy) && within_bound(change, goal) &&
                       (!goal.phi || score(change, goal) < 1);
    if (worth && (best == nullptr || score(change, goal) < score(*best, goal))) best = &change;
  }
  if (best == nullptr) {
    out.why = fmt::format("keep the top clock: no arm saved energy with 95 % confidence{}",
                          goal.phi ? " and came out ahead at this phi" : " within the bound");
    return out;
  }
  const auto one_clock = std::find_if(changes.begin(), changes.end(),
                                      [](const ArmChange& c) { return c.name == "fixed"; });
  const ArmRuns* fixed = find_arm(arms, "fixed");
  if (best->name != "fixed" && fixed != nullptr && certain_saving(one_clock->energy) &&
      within_bound(*one_clock, goal)) {
    const Interval gap = paired_relative_change(
        run_scores(*find_arm(arms, best->name), arms[0], goal), run_scores(*fixed, arms[0], goal));
    if (!gap.bounded() || gap.high >= 0) {
      out.arm = "fixed";
      out.why = fmt::format(
          "one clock does as well as the agent as far as these runs can tell "
          "({}), and needs nothing beside the program",
          change_words(one_clock->energy, "energy"));
      return out;
    }
  }
  out.arm = best->name;
  out.why = fmt::format("{} at {:+.1f} % time{}", change_words(best->energy, "energy"),
                        best->time.estimate * 100,
                        changes.size() > 1 ? "; the other arm does not do better" : "");
  return out;
}

}  // namespace mete
