// The judge of placements. It knows the problem and the rules of docs/formats/placement.md, and
// nothing of how solvers work; it is written to be read, not to be fast.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <optional>

#include "mete/placement/placement.h"

namespace mete {
namespace {

/// The kernels from the first to the last during which chunks of one move travel.
struct Span {
  std::size_t first = 0;
  std::size_t last = 0;
  std::uint64_t bytes = 0;
};

struct GapMoves {
  std::optional<Span> write;
  std::optional<Span> read;
};

void widen(std::optional<Span>& span, const MoveChunk& chunk) {
  if (!span) span = Span{.first = chunk.kernel, .last = chunk.kernel, .bytes = 0};
  span->first = std::min<std::size_t>(span->first, chunk.kernel);
  span->last = std::max<std::size_t>(span->last, chunk.kernel);
  span->bytes += chunk.bytes;
}

class Judge {
 public:
  Judge(const Problem& problem, const Placement& placement)
      : problem_(problem),
        placement_(placement),
        chunks_(problem.tensors.size()),
        occupied_(problem.kernels.size() + 1, 0),
        to_fast_(problem.kernels.size(), 0),
        to_slow_(problem.kernels.size(), 0) {}

  Result<Verdict> judge(std::uint64_t limit) {
    METE_TRY_VOID(check_shape());
    METE_TRY_VOID(collect_chunks());
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) METE_TRY_VOID(judge_tensor(t));
    METE_TRY_VOID(judge_memory(limit));
    METE_TRY_VOID(judge_time());
    return verdict_;
  }

 private:
  Error broken(std::size_t t, std::string_view what) const {
    return fail(Errc::invalid, "tensor {}: {}", problem_.tensors[t].id, what);
  }

  Result<void> check_shape() const {
    if (placement_.tensors.size() != problem_.tensors.size()) {
      return fail(Errc::invalid, "places {} tensors; the problem has {}", placement_.tensors.size(),
                  problem_.tensors.size());
    }
    for (std::size_t t = 0; t < problem_.tensors.size(); ++t) {
      const auto& place = placement_.tensors[t];
      const std::size_t uses = problem_.tensors[t].uses.size();
      if (place.in_fast.size() != uses || place.kept_fast.size() + 1 != uses) {
        return broken(t, fmt::format("{} values of in_fast and {} of kept_fast for {} uses",
                                     place.in_fast.size(), place.kept_fast.size(), uses));
      }
      for (std::size_t j = 0; j < uses; ++j) {
        if (place.in_fast[j] > 1 || (j + 1 < uses && place.kept_fast[j] > 1)) {
          return broken(t, "a value of in_fast or kept_fast is neither 0 nor 1");
        }
        if (j + 1 < uses && place.kept_fast[j] == 1 &&
            (place.in_fast[j] == 0 || place.in_fast[j + 1] == 0)) {
          return broken(t, fmt::format("is kept in fast memory over gap {}, but is not there at "
                                       "both of its ends",
                                       j));
        }
      }
    }
    return {};
  }

  Result<void> collect_chunks() {
    for (const auto& chunk : placement_.chunks) {
      if (chunk.tensor >= problem_.tensors.size()) {
        return fail(Errc::invalid, "a chunk belongs to no tensor");
      }
      const auto& uses = problem_.tensors[chunk.tensor].uses;
      if (chunk.gap + 1 >= uses.size() || chunk.kernel >= problem_.kernels.size()) {
        return broken(chunk.tensor, "a chunk names a gap or a kernel that does not exist");
      }
      auto& gaps = chunks_[chunk.tensor];
      if (gaps.empty()) gaps.resize(uses.size() - 1);
      auto& gap = gaps[chunk.gap];
      widen(chunk.to_fast ? gap.read : gap.write, chunk);
      if (chunk.bytes > problem_.tensors[chunk.tensor].bytes ||
          (chunk.to_fast ? gap.read : gap.write)->bytes > problem_.tensors[chunk.tensor].bytes) {
        return broken(chunk.tensor, "its chunks carry more bytes than it has");
      }
      (chunk.to_fast ? to_fast_ : to_slow_)[chunk.kernel] += chunk.bytes;
    }
    return {};
  }

  void occupy(std::size_t first, std::size_t end, std::uint64_t bytes) {
    if (first >= end) return;
    occupied_[first] += static_cast<std::int64_t>(bytes);
    occupied_[end] -= static_cast<std::int64_t>(bytes);
  }

  /// The rest of a move, which no chunk carries, stops the step.
  void stall(std::uint64_t bytes, const std::optional<Span>& carried, double rate) {
    const std::uint64_t rest = bytes - (carried ? carried->bytes : 0);
    verdict_.stall_seconds += static_cast<double>(rest) / rate;
  }

  Result<void> judge_tensor(std::size_t t) {
    const auto& tensor = problem_.tensors[t];
    const auto& place = placement_.tensors[t];
    const auto& uses = tensor.uses;
    bool needs_write = place.in_fast[0] == 1;  // a tensor that begins in slow memory is there
    for (std::size_t j = 0; j < uses.size(); ++j) {
      if (place.in_fast[j] == 1) occupy(uses[j], uses[j] + std::size_t{1}, tensor.bytes);
      if (j + 1 == uses.size()) break;
      const GapMoves carried = chunks_[t].empty() ? GapMoves{} : chunks_[t][j];
      if (place.kept_fast[j] == 1) {
        if (carried.read || carried.write) return broken(t, "a chunk moves it while it is kept");
        occupy(uses[j] + std::size_t{1}, uses[j + 1], tensor.bytes);
        continue;
      }
      METE_TRY_VOID(judge_gap(t, j, needs_write, carried));
      needs_write = false;
    }
    return {};
  }

  /// Gap j of tensor t, over which it is not kept.
  Result<void> judge_gap(std::size_t t, std::size_t j, bool writes, const GapMoves& carried) {
    const auto& tensor = problem_.tensors[t];
    const std::size_t after = tensor.uses[j] + std::size_t{1};
    const std::size_t next = tensor.uses[j + 1];
    const bool reads = placement_.tensors[t].in_fast[j + 1] == 1;
    if ((carried.write && !writes) || (carried.read && !reads)) {
      return broken(t, fmt::format("a chunk moves it in gap {}, where it does not move", j));
    }
    if (writes) {
      ++verdict_.moves_to_slow;
      verdict_.bytes_to_slow += tensor.bytes;
      stall(tensor.bytes, carried.write, problem_.rates.fast_to_slow);
    }
    if (carried.write) {
      // The copy may begin as soon as the tensor exists; it never changes after that.
      if (carried.write->first <= tensor.uses[0] || carried.write->last >= next) {
        return broken(t, fmt::format("its write in gap {} is not between its birth and its next "
                                     "use",
                                     j));
      }
      occupy(after, carried.write->last + 1, tensor.bytes);
    }
    if (!reads) return {};
    ++verdict_.moves_to_fast;
    verdict_.bytes_to_fast += tensor.bytes;
    stall(tensor.bytes, carried.read, problem_.rates.slow_to_fast);
    if (carried.read) {
      const std::size_t from = carried.write ? std::max(after, carried.write->last + 1) : after;
      if (carried.read->first < from || carried.read->last >= next) {
        return broken(t, fmt::format("its read in gap {} is not between the last use or write and "
                                     "the next use",
                                     j));
      }
      occupy(carried.read->first, next, tensor.bytes);
    }
    return {};
  }

  Result<void> judge_memory(std::uint64_t limit) {
    std::int64_t now = 0;
    for (std::size_t k = 0; k < problem_.kernels.size(); ++k) {
      now += occupied_[k];
      const auto held = static_cast<std::uint64_t>(now) + problem_.kernels[k].reserved_bytes;
      if (held <= verdict_.peak_bytes) continue;
      verdict_.peak_bytes = held;
      verdict_.peak_kernel = k;
    }
    if (verdict_.peak_bytes > limit) {
      return fail(Errc::invalid, "kernel {} ({}): {} bytes in fast memory, above the limit of {}",
                  verdict_.peak_kernel, problem_.kernels[verdict_.peak_kernel].op,
                  verdict_.peak_bytes, limit);
    }
    return {};
  }

  Result<void> judge_time() {
    std::vector<std::size_t> next_use(problem_.tensors.size(), 0);
    for (std::size_t k = 0; k < problem_.kernels.size(); ++k) {
      const auto& kernel = problem_.kernels[k];
      std::size_t mask = 0;
      double seconds = kernel.fast_seconds;
      for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
        const auto t = kernel.tensors[b];
        if (placement_.tensors[t].in_fast[next_use[t]++] == 1) continue;
        if (kernel.additive()) {
          seconds += kernel.slow_seconds[b];
        } else {
          mask |= std::size_t{1} << b;
        }
      }
      if (!kernel.additive()) seconds = kernel.seconds[mask];
      if (!std::isfinite(seconds)) {
        return fail(Errc::invalid, "kernel {} ({}): cannot run with these tensors in slow memory",
                    k, kernel.op);
      }
      const double moving =
          std::max(static_cast<double>(to_fast_[k]) / problem_.rates.slow_to_fast,
                   static_cast<double>(to_slow_[k]) / problem_.rates.fast_to_slow);
      verdict_.kernel_seconds += seconds;
      verdict_.stall_seconds += std::max(0.0, moving - seconds);
    }
    verdict_.seconds = verdict_.kernel_seconds + verdict_.stall_seconds;
    return {};
  }

  const Problem& problem_;
  const Placement& placement_;
  std::vector<std::vector<GapMoves>> chunks_;
  std::vector<std::int64_t> occupied_;  ///< change of the occupied bytes at each kernel
  std::vector<std::uint64_t> to_fast_;  ///< bytes that travel during each kernel
  std::vector<std::uint64_t> to_slow_;
  Verdict verdict_;
};

}  // namespace

Result<Verdict> validate(const Problem& problem, const Placement& placement,
                         std::uint64_t limit_bytes) {
  return Judge(problem, placement).judge(limit_bytes);
}

}  // namespace mete
