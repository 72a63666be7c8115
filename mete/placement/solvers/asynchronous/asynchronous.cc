// Plans first, then hides the moves: no chunk is longer than the kernel it travels beside, so
// hiding never costs time.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/solvers/asynchronous/asynchronous.h"

#include <algorithm>
#include <cmath>

#include "mete/placement/compact_lp.h"
#include "mete/placement/solvers/compact/compact.h"

namespace mete {
namespace {

// What a move is taken to cost while planning, as a share of what it costs when nothing hides it.
constexpr double kShares[] = {1, 0.5, 0.25, 0.1, 0.02};
constexpr double kEffortShare = 0.3;  // of the request's, for each of them

/// Finds room beside kernels for the moves of one placement.
class MoveHider {
 public:
  MoveHider(const Problem& problem, const UseIndex& index, Placement& placement,
            std::uint64_t limit)
      : problem_(problem),
        index_(index),
        placement_(placement),
        room_(problem.kernels.size(), static_cast<std::int64_t>(limit)) {
    std::vector<std::size_t> next(problem.tensors.size(), 0);
    for (const auto& kernel : problem.kernels) {
      double seconds = kernel.fast_seconds;
      std::size_t mask = 0;
      for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
        const auto t = kernel.tensors[b];
        if (placement.tensors[t].in_fast[next[t]++] == 1) continue;
        mask |= kernel.additive() ? 0 : std::size_t{1} << b;
        if (kernel.additive()) seconds += kernel.slow_seconds[b];
      }
      if (!kernel.additive()) seconds = kernel.seconds[mask];
      out_left_.push_back(std::floor(seconds * problem.rates.fast_to_slow));
      in_left_.push_back(std::floor(seconds * problem.rates.slow_to_fast));
    }
    for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
      const auto reserved = static_cast<std::int64_t>(problem.kernels[k].reserved_bytes);
      if (reserved > 0) room_.add(k, k + 1, -reserved);
    }
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) occupy(t);
  }

  void hide() {
    // Large moves first: they have the fewest places to hide.
    std::vector<std::uint32_t> order(problem_.tensors.size());
    for (std::uint32_t t = 0; t < order.size(); ++t) order[t] = t;
    std::stable_sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      return index_.bytes[a] > index_.bytes[b];
    });
    for (const auto t : order) hide_tensor(t);
  }

 private:
  void occupy(std::size_t t) {
    const auto& place = placement_.tensors[t];
    const auto& uses = problem_.tensors[t].uses;
    for (std::size_t j = 0; j < uses.size(); ++j) {
      if (place.in_fast[j] == 1) room_.add(uses[j], uses[j] + std::size_t{1}, -index_.bytes[t]);
      if (j + 1 < uses.size() && place.kept_fast[j] == 1) {
        room_.add(uses[j] + std::size_t{1}, uses[j + 1], -index_.bytes[t]);
      }
    }
  }

  void hide_tensor(std::uint32_t t) {
    const auto& place = placement_.tensors[t];
    const auto& uses = problem_.tensors[t].uses;
    if (index_.bytes[t] == 0) return;
    bool unwritten = place.in_fast[0] == 1;
    for (std::uint32_t gap = 0; gap + 1 < uses.size(); ++gap) {
      if (place.kept_fast[gap] == 1) continue;
      std::size_t free_from = uses[gap] + std::size_t{1};
      if (unwritten) free_from = std::max(free_from, hide_write(t, gap));
      unwritten = false;
      if (place.in_fast[gap + 1] == 1) hide_read(t, gap, free_from);
    }
  }

  std::uint64_t carry(std::vector<double>& left, MoveChunk chunk, std::uint64_t rest) {
    const auto bytes =
        static_cast<std::uint64_t>(std::min(static_cast<double>(rest), left[chunk.kernel]));
    if (bytes == 0) return 0;
    left[chunk.kernel] -= static_cast<double>(bytes);
    chunk.bytes = bytes;
    placement_.chunks.push_back(chunk);
    return bytes;
  }

  /// Where the read of the same gap may begin.
  std::size_t hide_write(std::uint32_t t, std::uint32_t gap) {
    const auto& uses = problem_.tensors[t].uses;
    auto rest = static_cast<std::uint64_t>(index_.bytes[t]);
    std::size_t end = 0;
    for (std::size_t k = uses[0] + std::size_t{1}; k < uses[gap + 1] && rest > 0; ++k) {
      // Until its last use in fast memory it is there anyway; after that it holds room.
      if (k > uses[gap]) {
        if (room_.least(k, k + 1) < index_.bytes[t]) break;
        room_.add(k, k + 1, -index_.bytes[t]);
      }
      const auto bytes = carry(out_left_,
                               {.tensor = t,
                                .gap = gap,
                                .to_fast = false,
                                .kernel = static_cast<std::uint32_t>(k),
                                .bytes = 0},
                               rest);
      rest -= bytes;
      end = k + 1;
    }
    return end;
  }

  void hide_read(std::uint32_t t, std::uint32_t gap, std::size_t from) {
    auto rest = static_cast<std::uint64_t>(index_.bytes[t]);
    for (std::size_t k = problem_.tensors[t].uses[gap + 1]; k-- > from && rest > 0;) {
      if (room_.least(k, k + 1) < index_.bytes[t]) break;
      room_.add(k, k + 1, -index_.bytes[t]);
      rest -= carry(in_left_,
                    {.tensor = t,
                     .gap = gap,
                     .to_fast = true,
                     .kernel = static_cast<std::uint32_t>(k),
                     .bytes = 0},
                    rest);
    }
  }

  const Problem& problem_;
  const UseIndex& index_;
  Placement& placement_;
  RoomTree room_;
  std::vector<double> out_left_;  ///< per kernel: bytes that still fit beside it
  std::vector<double> in_left_;
};

}  // namespace

Result<Outcome> solve_asynchronous(const Problem& problem, const SolveRequest& request) {
  const NoInterrupt never;
  const Interrupt& interrupt = request.interrupt != nullptr ? *request.interrupt : never;
  const UseIndex index(problem);
  const auto limit = std::min(request.limit_bytes, all_fast_peak(problem));
  METE_TRY(auto lp, CompactLp::start(problem, index, MoveKind::overlapped, limit, *request.lp));
  METE_TRY(const auto relaxation, lp.solve(limit, interrupt));
  Outcome best;
  double best_seconds = std::numeric_limits<double>::infinity();
  SolveRequest part = request;
  part.effort = request.effort * kEffortShare;
  part.warm = nullptr;  // of other rates
  for (const double share : kShares) {
    Problem cheaper = problem;
    cheaper.rates.fast_to_slow /= share;
    cheaper.rates.slow_to_fast /= share;
    METE_TRY(auto planned, solve_synchronous(cheaper, part));
    MoveHider(problem, index, planned.placement, limit).hide();
    METE_TRY(const auto verdict, validate(problem, planned.placement, limit));
    if (verdict.seconds >= best_seconds) continue;
    best_seconds = verdict.seconds;
    best.placement = std::move(planned.placement);
  }
  best.lower_bound_seconds = relaxation.bound_seconds;
  return best;
}

}  // namespace mete
