// The solvers, in order, and what all of them share: limits, and the judge.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "mete/base/text.h"
#include "mete/placement/solver.h"
#include "mete/placement/solvers/asynchronous/asynchronous.h"
#include "mete/placement/solvers/autotm/autotm.h"
#include "mete/placement/solvers/baseline/baseline.h"
#include "mete/placement/solvers/compact/compact.h"

namespace mete {
namespace {

constexpr Solver kSolvers[] = {
    {"all-fast", "everything in fast memory", false, solve_all_fast},
    {"all-slow", "everything in slow memory", false, solve_all_slow},
    {"numa", "first touch: a tensor is fast for life if there is room when it is born", false,
     solve_numa},
    {"static", "each tensor fast or slow for life, chosen by the profile", true, solve_static,
     least_static_memory},
    {"synchronous", "tensors move between kernels; the step waits for each move", true,
     solve_synchronous, least_synchronous_memory},
    {"asynchronous", "moves travel in chunks beside kernels, both directions at once", true,
     solve_asynchronous},
    {"autotm", "AutoTM's integer program as written, on CBC: for auditing small graphs", true,
     solve_autotm},
};

constexpr std::uint64_t kSearchParts = 500;

}  // namespace

std::span<const Solver> builtin_solvers() { return kSolvers; }

Result<const Solver*> find_solver(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& solver : kSolvers) {
    if (solver.name == name) return &solver;
    names.emplace_back(solver.name);
  }
  return fail(Errc::invalid, "no optimizer '{}'{}; there are {}", name, did_you_mean(name, names),
              join(names, ", "));
}

Result<SolvedPlan> solve(const Solver& solver, const Problem& problem,
                         const SolveRequest& request) {
  const auto least = least_memory(problem);
  if (request.limit_bytes < least.bytes) {
    return fail(Errc::invalid,
                "the limit of {} bytes of fast memory is below the {} that kernel {} ({}) needs, "
                "which is the least that works",
                request.limit_bytes, least.bytes, least.kernel, problem.kernels[least.kernel].op);
  }
  if (solver.needs_lp && request.lp == nullptr) {
    return fail(Errc::internal, "{} was given no library for linear programs", solver.name);
  }
  METE_TRY(auto outcome, solver.solve(problem, request));
  auto verdict = validate(problem, outcome.placement, request.limit_bytes);
  if (!verdict) {
    return fail(Errc::internal, "{} made a placement that the judge refuses: {}", solver.name,
                verdict.error().what);
  }
  SolvedPlan out{.plan = {.figures = {}, .placement = std::move(outcome.placement)},
                 .verdict = *verdict,
                 .memory_price = std::move(outcome.memory_price)};
  PlanFigures& figures = out.plan.figures;
  figures.problem = problem.name;
  figures.source = problem.source;
  figures.solver = solver.name;
  figures.seed = request.seed;
  figures.limit_bytes = std::min(request.limit_bytes, all_fast_peak(problem));
  figures.peak_bytes = verdict->peak_bytes;
  figures.seconds = verdict->seconds;
  figures.all_fast_seconds = all_fast_seconds(problem);
  figures.lower_bound_seconds = std::min(outcome.lower_bound_seconds, verdict->seconds);
  figures.gap = verdict->seconds > 0
                    ? (verdict->seconds - figures.lower_bound_seconds) / verdict->seconds
                    : 0;
  return out;
}

Result<bool> search_least(const LimitSearch& search,
                          const std::function<Result<bool>(std::uint64_t)>& attempt) {
  const auto enough = [&](std::uint64_t limit) -> Result<bool> {
    auto tried = attempt(limit);
    if (tried || (tried.error().code != Errc::unsupported && tried.error().code != Errc::invalid)) {
      return tried;
    }
    return false;
  };
  const auto part = [&](std::uint64_t limit) {
    return std::max<std::uint64_t>(1, limit / search.parts);
  };
  std::uint64_t low = std::min(search.lowest, search.most);
  std::uint64_t high = std::clamp(search.first, low, search.most);
  for (std::uint64_t step = part(high);; step = std::max(2 * step, search.most / 1024)) {
    METE_TRY(const bool found, enough(high));
    if (found) break;
    if (high == search.most) return false;
    low = high;
    high += std::min(step, search.most - high);
  }
  while (high - low > part(high)) {
    const std::uint64_t middle = low + (high - low) / 2;
    METE_TRY(const bool found, enough(middle));
    (found ? high : low) = middle;
  }
  return true;
}

Error stays_above(const Solver& solver, double slowdown) {
  return fail(
      Errc::invalid,
      "{} stays more than {} above all-fast with all the fast memory there is use for; allow "
      "a larger slowdown, or choose another optimizer",
      solver.name, format_percent(slowdown));
}

Result<LeastFastMemory> least_fast_memory(const Solver& solver, const Problem& problem,
                                          const SolveRequest& request, double slowdown) {
  const NoInterrupt never;
  const Interrupt& interrupt = request.interrupt != nullptr ? *request.interrupt : never;
  const double goal = all_fast_seconds(problem) * (1 + slowdown);
  std::uint64_t low = least_memory(problem).bytes;
  LeastFastMemory out;
  if (solver.least != nullptr && request.lp != nullptr) {
    METE_TRY(out.proven_bytes, solver.least(problem, goal, *request.lp, interrupt));
    low = std::max(low, out.proven_bytes);
  }
  // The least is seldom far above what is proven.
  const std::uint64_t first = low + std::max<std::uint64_t>(1, low / kSearchParts);
  SolveRequest asked = request;
  METE_TRY(const bool found, search_least({low, first, all_fast_peak(problem), kSearchParts},
                                          [&](std::uint64_t limit) -> Result<bool> {
                                            asked.limit_bytes = limit;
                                            METE_TRY(auto solved, solve(solver, problem, asked));
                                            if (solved.verdict.seconds > goal) return false;
                                            out.solved = std::move(solved);
                                            return true;
                                          }));
  if (!found) return stays_above(solver, slowdown);
  return out;
}

Result<double> fast_share_of(std::string_view ratio) {
  const auto parts = split(ratio, ':');
  const auto slow = parse_double(trim(parts[0]));
  const auto fast = parts.size() == 2 ? parse_double(trim(parts[1])) : 1.0;
  const bool right = parts.size() <= 2 && slow && fast && *slow >= 0 && *fast >= 0 &&
                     std::isfinite(*slow + *fast) && *slow + *fast > 0;
  if (!right) {
    return fail(Errc::invalid,
                "--ratio {}: expected slow:fast memory, as in 4:1 (one fifth of the peak is fast)",
                ratio);
  }
  return *fast / (*slow + *fast);
}

Result<std::uint64_t> limit_of_ratio(std::string_view ratio, const Problem& problem) {
  METE_TRY(const double share, fast_share_of(ratio));
  return static_cast<std::uint64_t>(
      std::floor(static_cast<double>(all_fast_peak(problem)) * share));
}

}  // namespace mete
