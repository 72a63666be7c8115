// Relax, round, repair, search.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/solvers/compact/compact.h"

#include <algorithm>
#include <cmath>

#include "mete/placement/compact_lp.h"
#include "mete/placement/diving.h"
#include "mete/placement/local_search.h"

namespace mete {
namespace {

// At effort 1: steps of dynamic programming and solves of the linear program, phase by phase.
constexpr double kShortWork = 4e5;
constexpr double kLongWork = 1.5e6;
constexpr double kAgainWork = 3e6;           // of solving again, where there are no other phases
constexpr std::uint64_t kLimitSteps = 2000;  // of the limit: how fine it is bisected
constexpr double kWorkPerUse = 2000;         // small problems are soon searched through
constexpr double kRounding = 1e-9;           // bound and seconds are sums in different orders
constexpr int kShortSolves = 8;
constexpr int kLongSolves = 60;
constexpr std::int64_t kIterations =
    4;  // of the simplex method, as a multiple of the first solve's

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

/// From the relaxation to a placement: each phase is tried only if those before left too much gap.
class Refinement {
 public:
  Refinement(const Problem& problem, const UseIndex& index, const SolveRequest& request,
             std::uint64_t limit, MoveKind moves, CompactLp& lp, Relaxation root,
             const Interrupt& interrupt)
      : index_(index),
        request_(request),
        limit_(limit),
        lp_(lp),
        root_(std::move(root)),
        interrupt_(interrupt),
        rng_(request.seed),
        clear_(problem, index, limit, moves),
        best_(clear_),
        bound_(root_.bound_seconds) {}

  Result<Outcome> run() {
    round_and_repair(best_, index_, root_);
    const DiveGoal brief = goal(kShortSolves);
    const DiveGoal ample = goal(kLongSolves);
    if (open())
      METE_TRY_VOID(dive(lp_, index_, limit_, root_, clear_, best_, rng_, brief, interrupt_));
    look_around(kShortWork);
    if (open())
      METE_TRY_VOID(dive(lp_, index_, limit_, root_, clear_, best_, rng_, ample, interrupt_));
    look_around(kShortWork);
    if (open()) {
      METE_TRY(bound_, branch(lp_, index_, limit_, root_, clear_, best_, ample, interrupt_));
      bound_ = std::max(bound_, root_.bound_seconds);
    }
    look_around(kLongWork);
    if (interrupt_.signal() != 0) return fail(Errc::gone, "interrupted");
    return Outcome{.placement = best_.placement(),
                   .lower_bound_seconds = bound_,
                   .memory_price = std::move(root_.memory_price)};
  }

 private:
  [[nodiscard]] DiveGoal goal(int solves) const {
    return {.stop_gap = request_.target_gap,
            .iterations = static_cast<std::int64_t>(
                request_.effort * static_cast<double>(kIterations * root_.iterations + 1000)),
            .solves = static_cast<int>(request_.effort * solves)};
  }
  [[nodiscard]] bool open() const {
    return best_.seconds() > bound_ * (1 + request_.target_gap + kRounding) &&
           interrupt_.signal() == 0;
  }
  void look_around(double work) {
    if (!open()) return;
    work = std::min(work, kWorkPerUse * static_cast<double>(index_.uses()));
    search(best_, index_, root_, rng_,
           {.stop_seconds = bound_ * (1 + request_.target_gap),
            .work = static_cast<std::uint64_t>(request_.effort * work),
            .interrupt = &interrupt_});
  }

  const UseIndex& index_;
  const SolveRequest& request_;
  std::uint64_t limit_;
  CompactLp& lp_;
  Relaxation root_;
  const Interrupt& interrupt_;
  Rng rng_;
  SearchState clear_;
  SearchState best_;
  double bound_;
};

/// From an answer for more room: what lost its place is placed again, and local search mends what
/// that broke.
Result<Outcome> solve_again(const Problem& problem, const UseIndex& index,
                            const SolveRequest& request, std::uint64_t limit, MoveKind moves) {
  const WarmStart& warm = *request.warm;
  if (warm.placement.tensors.size() != problem.tensors.size() ||
      warm.memory_price.size() != problem.kernels.size()) {
    return fail(Errc::internal, "a warm start of another problem than {}", problem.name);
  }
  SearchState state(problem, index, limit, moves);
  take_and_repair(state, index, warm.placement, warm.memory_price);
  Relaxation known;
  known.bound_seconds = warm.lower_bound_seconds;
  known.memory_price = warm.memory_price;
  Rng rng(request.seed);
  const double work = std::min(kAgainWork, kWorkPerUse * static_cast<double>(index.uses()));
  search(state, index, known, rng,
         {.stop_seconds = warm.enough_seconds * (1 + request.target_gap),
          .work = static_cast<std::uint64_t>(request.effort * work),
          .interrupt = request.interrupt});
  if (request.interrupt != nullptr && request.interrupt->signal() != 0)
    return fail(Errc::gone, "interrupted");
  return Outcome{.placement = state.placement(),
                 .lower_bound_seconds = warm.lower_bound_seconds,
                 .memory_price = warm.memory_price};
}

Result<Outcome> solve_relaxed(const Problem& problem, const SolveRequest& request, MoveKind moves) {
  const NoInterrupt never;
  const Interrupt& interrupt = request.interrupt != nullptr ? *request.interrupt : never;
  const UseIndex index(problem);
  if (moves == MoveKind::none) {
    METE_TRY_VOID(check_static_limit(problem, index, request.limit_bytes));
  }
  const auto limit = std::min(request.limit_bytes, all_fast_peak(problem));
  if (request.warm != nullptr) return solve_again(problem, index, request, limit, moves);
  METE_TRY(auto lp, CompactLp::start(problem, index, moves, limit, *request.lp));
  METE_TRY(auto root, lp.solve(limit, interrupt));
  return Refinement(problem, index, request, limit, moves, lp, std::move(root), interrupt).run();
}

/// Bisects the relaxation alone, which costs little from one limit to the next.
Result<std::uint64_t> least_of(const Problem& problem, MoveKind moves, double seconds,
                               LpRuntime& runtime, const Interrupt& interrupt) {
  const UseIndex index(problem);
  std::uint64_t high = all_fast_peak(problem);
  std::uint64_t low = least_memory(problem).bytes;
  METE_TRY(auto lp, CompactLp::start(problem, index, moves, high, runtime));
  while (high - low > std::max<std::uint64_t>(1, high / kLimitSteps)) {
    const std::uint64_t middle = low + (high - low) / 2;
    const auto relaxation = lp.solve(middle, interrupt);
    if (!relaxation && relaxation.error().code != Errc::unsupported) return relaxation.error();
    const bool enough = relaxation && relaxation->bound_seconds <= seconds;
    (enough ? high : low) = middle;
  }
  return low;
}

}  // namespace

Result<Outcome> solve_static(const Problem& problem, const SolveRequest& request) {
  return solve_relaxed(problem, request, MoveKind::none);
}

Result<Outcome> solve_synchronous(const Problem& problem, const SolveRequest& request) {
  return solve_relaxed(problem, request, MoveKind::synchronous);
}

Result<ReturningRelaxation> relax_returning(const Problem& problem, const SolveRequest& request,
                                            bool overlapped) {
  const NoInterrupt never;
  const Interrupt& interrupt = request.interrupt != nullptr ? *request.interrupt : never;
  const UseIndex index(problem);
  const auto limit = std::min(request.limit_bytes, all_fast_peak(problem));
  const auto moves = overlapped ? MoveKind::overlapped : MoveKind::synchronous;
  METE_TRY(auto lp, CompactLp::start(problem, index, moves, limit, *request.lp));
  METE_TRY(const auto root, lp.solve(limit, interrupt));
  ReturningRelaxation out{.bound_seconds = root.bound_seconds, .fast_at_end = {}};
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    out.fast_at_end.push_back(root.in_fast[index.first[t + 1] - 1]);
  }
  return out;
}

Result<std::uint64_t> least_static_memory(const Problem& problem, double seconds,
                                          LpRuntime& runtime, const Interrupt& interrupt) {
  return least_of(problem, MoveKind::none, seconds, runtime, interrupt);
}

Result<std::uint64_t> least_synchronous_memory(const Problem& problem, double seconds,
                                               LpRuntime& runtime, const Interrupt& interrupt) {
  return least_of(problem, MoveKind::synchronous, seconds, runtime, interrupt);
}

}  // namespace mete
