// Small random problems, and the answer of trying every placement. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "mete/base/rng.h"
#include "mete/placement/placement.h"
#include "mete/placement/problem.h"

namespace mete::test {

/// `forced`: some placements cannot run. Tables are noisy: slow memory is sometimes the faster.
inline Problem random_problem(Rng& rng, std::size_t tensors, std::size_t kernels, bool forced) {
  Problem problem;
  problem.name = "random";
  problem.rates = {.fast_to_slow = 12, .slow_to_fast = 29};
  for (std::size_t t = 0; t < tensors; ++t) problem.add_tensor(1 + rng.below(60));
  for (std::size_t k = 0; k < kernels; ++k) {
    std::vector<std::uint32_t> touched;
    for (std::uint32_t t = 0; t < tensors; ++t) {
      if (touched.size() < 3 && rng.uniform() < 0.5) touched.push_back(t);
    }
    if (touched.empty()) touched.push_back(static_cast<std::uint32_t>(rng.below(tensors)));
    const double base = rng.uniform() * 4;
    if (rng.uniform() < 0.3) {
      std::vector<double> slow;
      for (std::size_t b = 0; b < touched.size(); ++b) {
        slow.push_back(forced && rng.uniform() < 0.2 ? kCannotRun : rng.uniform() * 5);
      }
      problem.add_additive_kernel("sum", touched, base, slow);
      continue;
    }
    const std::size_t never = forced ? rng.below(std::size_t{1} << touched.size()) &
                                           rng.below(std::size_t{1} << touched.size())
                                     : 0;
    std::vector<double> table;
    for (std::size_t mask = 0; mask < std::size_t{1} << touched.size(); ++mask) {
      double slow = 0;
      for (std::size_t b = 0; b < touched.size(); ++b) slow += ((mask >> b) & 1U) != 0 ? 2.0 : 0;
      table.push_back((mask & never) != 0 ? kCannotRun : base + slow * (0.2 + 2 * rng.uniform()));
    }
    problem.add_kernel("table", touched, table);
  }
  for (std::uint32_t t = 0; t < tensors; ++t) {  // every tensor must be used
    if (problem.tensors[t].uses.empty()) {
      problem.add_additive_kernel("use", {t}, 1, {rng.uniform()});
    }
  }
  return problem;
}

/// The fewest seconds of any placement within the limit, as the judge finds them; infinity if
/// there is none. `still`: only those that never move.
inline double try_all(const Problem& problem, std::uint64_t limit, bool still) {
  Placement placement;
  for (const auto& tensor : problem.tensors) {
    placement.tensors.push_back(
        {.in_fast = std::vector<std::uint8_t>(tensor.uses.size(), 0),
         .kept_fast = std::vector<std::uint8_t>(tensor.uses.size() - 1, 0)});
  }
  double best = std::numeric_limits<double>::infinity();
  const std::function<void(std::size_t)> from = [&](std::size_t t) {
    if (t == placement.tensors.size()) {
      if (const auto verdict = validate(problem, placement, limit)) {
        best = std::min(best, verdict->seconds);
      }
      return;
    }
    auto& place = placement.tensors[t];
    const std::size_t uses = place.in_fast.size();
    for (std::size_t in = 0; in < std::size_t{1} << uses; ++in) {
      for (std::size_t kept = 0; kept < std::size_t{1} << (uses - 1); ++kept) {
        if ((kept & ~(in & (in >> 1U))) != 0) continue;
        const bool whole = in == 0 || (in + 1 == std::size_t{1} << uses &&
                                       kept + 1 == std::size_t{1} << (uses - 1));
        if (still && !whole) continue;
        for (std::size_t j = 0; j < uses; ++j) {
          place.in_fast[j] = (in >> j) & 1U;
          if (j + 1 < uses) place.kept_fast[j] = (kept >> j) & 1U;
        }
        from(t + 1);
      }
    }
  };
  from(0);
  return best;
}

}  // namespace mete::test
