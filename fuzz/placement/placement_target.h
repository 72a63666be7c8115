// What any bytes must do in the readers of placement problems and plans: be refused in one line
// that names the file, or give something that the solvers by rule can answer and the judge accepts.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "fuzz/check.h"

#include "mete/base/gzip.h"
#include "mete/placement/solver.h"

namespace mete::fuzz {

/// What two kernels and two tensors need: the problem that plans are read against.
inline Problem placement_example() {
  Problem problem;
  problem.name = "example";
  problem.rates = {.fast_to_slow = 10, .slow_to_fast = 20};
  problem.add_tensor(100);
  problem.add_tensor(60);
  problem.add_kernel("make", {0}, {1, 4});
  problem.add_kernel("other", {1}, {2, 3});
  problem.add_additive_kernel("read", {0, 1}, 5, {7, 1});
  return problem;
}

inline void placement_target(std::string_view bytes) {
  const auto problem = parse_problem(bytes, "file");
  if (problem) {
    require(check(*problem).has_value(), "a problem that is read is sound");
    const auto again = parse_problem(to_json(*problem).dump(-1), "file");
    require(again.has_value(), "a problem that is written can be read");
    for (const auto* name : {"all-fast", "all-slow", "numa"}) {
      const auto solver = find_solver(name);
      const auto solved = solve(**solver, *problem, {});
      // Refused only where some kernel cannot run so; an answer was judged already.
      require(solved.has_value() || solved.error().code == Errc::unsupported,
              solved ? "" : solved.error().what);
    }
  } else {
    require_fair(problem.error(), "file: ");
  }
  const auto plan = parse_placement(bytes, placement_example(), "file");
  if (plan) {
    require(validate(placement_example(), plan->placement, plan->figures.limit_bytes).has_value(),
            "a plan that is read is legal");
  } else {
    require_fair(plan.error(), "file: ");
  }
  const auto text = gunzip(bytes, 1U << 20U, "file");
  if (!text) require_fair(text.error(), "file: ");
}

}  // namespace mete::fuzz
