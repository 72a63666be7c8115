// Packing: where in a pool each piece of memory lies, when all lifetimes are known beforehand.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// From `begin` to before `end`, in the caller's own points of time.
struct LifeSpan {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// One piece of memory. It may come and go, but always lies in the same place.
struct PackItem {
  std::uint64_t bytes = 0;
  std::vector<LifeSpan> spans;  ///< one or more, ascending, none empty, no two at the same time
};

inline constexpr std::uint64_t kPackAlignment = 64;

struct Packing {
  std::vector<std::uint64_t> offsets;  ///< per item, multiples of kPackAlignment
  std::uint64_t bytes = 0;             ///< the pool that holds them all
  std::uint64_t peak_bytes = 0;  ///< most that lives at once, sizes rounded up: no pool is smaller
};

struct PackRequest {
  std::uint64_t seed = 1;
  double effort = 1;             ///< bounds the search in steps of its own; 1 is about a second
  std::uint64_t goal_bytes = 0;  ///< a pool of this size is good enough; the peak always is
  double slack = 0;              ///< so is one larger than the peak by this share of it
};

/// The best of several greedy orders (by size, area, lifetime, birth), then a search over orders:
/// what sticks out at the top of the pool is placed earlier. The same seed gives the same answer.
Packing pack(std::span<const PackItem> items, const PackRequest& request = {});

/// The judge: sweeps through time once, by code that pack() does not use. `internal`, naming the
/// two items, where lifetimes and bytes both overlap, or an item lies outside of the pool.
Result<void> check_packing(std::span<const PackItem> items, const Packing& packing);

}  // namespace mete
