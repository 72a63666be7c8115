// A matrix multiply of a first factor of few rows by the transpose of a matrix: the gradient of a
// dense layer's input in a small batch. Each result is the product of a row of the matrix with a
// row of the first factor, so that the matrix is read as it lies, once, eight rows at a time. A
// vector holds all rows of the first factor at one column of the matrix (or, of fewer than 16 rows,
// at several): each element of the matrix is spread over it as it is loaded, and nothing has to be
// turned over. Every result is summed in one order, whatever the number of threads.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "mete/kernel/blas/dnn_few_rows.h"
#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {

#if defined(__x86_64__)
namespace {

/// Rows of the matrix that share one reading of the first factor. More of them would drive one
/// another out of the first cache, of eight ways, where their length is a power of two.
constexpr std::size_t kRows = 8;
/// Elements of the first factor taken at once: they stay in the first cache, while the pieces of
/// the matrix's rows are as long as can be, for the memory's sake.
constexpr std::size_t kTaken = 4096;
/// Rows of the matrix between two readings of them, for each row of the largest group. The sums
/// stay in the cache too.
constexpr std::size_t kBlockRows = 4;

/// Two groups of 16 rows share each element as it is loaded: eight loads for sixteen multiply-adds,
/// of which one group alone has eight.
constexpr std::size_t kPair = 2 * kLanes;
/// Of more rows the library's own multiply of plain matrices is as good.
constexpr std::size_t kMostTurned = kPair;

struct TurnedRows {
  std::size_t rows;     ///< of the first factor
  std::size_t columns;  ///< of both factors
  std::size_t results;  ///< rows of the matrix
  float scale;

  /// Columns, made up to whole vectors with zeros.
  [[nodiscard]] std::size_t padded() const { return (columns + kLanes - 1) / kLanes * kLanes; }
  [[nodiscard]] std::size_t packed() const { return rows * padded(); }
  /// Vectors of sums that a row of the matrix has: one for each group of rows.
  [[nodiscard]] std::size_t groups() const {
    std::size_t count = 0;
    for (std::size_t row = 0; row < rows; row += group_at(row, rows, kLanes)) ++count;
    return count;
  }
  [[nodiscard]] std::size_t largest() const { return group_at(0, rows, kLanes); }
  /// Columns taken at once.
  [[nodiscard]] std::size_t piece() const { return kTaken / (rows > kLanes ? kPair : largest()); }
  /// Rows of the matrix that have sums: a multiple of 16.
  [[nodiscard]] std::size_t block() const {
    return rows > kPair ? 256 : std::max(kLanes, kBlockRows * largest());
  }
  /// Floats of a group's sums, and of a thread's.
  [[nodiscard]] std::size_t group_sums() const { return block() * kLanes; }
  [[nodiscard]] std::size_t sums() const { return groups() * group_sums(); }
};

/// What is multiplied by one group's vectors: some columns of some rows of the matrix.
struct Strip {
  const float* begin;
  std::size_t columns;
  std::size_t stride;
  const float* ahead;  ///< a strip of this size to be fetched meanwhile, or this one
};

/// Columns begin..end of a whole group of 16 rows, column by column.
METE_WIDE void pack_sixteen(const TurnedRows& job, const float* from, float* to, std::size_t begin,
                            std::size_t end) {
  for (std::size_t n = begin; n < end; n += kLanes) {
    const __mmask16 there = lowest_lanes(job.columns - n);
    __m512 v[kLanes];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kLanes; ++r)
      v[r] = _mm512_maskz_loadu_ps(there, from + r * job.columns + n);
    turn_over(v);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kLanes; ++i) _mm512_storeu_ps(to + (n + i) * kLanes, v[i]);
  }
}

/// The first factor's columns begin..end, group by group. A vector holds, for each row of the
/// group, as many columns as fit.
void pack(const TurnedRows& job, const float* a, float* to, std::size_t begin, std::size_t end) {
  for (std::size_t row = 0; row < job.rows;) {
    const std::size_t size = group_at(row, job.rows, kLanes);
    const float* const from = a + row * job.columns;
    float* const group = to + row * job.padded();
    const std::size_t step = kLanes / size;
    if (size == kLanes) {
      pack_sixteen(job, from, group, begin, end);
    } else {
      for (std::size_t n = begin; n < end; n += step) {
        for (std::size_t r = 0; r < size; ++r) {
          for (std::size_t i = 0; i < step; ++i) {
            const bool there = n + i < job.columns;
            group[n * size + r * step + i] = there ? from[r * job.columns + n + i] : 0.0F;
          }
        }
      }
    }
    row += size;
  }
}

/// 16 / `Rows` elements, once for each row.
template <std::size_t Rows>
METE_WIDE inline __m512 spread(const float* p) {
  if constexpr (Rows == 16) return _mm512_set1_ps(*p);
  if constexpr (Rows == 8) {
    const auto* pair = reinterpret_cast<const __m128i*>(p);
    return _mm512_castsi512_ps(_mm512_broadcastq_epi64(_mm_loadl_epi64(pair)));
  }
  if constexpr (Rows == 4) return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
  if constexpr (Rows == 2)
    return _mm512_castpd_ps(_mm512_broadcast_f64x4(_mm256_castps_pd(_mm256_loadu_ps(p))));
  return _mm512_loadu_ps(p);
}

/// Asks for 16 columns, from `n` on, of the rows of the strip ahead.
template <std::size_t Height>
METE_WIDE inline void fetch_line(const Strip& strip, std::size_t n) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Height; ++i)
    __builtin_prefetch(strip.ahead + n + i * strip.stride, 0, 2);
}

/// `Height` rows of a strip times a group of `Rows`, added to one vector of sums each.
template <std::size_t Rows, std::size_t Height>
METE_WIDE void add_strip(const Strip& strip, const float* packed, float* sums) {
  constexpr std::size_t kStep = kLanes / Rows;
  // A multiply-add takes four cycles: two sums in turn keep enough of them under way.
  constexpr std::size_t kTurns = Rows == 1 ? 1 : 2;
  __m512 sum[kTurns][Height];
  const float* row[Height];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Height; ++i) {
    row[i] = strip.begin + i * strip.stride;
    sum[0][i] = _mm512_loadu_ps(sums + kLanes * i);
    if constexpr (kTurns == 2) sum[1][i] = _mm512_setzero_ps();
  }
  std::size_t n = 0;
  for (; n + kLanes <= strip.columns; n += kLanes) {
    fetch_line<Height>(strip, n);
#pragma GCC unroll 16
    for (std::size_t j = 0; j < Rows; ++j) {
      const __m512 a = _mm512_loadu_ps(packed + n * Rows + j * kLanes);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < Height; ++i) {
        sum[j % kTurns][i] =
            _mm512_fmadd_ps(spread<Rows>(row[i] + n + j * kStep), a, sum[j % kTurns][i]);
      }
    }
  }
  for (; n < strip.columns; n += kStep) {
    const __m512 a = _mm512_loadu_ps(packed + n * Rows);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < Height; ++i) {
      // Beyond a row's end lies another one, or nothing.
      float rest[kStep] = {};
      std::copy_n(row[i] + n, std::min(kStep, strip.columns - n), rest);
      sum[0][i] = _mm512_fmadd_ps(spread<Rows>(rest), a, sum[0][i]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Height; ++i) {
    if constexpr (kTurns == 2) sum[0][i] = _mm512_add_ps(sum[0][i], sum[1][i]);
    _mm512_storeu_ps(sums + kLanes * i, sum[0][i]);
  }
}

/// `Height` rows of a strip times two groups of 16, which are packed and summed `packed_apart` and
/// `sums_apart` from one another.
template <std::size_t Height>
METE_WIDE void add_pair(const Strip& strip, const float* packed, std::size_t packed_apart,
                        float* sums, std::size_t sums_apart) {
  __m512 sum[2][Height];
  const float* row[Height];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Height; ++i) {
    row[i] = strip.begin + i * strip.stride;
    sum[0][i] = _mm512_loadu_ps(sums + kLanes * i);
    sum[1][i] = _mm512_loadu_ps(sums + sums_apart + kLanes * i);
  }
  const auto add_column = [&](std::size_t n) METE_WIDE {
    const __m512 first = _mm512_loadu_ps(packed + n * kLanes);
    const __m512 second = _mm512_loadu_ps(packed + packed_apart + n * kLanes);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < Height; ++i) {
      const __m512 b = _mm512_set1_ps(row[i][n]);
      sum[0][i] = _mm512_fmadd_ps(b, first, sum[0][i]);
      sum[1][i] = _mm512_fmadd_ps(b, second, sum[1][i]);
    }
  };
  std::size_t n = 0;
  for (; n + kLanes <= strip.columns; n += kLanes) {
    fetch_line<Height>(strip, n);
#pragma GCC unroll 16
    for (std::size_t j = 0; j < kLanes; ++j) add_column(n + j);
  }
  for (; n < strip.columns; ++n) add_column(n);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Height; ++i) {
    _mm512_storeu_ps(sums + kLanes * i, sum[0][i]);
    _mm512_storeu_ps(sums + sums_apart + kLanes * i, sum[1][i]);
  }
}

template <std::size_t Height>
void add_group(std::size_t rows, const Strip& strip, const float* packed, float* sums) {
  if (rows == 16) return add_strip<16, Height>(strip, packed, sums);
  if (rows == 8) return add_strip<8, Height>(strip, packed, sums);
  if (rows == 4) return add_strip<4, Height>(strip, packed, sums);
  if (rows == 2) return add_strip<2, Height>(strip, packed, sums);
  add_strip<1, Height>(strip, packed, sums);
}

/// Rows k.. of the matrix, eight or one, with all groups.
void add_rows(const TurnedRows& job, Strip strip, std::size_t height, const float* packed,
              std::size_t column, float* sums) {
  std::size_t row = 0;
  for (; row + kPair <= job.rows; row += kPair) {
    const float* const pair = packed + row * job.padded() + column * kLanes;
    const auto add = height == kRows ? add_pair<kRows> : add_pair<1>;
    add(strip, pair, kLanes * job.padded(), sums, job.group_sums());
    strip.ahead = strip.begin;
    sums += 2 * job.group_sums();
  }
  while (row < job.rows) {
    const std::size_t size = group_at(row, job.rows, kLanes);
    const float* const group = packed + row * job.padded() + column * size;
    if (height == kRows) {
      add_group<kRows>(size, strip, group, sums);
    } else {
      add_group<1>(size, strip, group, sums);
    }
    strip.ahead = strip.begin;
    sums += job.group_sums();
    row += size;
  }
}

/// A group's sums, those of its vectors' lanes that belong to one result added up, as 16 columns
/// of the result.
METE_WIDE void store_results(const TurnedRows& job, std::size_t size, const float* sums, float* to,
                             std::size_t count) {
  __m512 v[kLanes];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kLanes; ++i) v[i] = _mm512_loadu_ps(sums + kLanes * i);
  turn_over(v);
  float lanes[kLanes][kLanes];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kLanes; ++i) _mm512_storeu_ps(lanes[i], v[i]);
  const std::size_t step = kLanes / size;
  const __m512 scale = _mm512_set1_ps(job.scale);
  for (std::size_t r = 0; r < size; ++r) {
    __m512 sum = _mm512_loadu_ps(lanes[r * step]);
    for (std::size_t i = 1; i < step; ++i)
      sum = _mm512_add_ps(sum, _mm512_loadu_ps(lanes[r * step + i]));
    _mm512_mask_storeu_ps(to + r * job.results, lowest_lanes(count), _mm512_mul_ps(scale, sum));
  }
}

/// The strip that follows this one: the next rows of the block, its next columns, or the next
/// block.
const float* strip_after(const TurnedRows& job, const float* b, std::size_t k, std::size_t column,
                         std::size_t begin, std::size_t end) {
  std::size_t next = k + kRows;
  if (next + kRows > end) {
    next = column + job.piece() < job.columns ? begin : end;
    column = next == begin ? column + job.piece() : 0;
  }
  return next + kRows <= job.results ? b + next * job.columns + column : nullptr;
}

/// Rows begin..end of the matrix, at most a block of them.
void multiply_block(const TurnedRows& job, const float* packed, const float* b, float* sums,
                    float* c, std::size_t begin, std::size_t end) {
  std::fill_n(sums, job.sums(), 0.0F);
  for (std::size_t column = 0; column < job.columns; column += job.piece()) {
    const std::size_t width = std::min(job.piece(), job.columns - column);
    for (std::size_t k = begin; k < end;) {
      const std::size_t height = end - k >= kRows ? kRows : 1;
      const float* const at = b + k * job.columns + column;
      const float* const next = strip_after(job, b, k, column, begin, end);
      // What lies behind the last row is not asked for.
      const bool there = next != nullptr &&
                         next + (kRows - 1) * job.columns + width <= b + job.results * job.columns;
      add_rows(job, {at, width, job.columns, there ? next : at}, height, packed, column,
               sums + (k - begin) * kLanes);
      k += height;
    }
  }
  for (std::size_t row = 0; row < job.rows;) {
    const std::size_t size = group_at(row, job.rows, kLanes);
    for (std::size_t k = begin; k < end; k += kLanes) {
      store_results(job, size, sums + (k - begin) * kLanes, c + row * job.results + k,
                    std::min(kLanes, end - k));
    }
    sums += job.group_sums();
    row += size;
  }
}

}  // namespace
#endif

bool suits_few_rows_turned(std::size_t rows, std::size_t columns, std::size_t results) {
#if defined(__x86_64__)
  return rows <= kMostTurned && columns * results >= kLeastElements &&
         __builtin_cpu_supports("avx512f") != 0;
#else
  static_cast<void>(rows + columns + results);
  return false;
#endif
}

MadeKernel make_few_rows_turned(std::size_t rows, std::size_t columns, std::size_t results,
                                float scale, int threads) {
#if defined(__x86_64__)
  const TurnedRows job{rows, columns, results, scale};
  const auto parts = static_cast<std::size_t>(threads);
  const std::size_t copies = packed_copies(threads);
  const auto run = [=](const RunTensors& t) -> Result<void> {
    auto* const packed = reinterpret_cast<float*>(t.scratch);
    float* const sums = packed + copies * job.packed();
    pack_then_work(
        threads, packed, job.packed(), job.padded(), results, kLanes,
        [&](float* to, std::size_t begin, std::size_t end) { pack(job, t.in(0), to, begin, end); },
        [&](std::size_t part, const float* own, std::size_t begin, std::size_t end) {
          for (std::size_t k = begin; k < end; k += job.block()) {
            multiply_block(job, own, t.in(1), sums + part * job.sums(), t.out(), k,
                           std::min(k + job.block(), end));
          }
        });
    return {};
  };
  const std::size_t floats = copies * job.packed() + parts * job.sums();
  return loop_kernel(run, floats * sizeof(float), "mete few rows, turned");
#else
  static_cast<void>(scale);
  return fail(Errc::unsupported, "matmul: no kernel for {} x {} x {} on {} threads here", rows,
              columns, results, threads);
#endif
}

}  // namespace mete::blas
