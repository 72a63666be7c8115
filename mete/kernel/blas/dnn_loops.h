// What our own loops share: how a tensor looks along an axis, and work split among threads in a way
// that depends on nothing but their number. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>

#include "mete/kernel/blas/dnn.h"
#include "mete/kernel/blocked_layout.h"

// The same loop for several generations of vector units, chosen when the plugin is loaded. Sums may
// come out differently on CPUs of another width, never on the same one.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define METE_VECTOR_LOOP \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), noinline))
#else
#define METE_VECTOR_LOOP
#endif

namespace mete::blas {

/// A tensor in the order in which it lies: position l of block b along the axis is index
/// b * lanes + l, wherever outer and mid count.
struct AxisView {
  std::size_t outer = 1;
  std::size_t blocks = 1;
  std::size_t mid = 1;
  std::size_t lanes = 1;

  [[nodiscard]] std::size_t size() const { return blocks * lanes; }
  [[nodiscard]] std::size_t slab() const { return mid * lanes; }
};

inline std::size_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::size_t result = 1;
  for (std::size_t i = begin; i < end; ++i) result *= static_cast<std::size_t>(shape[i]);
  return result;
}

inline AxisView view_along(const KernelOperand& operand, std::size_t axis) {
  const Shape& s = operand.type.shape;
  const auto size = [&](std::size_t i) { return static_cast<std::size_t>(s[i]); };
  const auto block = static_cast<std::size_t>(kLayoutBlock);
  switch (operand.layout) {
    case Layout::channels_last:
      if (axis == 1) return {size(0), 1, size(2) * size(3), size(1)};
      if (axis == 0) return {1, size(0), product(s, 1, 4), 1};
      if (axis == 2) return {size(0), size(2), size(3) * size(1), 1};
      return {size(0) * size(2), size(3), size(1), 1};
    case Layout::blocked:
      if (axis == 1) return {size(0), size(1) / block, size(2) * size(3), block};
      if (axis == 0) return {1, size(0), product(s, 1, 4), 1};
      if (axis == 2) return {size(0) * size(1) / block, size(2), size(3) * block, 1};
      return {size(0) * size(1) / block * size(2), size(3), block, 1};
    default:
      break;
  }
  const std::size_t inner = product(s, axis + 1, s.rank());
  if (inner == 1) return {1, 1, product(s, 0, axis), size(axis)};
  return {product(s, 0, axis), size(axis), inner, 1};
}

/// Calls f(part, begin, end) for one contiguous part of [0, n) per thread; parts begin at multiples
/// of `grain`.
template <class F>
void in_parts(int threads, std::size_t n, std::size_t grain, F f) {
  const auto parts = static_cast<std::size_t>(threads);
  const std::size_t grains = (n + grain - 1) / grain;
  const auto bound = [&](std::size_t part) { return std::min(n, grains * part / parts * grain); };
  // The same parts in the same order whether threads run them or not.
  if (parts == 1 || grains < 2) {
    for (std::size_t p = 0; p < parts; ++p) f(p, bound(p), bound(p + 1));
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t p = 0; p < parts; ++p) f(p, bound(p), bound(p + 1));
}

/// Elements below which starting threads costs more than it saves.
inline constexpr std::size_t kGrain = 4096;

}  // namespace mete::blas
