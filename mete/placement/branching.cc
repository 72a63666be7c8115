// Depth first: the likelier side of each decision, then, on the way back, the other side of the
// latest ones.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/branching.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mete/placement/local_search.h"

namespace mete {
namespace {

struct Step {
  CompactLp::Decision decision;
  bool fast = false;
  bool both = false;  ///< the other side was tried already
};

double value_of(const Relaxation& relaxation, CompactLp::Decision decision) {
  return decision.gap ? relaxation.kept_fast[decision.use] : relaxation.in_fast[decision.use];
}

/// The open decision nearest to a whole number: it moves the bound least.
Step next_step(const Relaxation& relaxation, const std::vector<CompactLp::Decision>& open) {
  Step best;
  double least = 1;
  for (const auto decision : open) {
    const double x = value_of(relaxation, decision);
    const double distance = std::min(x, 1 - x);
    if (distance >= least) continue;
    least = distance;
    best = {.decision = decision, .fast = x > 0.5, .both = false};
  }
  return best;
}

}  // namespace

Result<void> branch(CompactLp& lp, const UseIndex& index, std::uint64_t limit,
                    const Relaxation& root, const SearchState& clear, SearchState& best,
                    const BranchGoal& goal, const Interrupt& interrupt) {
  std::vector<Step> path;
  std::int64_t iterations = 0;
  int solves = 0;
  Relaxation here = root;
  bool dead = false;
  while (iterations < goal.iterations && solves < goal.solves &&
         best.seconds() > goal.stop_seconds) {
    const auto open = dead ? std::vector<CompactLp::Decision>{} : CompactLp::open_decisions(here);
    if (open.empty()) {
      while (!path.empty() && path.back().both) {
        lp.undecide(path.back().decision);
        path.pop_back();
      }
      if (path.empty()) break;  // every branch was walked or cut
      path.back().fast = !path.back().fast;
      path.back().both = true;
    } else {
      path.push_back(next_step(here, open));
    }
    lp.decide(path.back().decision, path.back().fast);
    auto solved = lp.solve(limit, interrupt);
    ++solves;
    if (!solved) {
      if (solved.error().code != Errc::unsupported) return solved.error();
      dead = true;
      iterations += 1;
      continue;
    }
    here = std::move(*solved);
    iterations += here.iterations;
    dead = here.bound_seconds >= best.seconds();
    if (dead) continue;
    SearchState state = clear;
    round_and_repair(state, index, here);
    if (state.seconds() < best.seconds()) best.take(state);
  }
  for (const auto& step : path) lp.undecide(step.decision);
  return {};
}

}  // namespace mete
