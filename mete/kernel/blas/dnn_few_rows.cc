// A matrix multiply whose first factor has few rows: a dense layer of a small batch. Its work is to
// read the second factor once, so it is laid out for that: tiles of 32 rows by 48 or 64 columns,
// read where they lie while a later one is already fetched, with all rows of the result that a
// vector adds to in registers. A library that packs its second factor first writes and reads it
// once more. Every element is a sum in the order of the depth, whatever the number of threads.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/blas/dnn_few_rows.h"

#include <algorithm>

#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

/// More rows than these are worth packing the matrix for.
constexpr std::size_t kMostRows = 64;

/// How the second factor is cut into tiles. Where its rows are long powers of two, those of a tile
/// drive one another out of the cache if there are many, and half of it may be a neighbour's.
struct Tiling {
  std::size_t group;    ///< rows of the first factor whose sums are in registers together, at most
  std::size_t columns;  ///< of a tile
  std::size_t depth;
  std::size_t ahead;  ///< how many tiles ahead memory is asked for
  bool kept = false;  ///< its first reader leaves a copy to the others, row to row
};
/// Each vector of a tile is read once.
constexpr Tiling kOnce = {16, 64, 32, 2};
/// Eight rows by three vectors need the fewest loads. But they read a tile twice, which is free
/// only where it stays in the first cache: not where its rows' lengths are multiples of 2 KiB.
constexpr Tiling kTwice = {8, 48, 32, 2};
constexpr std::size_t kClashing = 512;
/// The fewer rows, the more it is memory alone that counts: longer pieces of each row.
constexpr Tiling kLong = {8, 256, 24, 1};
/// From 16 rows on each tile is read twice or more: its copy stays in the first cache whatever the
/// rows' length. The first reader asks for two thirds of the tile ahead, the second for the rest.
/// One thread that has 16 rows of a clashing length to itself is faster with kOnce.
constexpr Tiling kMany = {8, 48, 32, 2, true};
/// Floats of sums that stay in the second cache while the depth passes by.
constexpr std::size_t kCachedSums = std::size_t{1} << 17U;

struct FewRows {
  std::size_t rows;
  std::size_t depth;
  std::size_t columns;
  float scale;
  std::size_t threads;

  [[nodiscard]] const Tiling& tiling() const {
    const bool clashes = columns % kClashing == 0;
    if (rows > kOnce.group || (rows == kOnce.group && (threads > 1 || !clashes))) return kMany;
    if (rows >= kTwice.group && !clashes) return kTwice;
    // Wide tiles leave some of many threads without work.
    return rows < kOnce.group && columns >= 2 * threads * kLong.columns ? kLong : kOnce;
  }
  [[nodiscard]] std::size_t width() const { return tiling().columns; }
  /// Rows of the group that begins at `row`.
  [[nodiscard]] std::size_t group(std::size_t row) const {
    return group_at(row, rows, tiling().group);
  }
  [[nodiscard]] std::size_t panels() const { return (columns + width() - 1) / width(); }
  [[nodiscard]] std::size_t packed() const { return rows * depth; }
  [[nodiscard]] std::size_t panels_at_once() const {
    return std::max<std::size_t>(kCachedSums / (rows * width()), 1);
  }
  [[nodiscard]] std::size_t sums() const { return panels() * rows * width(); }
};

#if defined(__x86_64__)

/// Depths begin..end of 16 rows, turned over: depth by depth, all of a group's rows side by side.
METE_WIDE void pack_sixteen(const FewRows& job, const float* a, float* to, std::size_t begin,
                            std::size_t end) {
  float* const second = to + kTwice.group * job.depth;
  for (std::size_t k = begin; k < end; k += kLanes) {
    const std::size_t count = std::min(kLanes, end - k);
    __m512 v[kLanes];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kLanes; ++r)
      v[r] = _mm512_maskz_loadu_ps(lowest_lanes(count), a + r * job.depth + k);
    turn_over(v);
    for (std::size_t i = 0; i < count; ++i) {
      if (job.tiling().group == kLanes) {
        _mm512_storeu_ps(to + (k + i) * kLanes, v[i]);
        continue;
      }
      const __m512d both = _mm512_castps_pd(v[i]);
      const __m256d upper = _mm512_maskz_extractf64x4_pd(0xff, both, 1);
      _mm256_storeu_ps(to + (k + i) * 8, _mm256_castpd_ps(_mm512_castpd512_pd256(both)));
      _mm256_storeu_ps(second + (k + i) * 8, _mm256_castpd_ps(upper));
    }
  }
}

/// The first factor, group by group, the rows of a group side by side. Line by line: a few rows of
/// a power of two long would drive one another's lines out of the cache.
void pack(const FewRows& job, const float* a, float* to, std::size_t begin, std::size_t end) {
  std::size_t row = 0;
  for (; row + kLanes <= job.rows; row += kLanes)
    pack_sixteen(job, a + row * job.depth, to + row * job.depth, begin, end);
  while (row < job.rows) {
    const std::size_t size = job.group(row);
    float* const group = to + row * job.depth;
    for (std::size_t k = begin; k < end; k += kLanes) {
      const std::size_t line_end = std::min(end, k + kLanes);
      for (std::size_t r = 0; r < size; ++r) {
        const float* const from = a + (row + r) * job.depth;
        for (std::size_t i = k; i < line_end; ++i) group[i * size + r] = from[i];
      }
    }
    row += size;
  }
}

struct Tile {
  const float* begin;
  std::size_t depth;
  std::size_t columns;
  std::size_t stride;
  const float* ahead;  ///< a tile to be fetched meanwhile, or nullptr
  std::size_t stride_ahead;
  float* copy = nullptr;  ///< where the next readers want it, row to row
};

/// Those of the 16 columns from `at` that the tile has.
__mmask16 mask_at(std::size_t at, std::size_t columns) {
  return at >= columns ? __mmask16{0} : lowest_lanes(columns - at);
}

/// `Vectors` vectors of a tile from column `j` on, times `Rows` rows of the first factor, added to
/// their sums. `Whole`: the tile has all of these columns; masks would cost a tenth of the time.
/// `Fetched`: lines of each row ahead that are asked for. `Copied`: the tile is copied, too.
template <std::size_t Rows, std::size_t Vectors, std::size_t Width, bool Whole,
          std::size_t Fetched = Vectors, bool Copied = false>
METE_WIDE void add_vectors(const Tile& tile, std::size_t j, const float* packed, float* sums) {
  __m512 sum[Rows][Vectors];
  __mmask16 mask[Vectors];
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
    mask[v] = Whole ? __mmask16{0xffff} : mask_at(j + 16 * v, tile.columns);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r)
      sum[r][v] = _mm512_loadu_ps(sums + r * Width + j + 16 * v);
  }
  const float* b = tile.begin + j;
  // Without a tile to fetch, what is read now: a branch would cost more.
  const float* ahead = tile.ahead != nullptr ? tile.ahead + j : b;
  const std::size_t stride = tile.stride;
  const float* const end = packed + tile.depth * Rows;
  const std::size_t stride_ahead = tile.ahead != nullptr ? tile.stride_ahead : stride;
  float* copy = tile.copy;
  for (; packed != end; packed += Rows, b += stride, ahead += stride_ahead) {
    __m512 column[Vectors];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      if (v < Fetched) __builtin_prefetch(ahead + 16 * v, 0, 2);
      column[v] = Whole ? _mm512_loadu_ps(b + 16 * v) : _mm512_maskz_loadu_ps(mask[v], b + 16 * v);
      if constexpr (Copied) _mm512_store_ps(copy + 16 * v, column[v]);
    }
    if constexpr (Copied) copy += Width;
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
      const __m512 x = _mm512_set1_ps(packed[r]);
#pragma GCC unroll 4
      for (std::size_t v = 0; v < Vectors; ++v)
        sum[r][v] = _mm512_fmadd_ps(column[v], x, sum[r][v]);
    }
  }
#pragma GCC unroll 4
  for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r)
      _mm512_storeu_ps(sums + r * Width + j + 16 * v, sum[r][v]);
  }
}

/// A tile times `Rows` rows. A multiply-add takes four cycles, so that a few rows need several
/// vectors of columns in flight.
template <std::size_t Rows, std::size_t Vectors, std::size_t Width>
void add_tile(const Tile& tile, const float* packed, float* sums) {
  constexpr std::size_t kStep = 16 * Vectors;
  std::size_t j = 0;
  for (; j + kStep <= tile.columns; j += kStep)
    add_vectors<Rows, Vectors, Width, true>(tile, j, packed, sums);
  for (; j < tile.columns; j += kStep)
    add_vectors<Rows, Vectors, Width, false>(tile, j, packed, sums);
}

/// A tile times `Rows` of many rows: the first of them copies it.
template <std::size_t Rows>
void add_kept(const Tile& tile, const float* packed, float* sums) {
  constexpr std::size_t kWidth = kMany.columns;
  if (tile.copy == nullptr) {
    add_vectors<Rows, 3, kWidth, true, 1>(tile, 0, packed, sums);
  } else if (tile.columns == kWidth) {
    add_vectors<Rows, 3, kWidth, true, 2, true>(tile, 0, packed, sums);
  } else {
    add_vectors<Rows, 3, kWidth, false, 2, true>(tile, 0, packed, sums);
  }
}

using AddTile = void (*)(const Tile&, const float*, float*);
template <std::size_t Width>
AddTile add_tile_of(std::size_t rows) {
  constexpr std::size_t kMost = Width == kTwice.columns ? 3 : 4;
  if (rows == 8) return add_tile < 8, kMost == 3 ? 3 : 2, Width > ;
  if (rows == 4) return add_tile<4, kMost, Width>;
  return rows == 2 ? add_tile<2, kMost, Width> : add_tile<1, kMost, Width>;
}
AddTile add_tile_of(const FewRows& job, std::size_t rows) {
  if (job.tiling().kept) {
    if (rows == 8) return add_kept<8>;
    if (rows == 4) return add_kept<4>;
    return rows == 2 ? add_kept<2> : add_kept<1>;
  }
  if (job.width() == kTwice.columns) return add_tile_of<kTwice.columns>(rows);
  if (job.width() == kLong.columns) return add_tile_of<kLong.columns>(rows);
  return rows == 16 ? add_tile<16, 1, kOnce.columns> : add_tile_of<kOnce.columns>(rows);
}

/// A tile from depth `k` on, times each group of rows; the first asks for the tile ahead.
void add_tile(const FewRows& job, Tile tile, const float* packed, std::size_t k, float* sums) {
  for (std::size_t row = 0; row < job.rows;) {
    const std::size_t size = job.group(row);
    add_tile_of(job, size)(tile, packed + row * job.depth + k * size, sums + row * job.width());
    tile.ahead = nullptr;
    row += size;
  }
}

/// The same, of many rows: the first group copies the tile for the others and asks for two vectors
/// of each row ahead, the second for the third.
void add_copied_tile(const FewRows& job, const Tile& given, const float* packed, std::size_t k,
                     float* sums) {
  const std::size_t width = job.width();
  Tile tile = given;
  for (std::size_t row = 0; row < job.rows;) {
    const std::size_t size = job.group(row);
    add_tile_of(job, size)(tile, packed + row * job.depth + k * size, sums + row * width);
    row += size;
    const std::size_t lane = (1 + row / job.tiling().group) * kLanes;
    const bool asks = given.ahead != nullptr && lane < width;
    tile = {given.copy,         given.depth, width, width, asks ? given.ahead + lane : nullptr,
            given.stride_ahead, nullptr};
  }
}

/// Where the tile begins that is fetched while this one is used: to the right, or at the left end
/// of the rows below. It may lie outside.
std::size_t ahead_of(const FewRows& job, std::size_t k, std::size_t panel, std::size_t begin,
                     std::size_t end) {
  const std::size_t step = panel - begin + job.tiling().ahead;
  const std::size_t rows = step / (end - begin) * job.tiling().depth;
  return (k + rows) * job.columns + (begin + step % (end - begin)) * job.width();
}

/// The result's columns of panels begin..end.
void multiply_panels(const FewRows& job, const float* packed, const float* b, float* sums, float* c,
                     std::size_t begin, std::size_t end) {
  const std::size_t width = job.width();
  const std::size_t tile_depth = job.tiling().depth;
  const std::size_t per_panel = job.rows * width;
  std::fill_n(sums + begin * per_panel, (end - begin) * per_panel, 0.0F);
  alignas(64) float copy[kMany.depth * kMany.columns];
  for (std::size_t k = 0; k < job.depth; k += tile_depth) {
    const std::size_t depth = std::min(tile_depth, job.depth - k);
    for (std::size_t panel = begin; panel < end; ++panel) {
      const std::size_t at = k * job.columns + panel * width;
      const std::size_t columns = std::min(width, job.columns - panel * width);
      const std::size_t next = ahead_of(job, k, panel, begin, end);
      const bool there = next + (depth - 1) * job.columns + width <= job.depth * job.columns;
      const Tile tile{b + at,      depth, columns, job.columns, there ? b + next : nullptr,
                      job.columns, copy};
      float* const to = sums + panel * per_panel;
      if (job.tiling().kept) {
        add_copied_tile(job, tile, packed, k, to);
      } else {
        add_tile(job, tile, packed, k, to);
      }
    }
  }
  for (std::size_t panel = begin; panel < end; ++panel) {
    const std::size_t columns = std::min(width, job.columns - panel * width);
    for (std::size_t row = 0; row < job.rows; ++row) {
      const float* const from = sums + panel * per_panel + row * width;
      float* const to = c + row * job.columns + panel * width;
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
  const FewRows job{rows, depth, columns, scale, static_cast<std::size_t>(threads)};
  const std::size_t copies = packed_copies(threads);
  const auto run = [=](const RunTensors& t) -> Result<void> {
    auto* const packed = reinterpret_cast<float*>(t.scratch);
    auto* const sums = packed + copies * job.packed();
    pack_then_work(
        threads, packed, job.packed(), job.depth, job.panels(), 1,
        [&](float* to, std::size_t begin, std::size_t end) { pack(job, t.in(0), to, begin, end); },
        [&](std::size_t, const float* own, std::size_t begin, std::size_t end) {
          for (std::size_t panel = begin; panel < end; panel += job.panels_at_once())
            multiply_panels(job, own, t.in(1), sums, t.out(), panel,
                            std::min(panel + job.panels_at_once(), end));
        });
    return {};
  };
  return loop_kernel(run, (copies * job.packed() + job.sums()) * sizeof(float), "mete few rows");
#else
  static_cast<void>(scale);
  return fail(Errc::unsupported, "matmul: no kernel for {} x {} x {} on {} threads here", rows,
              depth, columns, threads);
#endif
}

}  // namespace mete::blas
