// Exact placement of one tensor among others that stay.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/placement/search_state.h"

#include <algorithm>
#include <cmath>

namespace mete {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// The states of a tensor after a use.
constexpr std::uint8_t kSlow = 0;     // in slow memory, a valid copy there
constexpr std::uint8_t kFresh = 1;    // in fast memory only, never written
constexpr std::uint8_t kWritten = 2;  // in fast memory, a valid copy in slow memory

}  // namespace

MemoryPrices::MemoryPrices(std::span<const double> per_kernel) : sums_(per_kernel.size() + 1, 0) {
  for (std::size_t k = 0; k < per_kernel.size(); ++k) sums_[k + 1] = sums_[k] + per_kernel[k];
}

SearchState::SearchState(const Problem& problem, const UseIndex& index, std::uint64_t limit,
                         MoveKind moves)
    : problem_(problem),
      index_(index),
      moves_(moves),
      room_(problem.kernels.size(),
            static_cast<std::int64_t>(std::min<std::uint64_t>(limit, kMostProblemBytes))),
      in_(index.uses(), 0),
      kept_(index.uses(), 0),
      mask_(problem.kernels.size(), 0),
      must_(problem.tensors.size(), 0) {
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) {
    const auto reserved = static_cast<std::int64_t>(problem.kernels[k].reserved_bytes);
    if (reserved > 0) room_.add(k, k + 1, -reserved);
    const auto slots = problem.kernels[k].tensors.size();
    if (!problem.kernels[k].additive()) mask_[k] = (1U << slots) - 1;
  }
  // Tensors that must be fast at some use are put there before any time is asked for.
  for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
    for (auto u = index.first[t]; u < index.first[t + 1]; ++u) must_[t] |= index.forced[u];
    if (must_[t] == 0) continue;
    for (auto u = index.first[t]; u < index.first[t + 1]; ++u) {
      in_[u] = moves == MoveKind::none ? 1 : index.forced[u];
      kept_[u] = moves == MoveKind::none && u + 1 < index.first[t + 1] ? 1 : 0;
      const auto k = index.kernel[u];
      if (in_[u] == 1 && !problem.kernels[k].additive()) mask_[k] &= ~(1U << index.slot[u]);
    }
    occupy(t, -1);
    seconds_ += move_seconds(t);
  }
  for (std::size_t k = 0; k < problem.kernels.size(); ++k) seconds_ += kernel_seconds(k);
}

void SearchState::take(const SearchState& other) {
  room_ = other.room_;
  in_ = other.in_;
  kept_ = other.kept_;
  mask_ = other.mask_;
  seconds_ = other.seconds_;
}

double SearchState::kernel_seconds(std::size_t k) const {
  const auto& kernel = problem_.kernels[k];
  if (!kernel.additive()) return kernel.seconds[mask_[k]];
  double sum = kernel.fast_seconds;
  for (std::size_t b = 0; b < kernel.tensors.size(); ++b) {
    if (in_[index_.use_at[index_.kernel_first[k] + b]] == 0) sum += kernel.slow_seconds[b];
  }
  return sum;
}

double SearchState::slow_extra(std::size_t u) const {
  const auto& kernel = problem_.kernels[index_.kernel[u]];
  const auto b = index_.slot[u];
  if (kernel.additive()) return kernel.slow_seconds[b];
  const auto mask = mask_[index_.kernel[u]];
  const auto bit = 1U << b;
  return kernel.seconds[mask | bit] - kernel.seconds[mask & ~bit];
}

double SearchState::move_seconds(std::size_t t) const {
  double sum = 0;
  bool unwritten = in_[index_.first[t]] == 1;
  for (auto u = index_.first[t]; u + 1 < index_.first[t + 1]; ++u) {
    if (kept_[u] == 1) continue;
    if (unwritten) sum += index_.write_seconds[t];
    unwritten = false;
    if (in_[u + 1] == 1) sum += index_.read_seconds[t];
  }
  return sum;
}

void SearchState::occupy(std::size_t t, std::int64_t sign) {
  const auto bytes = sign * index_.bytes[t];
  const auto last = index_.first[t + 1];
  for (auto u = index_.first[t]; u < last;) {
    if (in_[u] == 0) {
      ++u;
      continue;
    }
    const auto from = index_.kernel[u];
    while (kept_[u] == 1) ++u;
    room_.add(from, index_.kernel[u] + std::size_t{1}, bytes);
    ++u;
  }
}

void SearchState::set_path(std::size_t t, const std::uint8_t* in, const std::uint8_t* kept) {
  const auto first = index_.first[t];
  const auto n = index_.uses_of(t);
  if (std::equal(in, in + n, in_.begin() + first) &&
      std::equal(kept, kept + n, kept_.begin() + first)) {
    return;
  }
  occupy(t, +1);
  seconds_ -= move_seconds(t);
  for (std::size_t j = 0; j < n; ++j) {
    const auto u = first + j;
    kept_[u] = kept[j];
    if (in_[u] == in[j]) continue;
    const double extra = slow_extra(u);
    seconds_ += in[j] == 1 ? -extra : extra;
    in_[u] = in[j];
    const auto k = index_.kernel[u];
    if (!problem_.kernels[k].additive()) mask_[k] ^= 1U << index_.slot[u];
  }
  seconds_ += move_seconds(t);
  occupy(t, -1);
}

void SearchState::clear(std::size_t t) {
  const auto n = index_.uses_of(t);
  new_in_.assign(n, 0);
  new_kept_.assign(n, 0);
  if (must_[t] == 1) {
    for (std::size_t j = 0; j < n; ++j) {
      new_in_[j] = moves_ == MoveKind::none ? 1 : index_.forced[index_.first[t] + j];
      new_kept_[j] = moves_ == MoveKind::none && j + 1 < n ? 1 : 0;
    }
  }
  set_path(t, new_in_.data(), new_kept_.data());
}

bool SearchState::put(std::size_t t, std::span<const std::uint8_t> in,
                      std::span<const std::uint8_t> kept) {
  const auto first = index_.first[t];
  occupy(t, +1);
  bool fits = true;
  for (std::size_t j = 0; j < in.size() && fits; ++j) {
    const std::size_t k = index_.kernel[first + j];
    if (in[j] == 1) {
      fits = fits_fast(t, k, k + 1);
    } else {
      fits = index_.forced[first + j] == 0;
    }
    if (fits && j + 1 < in.size() && kept[j] == 1) {
      fits = fits_fast(t, k + 1, index_.kernel[first + j + 1]);
    }
  }
  occupy(t, -1);
  if (fits) set_path(t, in.data(), kept.data());
  return fits;
}

void SearchState::place(std::size_t t, const MemoryPrices& prices, double scale) {
  work_ += index_.uses_of(t);
  occupy(t, +1);
  if (moves_ == MoveKind::none) {
    best_still(t, prices, scale);
  } else {
    best_path(t, prices, scale);
  }
  occupy(t, -1);
  set_path(t, new_in_.data(), new_kept_.data());
}

void SearchState::best_still(std::size_t t, const MemoryPrices& prices, double scale) {
  const auto first = index_.first[t];
  const auto n = index_.uses_of(t);
  const std::size_t from = index_.kernel[first];
  const std::size_t to = index_.kernel[first + n - 1] + std::size_t{1};
  double gain = 0;
  for (std::size_t j = 0; j < n; ++j) gain += slow_extra(first + j);
  gain -= scale * prices.between(from, to) * static_cast<double>(index_.bytes[t]);
  const bool fast = must_[t] == 1 || (gain > 0 && fits_fast(t, from, to));
  new_in_.assign(n, fast ? 1 : 0);
  new_kept_.assign(n, fast ? 1 : 0);
  new_kept_[n - 1] = 0;
}

void SearchState::best_path(std::size_t t, const MemoryPrices& prices, double scale) {
  const auto first = index_.first[t];
  const auto n = index_.uses_of(t);
  const double rent = scale * static_cast<double>(index_.bytes[t]);
  const double write = index_.write_seconds[t];
  const double read = index_.read_seconds[t];
  if (cells_.size() < n) cells_.resize(n);
  for (std::size_t j = 0; j < n; ++j) {
    const std::size_t u = first + j;
    const std::size_t k = index_.kernel[u];
    const double slow = index_.forced[u] == 1 ? kNever : slow_extra(u);
    const double fast = fits_fast(t, k, k + 1) ? rent * prices.between(k, k + 1) : kNever;
    Cell& cell = cells_[j];
    if (j == 0) {
      cell = {.cost = {slow, fast, kNever}, .from = {0, 0, 0}};
      continue;
    }
    const Cell& last = cells_[j - 1];
    const std::size_t gap = index_.kernel[u - 1] + std::size_t{1};
    const double keep = fits_fast(t, gap, k) ? rent * prices.between(gap, k) : kNever;
    // Not kept: from kFresh after the write, from the others at no cost.
    const double dropped_fresh = last.cost[kFresh] + write;
    std::uint8_t best = kSlow;
    double dropped = last.cost[kSlow];
    if (last.cost[kWritten] < dropped) {
      dropped = last.cost[kWritten];
      best = kWritten;
    }
    if (dropped_fresh < dropped) {
      dropped = dropped_fresh;
      best = kFresh;
    }
    cell.cost[kSlow] = dropped + slow;
    cell.from[kSlow] = best;
    cell.cost[kFresh] = last.cost[kFresh] + keep + fast;
    cell.from[kFresh] = kFresh;
    const double kept = last.cost[kWritten] + keep;
    // Bit 2 marks a gap over which it is kept.
    cell.cost[kWritten] = std::min(kept, dropped + read) + fast;
    cell.from[kWritten] = kept <= dropped + read ? static_cast<std::uint8_t>(kWritten | 4U) : best;
  }
  new_in_.assign(n, 0);
  new_kept_.assign(n, 0);
  const auto& end = cells_[n - 1].cost;
  auto state = static_cast<std::uint8_t>(std::min_element(end, end + 3) - end);
  for (std::size_t j = n; j-- > 0;) {
    new_in_[j] = state == kSlow ? 0 : 1;
    if (j == 0) break;
    const std::uint8_t from = cells_[j].from[state];
    new_kept_[j - 1] = state == kFresh || (from & 4U) != 0 ? 1 : 0;
    state = from & 3U;
  }
}

Placement SearchState::placement() const {
  Placement out;
  out.tensors.resize(problem_.tensors.size());
  for (std::size_t t = 0; t < out.tensors.size(); ++t) {
    const auto in = in_fast(t);
    const auto kept = kept_fast(t);
    out.tensors[t].in_fast.assign(in.begin(), in.end());
    out.tensors[t].kept_fast.assign(kept.begin(), kept.end() - 1);
  }
  return out;
}

}  // namespace mete
