// Relax, round, repair, search.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/solvers/compact/compact.h"

#include <algorithm>
#include <cmath>

#include "mete/placement/compact_lp.h"
#include "mete/placement/local_search.h"

namespace mete {
namespace {

constexpr double kWork = 4e6;  // steps of dynamic programming at effort 1

/// Static placements cannot bring a tensor in for one kernel: what one kernel needs stays for life.
Result<void> check_static_limit(const Problem& problem, const UseIndex& index,
                                std::uint64_t limit) {
  std::vector<std::int64_t> change(problem.kernels.size() + 1, 0);
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    std::uint8_t must = 0;
    for (auto u = index.first[t]; u < index.first[t + 1]; ++u) must |= index.forced[u];
    if (must == 0) continue;
    change[index.kernel[index.first[t]]] += index.bytes[t];
    change[index.kernel[index.first[t + 1] - 1] + std::size_t{1}] -= index.bytes[t];
  }
  std::int64_t now = 0;
  std::int64_t most = 0;
  for (const auto c : change) most = std::max(most, now += c);
  if (static_cast<std::uint64_t>(most) <= limit) return {};
  return fail(Errc::invalid,
              "the limit of {} bytes of fast memory is below the {} that a static placement needs, "
              "which is the least that works; or let tensors move (--optimizer synchronous)",
              limit, most);
}

Result<Outcome> solve_relaxed(const Problem& problem, const SolveRequest& request, MoveKind moves) {
  const NoInterrupt never;
  const Interrupt& interrupt = request.interrupt != nullptr ? *request.interrupt : never;
  const UseIndex index(problem);
  if (moves == MoveKind::none) {
    METE_TRY_VOID(check_static_limit(problem, index, request.limit_bytes));
  }
  const auto limit = std::min(request.limit_bytes, all_fast_peak(problem));
  METE_TRY(auto lp, CompactLp::start(problem, index, moves, limit, *request.lp));
  METE_TRY(const auto relaxation, lp.solve(limit, interrupt));
  SearchState state(problem, index, limit, moves);
  round_and_repair(state, index, relaxation);
  Rng rng(request.seed);
  search(state, index, relaxation, rng,
         {.stop_seconds = relaxation.bound_seconds * (1 + request.target_gap),
          .work = static_cast<std::uint64_t>(request.effort * kWork),
          .interrupt = &interrupt});
  if (interrupt.signal() != 0) return fail(Errc::gone, "interrupted");
  return Outcome{.placement = state.placement(), .lower_bound_seconds = relaxation.bound_seconds};
}

}  // namespace

Result<Outcome> solve_static(const Problem& problem, const SolveRequest& request) {
  return solve_relaxed(problem, request, MoveKind::none);
}

Result<Outcome> solve_synchronous(const Problem& problem, const SolveRequest& request) {
  return solve_relaxed(problem, request, MoveKind::synchronous);
}

}  // namespace mete
