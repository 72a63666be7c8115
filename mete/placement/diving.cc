// Dives. A branch that nothing satisfies, or that cannot beat the best placement, is left by
// turning its last decision; if that does not help either, the dive ends.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/diving.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "mete/placement/local_search.h"

namespace mete {
namespace {

using Decision = CompactLp::Decision;

struct Step {
  Decision decision;
  bool fast = false;
};

double value_of(const Relaxation& relaxation, Decision decision) {
  return decision.gap ? relaxation.kept_fast[decision.use] : relaxation.in_fast[decision.use];
}

/// The open decision nearest to a whole number: it moves the bound least.
Step clearest(const Relaxation& relaxation, const std::vector<Decision>& open) {
  Step best;
  double least = 1;
  for (const auto decision : open) {
    const double x = value_of(relaxation, decision);
    const double distance = std::min(x, 1 - x);
    if (distance >= least) continue;
    least = distance;
    best = {.decision = decision, .fast = x > 0.5};
  }
  return best;
}

Step drawn(const Relaxation& relaxation, const std::vector<Decision>& open, Rng& rng) {
  const Decision decision = open[rng.below(open.size())];
  return {.decision = decision, .fast = rng.uniform() < value_of(relaxation, decision)};
}

class Diver {
 public:
  Diver(CompactLp& lp, const UseIndex& index, std::uint64_t limit, const SearchState& clear,
        SearchState& best, const DiveGoal& goal, const Interrupt& interrupt, double bound)
      : lp_(lp),
        index_(index),
        limit_(limit),
        clear_(clear),
        best_(best),
        goal_(goal),
        interrupt_(interrupt),
        bound_(bound) {}

  [[nodiscard]] bool goes_on() const {
    return iterations_ < goal_.iterations && solves_ < goal_.solves &&
           best_.seconds() > bound_ * (1 + goal_.stop_gap);
  }

  /// One dive; `rng` draws its decisions, or the clearest are taken if there is none.
  Result<void> run(const Relaxation& root, Rng* rng) {
    std::vector<Decision> made;
    Relaxation here = root;
    Result<void> out;
    while (goes_on()) {
      const auto open = CompactLp::open_decisions(here);
      if (open.empty()) break;
      const Step step = rng != nullptr ? drawn(here, open, *rng) : clearest(here, open);
      made.push_back(step.decision);
      auto alive = follow(step.decision, step.fast, here);
      if (alive && !*alive && goes_on()) alive = follow(step.decision, !step.fast, here);
      if (!alive) out = alive.error();
      if (!alive || !*alive) break;
    }
    for (const auto decision : made) lp_.undecide(decision);
    return out;
  }

  /// Grows the tree best first.
  Result<double> grow(const UseIndex& index, const Relaxation& root) {
    std::multimap<double, std::vector<Step>> open;  // bound → decisions made
    std::vector<Step> made;
    Relaxation here = root;
    open.emplace(root.bound_seconds, made);
    while (!open.empty() && goes_on()) {
      const auto node = open.extract(open.begin());
      bound_ = std::min(node.key(), best_.seconds());
      if (node.key() >= best_.seconds()) break;  // so are all others
      for (const auto& step : made) lp_.undecide(step.decision);
      made = node.mapped();
      for (const auto& step : made) lp_.decide(step.decision, step.fast);
      METE_TRY(const bool alive, made.empty() ? Result<bool>(true) : again(here));
      const auto decisions = CompactLp::open_decisions(here);
      if (!alive || decisions.empty()) continue;
      const Decision next = least_clear(index, here, decisions);
      for (const bool fast : {true, false}) {
        Relaxation side = here;
        METE_TRY(const bool worth, follow(next, fast, side));
        if (!worth) continue;
        auto path = made;
        path.push_back({.decision = next, .fast = fast});
        open.emplace(std::max(side.bound_seconds, node.key()), std::move(path));
      }
      lp_.undecide(next);
    }
    for (const auto& step : made) lp_.undecide(step.decision);
    const double lowest = open.empty() ? best_.seconds() : open.begin()->first;
    return std::min(best_.seconds(), lowest);
  }

 private:
  /// Solves a node of the tree once more, to branch there.
  Result<bool> again(Relaxation& here) {
    METE_TRY(here, lp_.solve(limit_, interrupt_));
    ++solves_;
    iterations_ += here.iterations;
    return true;
  }

  static Decision least_clear(const UseIndex& index, const Relaxation& here,
                              const std::vector<Decision>& open) {
    Decision best = open.front();
    double most = -1;
    for (const auto decision : open) {
      const auto t = static_cast<std::size_t>(
          std::upper_bound(index.first.begin(), index.first.end(), decision.use) -
          index.first.begin() - 1);
      const double x = value_of(here, decision);
      const double score = std::min(x, 1 - x) * static_cast<double>(index.bytes[t]);
      if (score <= most) continue;
      most = score;
      best = decision;
    }
    return best;
  }

  /// False if this side is not worth going on.
  Result<bool> follow(Decision decision, bool fast, Relaxation& here) {
    lp_.decide(decision, fast);
    auto solved = lp_.solve(limit_, interrupt_);
    ++solves_;
    if (!solved && solved.error().code == Errc::unsupported) return false;
    if (!solved) return solved.error();
    iterations_ += solved->iterations;
    if (solved->bound_seconds >= best_.seconds()) return false;
    here = std::move(*solved);
    SearchState state = clear_;
    round_and_repair(state, index_, here);
    if (state.seconds() < best_.seconds()) best_.take(state);
    return true;
  }

  CompactLp& lp_;
  const UseIndex& index_;
  std::uint64_t limit_;
  const SearchState& clear_;
  SearchState& best_;
  const DiveGoal& goal_;
  const Interrupt& interrupt_;
  std::int64_t iterations_ = 0;
  int solves_ = 0;
  double bound_;
};

}  // namespace

Result<void> dive(CompactLp& lp, const UseIndex& index, std::uint64_t limit, const Relaxation& root,
                  const SearchState& clear, SearchState& best, Rng& rng, const DiveGoal& goal,
                  const Interrupt& interrupt) {
  if (CompactLp::open_decisions(root).empty()) return {};
  Diver diver(lp, index, limit, clear, best, goal, interrupt, root.bound_seconds);
  METE_TRY_VOID(diver.run(root, nullptr));
  while (diver.goes_on()) METE_TRY_VOID(diver.run(root, &rng));
  return {};
}

Result<double> branch(CompactLp& lp, const UseIndex& index, std::uint64_t limit,
                      const Relaxation& root, const SearchState& clear, SearchState& best,
                      const DiveGoal& goal, const Interrupt& interrupt) {
  Diver diver(lp, index, limit, clear, best, goal, interrupt, root.bound_seconds);
  return diver.grow(index, root);
}

}  // namespace mete
