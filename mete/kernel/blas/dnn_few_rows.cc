// A matrix multiply whose first factor has few rows: a dense layer of a small batch. Its work is to
// read the second factor once, so it is laid out for that: tiles of 32 rows by 64 columns, read
// where they lie while a later one is already fetched, with all rows of the result that a vector
// adds to in registers. A library that packs its second factor first writes and reads it once more.
// Every element is a sum in the order of the depth, whatever the number of threads.
// SPDX-License-Identifier: BSD-3-Clause
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>

#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

/// A tile of the second factor: 64 of its rows at once would drive one another out of the cache
/// where their length is a power of two.
constexpr std::size_t kDepth = 32;
constexpr std::size_t kColumns = 64;
/// Rows of the first factor that share one reading of a tile's vector: as many sums as registers
/// allow.
constexpr std::size_t kGroup = 16;
/// How many tiles ahead memory is asked for.
constexpr std::size_t kAhead = 2;
/// More rows than these are worth packing for.
constexpr std::size_t kMostRows = 16;
/// A smaller second factor stays in the caches, where a library's own multiply is as good.
constexpr std::size_t kLeastElements = std::size_t{1} << 18U;

struct FewRows {
  std::size_t rows;
  std::size_t depth;
  std::size_t columns;
  float scale;

  [[nodiscard]] std::size_t panels() const { return (columns + kColumns - 1) / kColumns; }
  [[nodiscard]] std::size_t packed() const { return rows * depth; }
  [[nodiscard]] std::size_t sums() const { return panels() * rows * kColumns; }
};

/// Rows of the group that begins at `row`: 16, 8, 4, 2 or 1.
std::size_t group_at(std::size_t row, std::size_t rows) {
  std::size_t size = kGroup;
  while (size > rows - row) size /= 2;
  return size;
}

/// The first factor, group by group, the rows of a group side by side. Line by line: a few rows of
/// a power of two long would drive one another's lines out of the cache.
void pack(const FewRows& job, const float* a, float* to, std::size_t begin, std::size_t end) {
  constexpr std::size_t kLine = 16;
  for (std::size_t row = 0; row < job.rows;) {
    const std::size_t size = group_at(row, job.rows);
    float* const group = to + row * job.depth;
    for (std::size_t k = begin; k < end; k += kLine) {
      const std::size_t line_end = std::min(end, k + kLine);
      for (std::size_t r = 0; r < size; ++r) {
        const float* const from = a + (row + r) * job.depth;
        for (std::size_t i = k; i < line_end; ++i) group[i * size + r] = from[i];
      }
    }
    row += size;
  }
}

#if defined(__x86_64__)
#define METE_WIDE __attribute__((target("avx512f")))

struct Tile {
  const float* begin;
  std::size_t depth;
  std::size_t columns;
  std::size_t stride;
  const float* ahead;  ///< a tile to be fetched meanwhile, or nullptr
};

/// Those of the 16 columns from `at` that the tile has.
__mmask16 mask_at(std::size_t at, std::size_t columns) {
  if (at >= columns) return 0;
  const std::size_t left = columns - at;
  return static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1U);
}

/// `Vectors` vectors of a tile from column `j` on, times `Rows` rows of the first factor, added to
/// their sums. `Whole`: the tile has all of these columns; masks would cost a tenth of the time.
template <std::size_t Rows, std::size_t Vectors, bool Whole>
METE_WIDE void add_vectors(const Tile& tile, std::size_t j, const float* packed, float* sums) {
  __m512 sum[Vectors][Rows];
  __mmask16 mask[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    mask[v] = Whole ? __mmask16{0xffff} : mask_at(j + 16 * v, tile.columns);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r)
      sum[v][r] = _mm512_loadu_ps(sums + r * kColumns + j + 16 * v);
  }
  const float* b = tile.begin + j;
  // Without a tile to fetch, what is read now: a branch would cost more.
  const float* ahead = tile.ahead != nullptr ? tile.ahead + j : b;
  const std::size_t stride = tile.stride;
  const float* const end = packed + tile.depth * Rows;
  for (; packed != end; packed += Rows, b += stride, ahead += stride) {
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      __builtin_prefetch(ahead + 16 * v, 0, 2);
      const __m512 column =
          Whole ? _mm512_loadu_ps(b + 16 * v) : _mm512_maskz_loadu_ps(mask[v], b + 16 * v);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < Rows; ++r)
        sum[v][r] = _mm512_fmadd_ps(column, _mm512_set1_ps(packed[r]), sum[v][r]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r)
      _mm512_storeu_ps(sums + r * kColumns + j + 16 * v, sum[v][r]);
  }
}

/// A tile times `Rows` rows. A multiply-add takes four cycles, so that a few rows need several
/// vectors of columns in flight.
template <std::size_t Rows, std::size_t Vectors>
void add_tile(const Tile& tile, const float* packed, float* sums) {
  constexpr std::size_t kStep = 16 * Vectors;
  std::size_t j = 0;
  for (; j + kStep <= tile.columns; j += kStep)
    add_vectors<Rows, Vectors, true>(tile, j, packed, sums);
  for (; j < tile.columns; j += kStep) add_vectors<Rows, Vectors, false>(tile, j, packed, sums);
}

using AddTile = void (*)(const Tile&, const float*, float*);
AddTile add_tile_of(std::size_t rows) {
  if (rows == 16) return add_tile<16, 1>;
  if (rows == 8) return add_tile<8, 2>;
  if (rows == 4) return add_tile<4, 4>;
  return rows == 2 ? add_tile<2, 4> : add_tile<1, 4>;
}

#undef METE_WIDE

/// Where the tile begins that is used kAhead tiles after this one: to the right, or at the left end
/// of the rows below. It may lie outside.
std::size_t ahead_of(const FewRows& job, std::size_t k, std::size_t panel, std::size_t begin,
                     std::size_t end) {
  const std::size_t step = panel - begin + kAhead;
  const std::size_t rows = step / (end - begin) * kDepth;
  return (k + rows) * job.columns + (begin + step % (end - begin)) * kColumns;
}

/// The result's columns of panels begin..end.
void multiply_panels(const FewRows& job, const float* packed, const float* b, float* sums, float* c,
                     std::size_t begin, std::size_t end) {
  const std::size_t per_panel = job.rows * kColumns;
  std::fill_n(sums + begin * per_panel, (end - begin) * per_panel, 0.0F);
  for (std::size_t k = 0; k < job.depth; k += kDepth) {
    const std::size_t depth = std::min(kDepth, job.depth - k);
    for (std::size_t panel = begin; panel < end; ++panel) {
      const std::size_t at = k * job.columns + panel * kColumns;
      const std::size_t columns = std::min(kColumns, job.columns - panel * kColumns);
      const std::size_t next = ahead_of(job, k, panel, begin, end);
      const bool there = next + (depth - 1) * job.columns + kColumns <= job.depth * job.columns;
      Tile tile{b + at, depth, columns, job.columns, there ? b + next : nullptr};
      for (std::size_t row = 0; row < job.rows;) {
        const std::size_t size = group_at(row, job.rows);
        add_tile_of(size)(tile, packed + row * job.depth + k * size,
                          sums + panel * per_panel + row * kColumns);
        tile.ahead = nullptr;
        row += size;
      }
    }
  }
  for (std::size_t panel = begin; panel < end; ++panel) {
    const std::size_t columns = std::min(kColumns, job.columns - panel * kColumns);
    for (std::size_t row = 0; row < job.rows; ++row) {
      const float* const from = sums + panel * per_panel + row * kColumns;
      float* const to = c + row * job.columns + panel * kColumns;
      for (std::size_t j = 0; j < columns; ++j) to[j] = job.scale * from[j];
    }
  }
}
#endif

}  // namespace

bool suits_few_rows(std::size_t rows, std::size_t depth, std::size_t columns) {
#if defined(__x86_64__)
  return rows <= kMostRows && depth * columns >= kLeastElements &&
         __builtin_cpu_supports("avx512f") != 0;
#else
  static_cast<void>(rows + depth + columns);
  return false;
#endif
}

MadeKernel make_few_rows(std::size_t rows, std::size_t depth, std::size_t columns, float scale,
                         int threads) {
#if defined(__x86_64__)
  const FewRows job{rows, depth, columns, scale};
  const auto run = [job, threads](const RunTensors& t) -> Result<void> {
    auto* const packed = reinterpret_cast<float*>(t.scratch);
    auto* const sums = packed + job.packed();
    in_parts(threads, job.depth, kDepth, [&](std::size_t, std::size_t begin, std::size_t end) {
      pack(job, t.in(0), packed, begin, end);
    });
    in_parts(threads, job.panels(), 1, [&](std::size_t, std::size_t begin, std::size_t end) {
      multiply_panels(job, packed, t.in(1), sums, t.out(), begin, end);
    });
    return {};
  };
  return loop_kernel(run, (job.packed() + job.sums()) * sizeof(float), "mete few rows");
#else
  static_cast<void>(scale);
  return fail(Errc::unsupported, "matmul: no kernel for {} x {} x {} on {} threads here", rows,
              depth, columns, threads);
#endif
}

}  // namespace mete::blas
