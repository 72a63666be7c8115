// What the multiplies of few rows share (dnn_few_rows.cc: by a matrix as it lies;
// dnn_few_rows_turned.cc: by its transpose): when they are the faster choice, groups of rows, and
// 16 x 16 elements turned over. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>

#include "mete/kernel/blas/dnn_loops.h"
#if defined(__x86_64__)
#include <immintrin.h>
#define METE_WIDE __attribute__((target("avx512f")))
#endif

namespace mete::blas {

/// A smaller matrix stays in the caches, where a library's own multiply is as good.
inline constexpr std::size_t kLeastElements = std::size_t{1} << 18U;
/// Up to so many threads each turn the first factor over for themselves: one of them waiting for
/// another costs more than the 1 % of the work that it is, and far more where other programs run.
inline constexpr int kMostAlone = 4;
/// Floats of an AVX-512 vector.
inline constexpr std::size_t kLanes = 16;

/// Rows of the group that begins at `row`: the largest power of two that is left, at most `most`.
inline std::size_t group_at(std::size_t row, std::size_t rows, std::size_t most) {
  std::size_t size = most;
  while (size > rows - row) size /= 2;
  return size;
}

/// How many copies of the first factor, turned over, there are room for.
inline std::size_t packed_copies(int threads) {
  return threads <= kMostAlone ? static_cast<std::size_t>(threads) : 1;
}

/// `pack(to, begin, end)` turns the first factor over, which has `length` of what it counts and
/// takes `floats`; `work(part, packed, begin, end)` then does each thread's part of [0, n), which
/// begins at a multiple of `grain`.
template <class Pack, class Work>
void pack_then_work(int threads, float* packed, std::size_t floats, std::size_t length,
                    std::size_t n, std::size_t grain, Pack pack, Work work) {
  const bool alone = threads <= kMostAlone;
  if (!alone) {
    in_parts(threads, length, kLanes,
             [&](std::size_t, std::size_t begin, std::size_t end) { pack(packed, begin, end); });
  }
  in_parts(threads, n, grain, [&](std::size_t part, std::size_t begin, std::size_t end) {
    if (begin == end) return;
    float* const own = alone ? packed + part * floats : packed;
    if (alone) pack(own, 0, length);
    work(part, own, begin, end);
  });
}

#if defined(__x86_64__)
/// The lowest `count` lanes, or all of them.
inline __mmask16 lowest_lanes(std::size_t count) {
  return static_cast<__mmask16>(count >= kLanes ? 0xffffU : (1U << count) - 1U);
}

/// 16 rows of 16 elements, in place: element j of vector i becomes element i of vector j. In four
/// rounds, which exchange what is 1, 2, 4 and 8 away.
METE_WIDE inline void turn_over(__m512 (&v)[kLanes]) {
  // Masks of all lanes: without them gcc 12 warns of its own header.
  constexpr __mmask16 kAll = 0xffff;
  constexpr __mmask8 kAllPairs = 0xff;
  __m512 t[kLanes];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 2) {
    t[i] = _mm512_maskz_unpacklo_ps(kAll, v[i], v[i + 1]);
    t[i + 1] = _mm512_maskz_unpackhi_ps(kAll, v[i], v[i + 1]);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 4) {
#pragma GCC unroll 2
    for (std::size_t j = 0; j < 2; ++j) {
      const __m512d a = _mm512_castps_pd(t[i + j]);
      const __m512d b = _mm512_castps_pd(t[i + j + 2]);
      v[i + 2 * j] = _mm512_castpd_ps(_mm512_maskz_unpacklo_pd(kAllPairs, a, b));
      v[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_maskz_unpackhi_pd(kAllPairs, a, b));
    }
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
    t[j] = _mm512_maskz_shuffle_f32x4(kAll, v[j], v[j + 4], 0x88);
    t[j + 4] = _mm512_maskz_shuffle_f32x4(kAll, v[j], v[j + 4], 0xdd);
    t[j + 8] = _mm512_maskz_shuffle_f32x4(kAll, v[j + 8], v[j + 12], 0x88);
    t[j + 12] = _mm512_maskz_shuffle_f32x4(kAll, v[j + 8], v[j + 12], 0xdd);
  }
#pragma GCC unroll 8
  for (std::size_t j = 0; j < 8; ++j) {
    v[j] = _mm512_maskz_shuffle_f32x4(kAll, t[j], t[j + 8], 0x88);
    v[j + 8] = _mm512_maskz_shuffle_f32x4(kAll, t[j], t[j + 8], 0xdd);
  }
}
#endif

}  // namespace mete::blas
