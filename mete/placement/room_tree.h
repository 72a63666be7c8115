// The bytes still free at every kernel, with changes and minima over ranges of kernels in
// logarithmic time: a segment tree whose inner nodes keep what was added to their whole range.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace mete {

class RoomTree {
 public:
  RoomTree(std::size_t kernels, std::int64_t bytes)
      : size_(std::bit_ceil(kernels)), least_(2 * size_, bytes), added_(size_, 0) {}

  /// Adds to every kernel of [from, to).
  void add(std::size_t from, std::size_t to, std::int64_t bytes) {
    if (from >= to) return;
    std::size_t l = from + size_;
    std::size_t r = to + size_;
    const std::size_t l0 = l;
    const std::size_t r0 = r - 1;
    for (; l < r; l >>= 1U, r >>= 1U) {
      if ((l & 1U) != 0) apply(l++, bytes);
      if ((r & 1U) != 0) apply(--r, bytes);
    }
    rebuild(l0);
    rebuild(r0);
  }

  /// The least over [from, to); the largest number if that is empty.
  [[nodiscard]] std::int64_t least(std::size_t from, std::size_t to) const {
    if (from >= to) return kNone;
    std::size_t l = from + size_;
    std::size_t r = to - 1 + size_;
    // Both ends climb; what inner nodes add to their whole range is added on the way.
    std::int64_t left = least_[l];
    std::int64_t right = least_[r];
    while ((l >> 1U) != (r >> 1U)) {
      if ((l & 1U) == 0) left = std::min(left, least_[l ^ 1U]);
      if ((r & 1U) == 1) right = std::min(right, least_[r ^ 1U]);
      l >>= 1U;
      r >>= 1U;
      left += added_[l];
      right += added_[r];
    }
    std::int64_t out = std::min(left, right);
    for (l >>= 1U; l > 0; l >>= 1U) out += added_[l];
    return out;
  }

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max() / 2;

  void apply(std::size_t node, std::int64_t bytes) {
    least_[node] += bytes;
    if (node < size_) added_[node] += bytes;
  }
  void rebuild(std::size_t leaf) {
    for (std::size_t p = leaf >> 1U; p > 0; p >>= 1U) {
      least_[p] = std::min(least_[2 * p], least_[2 * p + 1]) + added_[p];
    }
  }

  std::size_t size_;
  std::vector<std::int64_t> least_;
  std::vector<std::int64_t> added_;
};

}  // namespace mete
