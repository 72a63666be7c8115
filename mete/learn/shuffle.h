// A shuffled order of 0..n-1 without a list of it: a keyed bijection on the next power of four
// (a four-round Feistel network), walked until it lands below n. Takes no memory however many
// examples there are, and the same seed gives the same order everywhere.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "mete/base/rng.h"

namespace mete {

class Shuffle {
 public:
  /// n > 0.
  Shuffle(std::size_t n, Rng rng) : n_(n) {
    const auto bits = static_cast<unsigned>(std::bit_width(n - 1));
    half_bits_ = (bits + 1) / 2;
    mask_ = (std::uint64_t{1} << half_bits_) - 1;
    for (auto& key : keys_) key = rng.next();
  }
  /// The element at `position` of the shuffled order; every i < n comes exactly once.
  [[nodiscard]] std::size_t operator()(std::size_t position) const {
    std::uint64_t x = position;
    do {
      x = permute(x);
    } while (x >= n_);
    return x;
  }

 private:
  [[nodiscard]] std::uint64_t permute(std::uint64_t x) const {
    std::uint64_t left = x >> half_bits_;
    std::uint64_t right = x & mask_;
    for (const auto key : keys_) {
      const std::uint64_t mixed = Rng(right ^ key).next() & mask_;
      const std::uint64_t next = left ^ mixed;
      left = right;
      right = next;
    }
    return (left << half_bits_) | right;
  }

  std::size_t n_;
  unsigned half_bits_ = 0;
  std::uint64_t mask_ = 0;
  std::array<std::uint64_t, 4> keys_{};
};

}  // namespace mete
