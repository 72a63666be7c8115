// All-fast, all-slow, and first touch.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/solvers/baseline/baseline.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace mete {
namespace {

constexpr std::uint64_t kPage = 4096;

void place_whole(const Problem& problem, Placement& placement, std::size_t t, bool fast) {
  const std::size_t uses = problem.tensors[t].uses.size();
  placement.tensors[t].in_fast.assign(uses, fast ? 1 : 0);
  placement.tensors[t].kept_fast.assign(uses - 1, fast ? 1 : 0);
}

/// No placement at all is faster than every kernel in its own best one.
double fastest_kernels(const Problem& problem) {
  double sum = 0;
  for (const auto& kernel : problem.kernels) {
    if (kernel.additive()) {
      sum += kernel.fast_seconds;
      for (const double s : kernel.slow_seconds) sum += std::min(0.0, s);
    } else {
      sum += *std::min_element(kernel.seconds.begin(), kernel.seconds.end());
    }
  }
  return sum;
}

/// The first tensor that is slow where a kernel cannot run so.
Result<void> check_forced(const Problem& problem, const Placement& placement,
                          std::string_view rule) {
  const auto forced = forced_fast(problem);
  for (std::size_t t = 0; t < forced.size(); ++t) {
    for (std::size_t j = 0; j < forced[t].size(); ++j) {
      if (!forced[t][j] || placement.tensors[t].in_fast[j] == 1) continue;
      const auto k = problem.tensors[t].uses[j];
      return fail(
          Errc::unsupported,
          "{} puts tensor {} into slow memory, with which kernel {} ({}) cannot run; choose "
          "another optimizer, as in --optimizer synchronous",
          rule, problem.tensors[t].id, k, problem.kernels[k].op);
    }
  }
  return {};
}

/// A pool that gives the smallest free block that is large enough.
class BestFitPool {
 public:
  explicit BestFitPool(std::uint64_t bytes) {
    if (bytes > 0) free_.emplace(0, bytes);
  }

  /// The offset, or false if no block is large enough.
  bool take(std::uint64_t bytes, std::uint64_t& offset) {
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->second >= bytes && (best == free_.end() || it->second < best->second)) best = it;
    }
    if (best == free_.end()) return false;
    offset = best->first;
    const std::uint64_t rest = best->second - bytes;
    free_.erase(best);
    if (rest > 0) free_.emplace(offset + bytes, rest);
    return true;
  }

  void give(std::uint64_t offset, std::uint64_t bytes) {
    auto next = free_.lower_bound(offset);
    if (next != free_.end() && offset + bytes == next->first) {
      bytes += next->second;
      next = free_.erase(next);
    }
    if (next != free_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == offset) {
        before->second += bytes;
        return;
      }
    }
    free_.emplace(offset, bytes);
  }

 private:
  std::map<std::uint64_t, std::uint64_t> free_;  ///< offset → bytes; never two that touch
};

std::uint64_t pages(std::uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

Result<Outcome> solve_all_fast(const Problem& problem, const SolveRequest& request) {
  const auto peak = all_fast_peak(problem);
  if (request.limit_bytes < peak) {
    return fail(Errc::invalid,
                "all-fast needs {} bytes of fast memory, more than the limit of {}; give it no "
                "limit, or choose another optimizer",
                peak, request.limit_bytes);
  }
  Outcome out;
  out.placement.tensors.resize(problem.tensors.size());
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    place_whole(problem, out.placement, t, true);
  }
  out.lower_bound_seconds = fastest_kernels(problem);
  return out;
}

Result<Outcome> solve_all_slow(const Problem& problem, const SolveRequest& /*request*/) {
  Outcome out;
  out.placement.tensors.resize(problem.tensors.size());
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    place_whole(problem, out.placement, t, false);
  }
  METE_TRY_VOID(check_forced(problem, out.placement, "all-slow"));
  out.lower_bound_seconds = fastest_kernels(problem);
  return out;
}

/// As a system places pages on first touch: a newborn tensor lies in fast memory for its whole life
/// if the pool has a block for it, else in slow memory.
Result<Outcome> solve_numa(const Problem& problem, const SolveRequest& request) {
  Outcome out;
  out.placement.tensors.resize(problem.tensors.size());
  BestFitPool pool(std::min(request.limit_bytes, kMostProblemBytes));
  std::vector<std::uint64_t> offset(problem.tensors.size(), 0);
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
    for (const auto t : problem.kernels[k].tensors) {
      const auto& tensor = problem.tensors[t];
      if (tensor.uses.front() != k) continue;
      const bool fast = tensor.bytes == 0 || pool.take(pages(tensor.bytes), offset[t]);
      place_whole(problem, out.placement, t, fast);
    }
    for (const auto t : problem.kernels[k].tensors) {
      const auto& tensor = problem.tensors[t];
      if (tensor.uses.back() != k || out.placement.tensors[t].in_fast[0] == 0) continue;
      if (tensor.bytes > 0) pool.give(offset[t], pages(tensor.bytes));
    }
  }
  METE_TRY_VOID(check_forced(problem, out.placement, "first touch (numa)"));
  out.lower_bound_seconds = fastest_kernels(problem);
  return out;
}

}  // namespace mete
