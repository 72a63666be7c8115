// Solvers: from a problem and a limit on fast memory to a placement with a proven bound.
//
// To add one: mete/placement/solvers/<name>/, and a line in solvers.cc. It gets the judge, the
// comparison with brute force on small problems, and the report of bound and gap.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/placement/lp.h"
#include "mete/placement/placement.h"
#include "mete/placement/problem.h"

namespace mete {

/// An answer to the same problem with more room at some kernels, to begin from: its bound holds for
/// less room too, and its prices are near.
struct WarmStart {
  Placement placement;
  std::vector<double> memory_price;  ///< per kernel: seconds that one more byte there would save
  double lower_bound_seconds = 0;
  double enough_seconds = 0;  ///< of a placement with all the room: local search ends near it
};

struct SolveRequest {
  std::uint64_t limit_bytes = kNoLimit;
  std::uint64_t seed = 1;
  double target_gap = 4.5e-4;  ///< local search ends here
  /// Bounds local search in steps of its own, so that the same seed gives the same answer on a slow
  /// machine and a busy one; 1 is meant for a second or less on problems of a thousand kernels.
  double effort = 1;
  LpRuntime* lp = nullptr;  ///< for solvers with needs_lp
  const Interrupt* interrupt = nullptr;
  /// Used by static and synchronous: no linear program is solved again. The others begin anew.
  const WarmStart* warm = nullptr;
};

struct Outcome {
  Placement placement;
  double lower_bound_seconds = 0;         ///< proven: no placement of this solver's kind is faster
  std::vector<double> memory_price = {};  ///< as in WarmStart; empty if the solver has none
};

struct Solver {
  std::string_view name;
  std::string_view description;
  bool needs_lp = false;
  /// The problem is checked; its limit is at least least_memory(). `unsupported` if this kind of
  /// placement cannot meet the limit; says the least that works if that is known.
  Result<Outcome> (*solve)(const Problem& problem, const SolveRequest& request);
  /// Less fast memory than this cannot give `seconds`: where to start looking. May be absent.
  Result<std::uint64_t> (*least)(const Problem& problem, double seconds, LpRuntime& runtime,
                                 const Interrupt& interrupt) = nullptr;
};

/// All of them, in the order of `mete list solvers`.
std::span<const Solver> builtin_solvers();
/// The solver, or `invalid` with the nearest names.
Result<const Solver*> find_solver(std::string_view name);

/// A judged plan: what the solver found, with its figures from validate().
struct SolvedPlan {
  StoredPlan plan;
  Verdict verdict;
  std::vector<double> memory_price = {};  ///< as in WarmStart; empty if the solver has none
};
/// Checks the limit, solves, and has the answer judged. `invalid` if the limit is below what the
/// largest kernel needs, with the least that works; `internal` if the judge refuses the answer.
Result<SolvedPlan> solve(const Solver& solver, const Problem& problem, const SolveRequest& request);

/// Where to look for the least limit that is enough.
struct LimitSearch {
  std::uint64_t lowest = 0;   ///< too little, or nearly; not tried
  std::uint64_t first = 0;    ///< tried first: near what is expected
  std::uint64_t most = 0;     ///< more is of no use
  std::uint64_t parts = 500;  ///< found to one part in so many
};
/// Widens from `first` until a limit is enough, then halves what is between. `attempt` keeps what
/// it found at the least limit that was enough: its last success. An attempt's `unsupported` or
/// `invalid` means too little for this kind of placement; other errors end the search. False if
/// even `most` is not enough.
Result<bool> search_least(const LimitSearch& search,
                          const std::function<Result<bool>(std::uint64_t limit)>& attempt);
/// What to say then.
Error stays_above(const Solver& solver, double slowdown);

/// The least fast memory with which `solver` stays within (1 + slowdown) × all-fast seconds.
struct LeastFastMemory {
  SolvedPlan solved;
  std::uint64_t proven_bytes = 0;  ///< with less than this nobody can; 0 if the solver proves none
};
Result<LeastFastMemory> least_fast_memory(const Solver& solver, const Problem& problem,
                                          const SolveRequest& request, double slowdown);

/// The part of all memory that is fast: a fifth for "4:1" or "4" (slow : fast).
Result<double> fast_share_of(std::string_view ratio);
/// "4:1" or "4" (slow : fast): fast memory for 1 / (4 + 1) of all_fast_peak(). "1:0" is none,
/// "0:1" all.
Result<std::uint64_t> limit_of_ratio(std::string_view ratio, const Problem& problem);

}  // namespace mete
