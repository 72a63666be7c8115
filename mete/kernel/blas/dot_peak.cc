// The units for small types alone: matrix tiles (AMX) and dot products (AVX-512 BF16, VNNI) in
// registers, no memory. SPDX-License-Identifier: BSD-3-Clause
#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <array>
#include <cstdint>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {
namespace {

#if defined(__x86_64__)
constexpr int kRounds = 4096;
constexpr int kSums = 12;

// Sums with names of their own, as in fma_peak.cc. Nobody looks at their values: integers may wrap.
#define METE_EACH(step) \
  step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)
#define METE_START(i) auto sum##i = zero;
#define METE_STEP(i)               \
  sum##i = METE_DOT(sum##i, a, b); \
  asm volatile("" : "+v"(sum##i));

__attribute__((target("avx512f,avx512vnni"), noinline)) double int8_dot(double seed) {
#define METE_DOT _mm512_dpbusd_epi32
  const __m512i a = _mm512_set1_epi8(static_cast<char>(seed));
  const __m512i b = _mm512_set1_epi8(1);
  const __m512i zero = _mm512_setzero_si512();
  METE_EACH(METE_START)
  for (int r = 0; r < kRounds; ++r) {
    METE_EACH(METE_STEP)
  }
  return static_cast<double>(_mm512_cvtsi512_si32(sum0));
#undef METE_DOT
}

__attribute__((target("avx512f,avx512bf16"), noinline)) double bf16_dot(double seed) {
#define METE_DOT _mm512_dpbf16_ps
  const __m512 one = _mm512_set1_ps(static_cast<float>(seed));
  const __m512bh a = _mm512_cvtne2ps_pbh(one, one);
  const __m512bh b = a;
  const __m512 zero = _mm512_setzero_ps();
  METE_EACH(METE_START)
  for (int r = 0; r < kRounds; ++r) {
    METE_EACH(METE_STEP)
  }
  return static_cast<double>(_mm512_cvtss_f32(sum0));
#undef METE_DOT
}
#undef METE_STEP
#undef METE_START
#undef METE_EACH

/// The layout of AMX' tile configuration, palette 1 (Intel SDM, LDTILECFG).
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::array<std::uint8_t, 14> reserved{};
  std::array<std::uint16_t, 16> row_bytes{};
  std::array<std::uint8_t, 16> rows{};
};
constexpr int kTileRounds = 512;
constexpr double kTileMultiplies = 16 * 16 * 32;  // of bf16; int8 has twice as many

TileConfig full_tiles() {
  TileConfig config;
  for (std::size_t tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = 16;
  }
  return config;
}

// Four sums in flight from two by two inputs, as a multiply in blocks has them.
#define METE_TILE_LOOP(name, isa, multiply)                                \
  __attribute__((target("amx-tile," isa), noinline)) double name(double) { \
    const TileConfig config = full_tiles();                                \
    _tile_loadconfig(&config);                                             \
    _tile_zero(0);                                                         \
    _tile_zero(1);                                                         \
    _tile_zero(2);                                                         \
    _tile_zero(3);                                                         \
    _tile_zero(4);                                                         \
    _tile_zero(5);                                                         \
    _tile_zero(6);                                                         \
    _tile_zero(7);                                                         \
    for (int r = 0; r < kTileRounds; ++r) {                                \
      multiply(0, 4, 6);                                                   \
      multiply(1, 4, 7);                                                   \
      multiply(2, 5, 6);                                                   \
      multiply(3, 5, 7);                                                   \
    }                                                                      \
    _tile_release();                                                       \
    return 0;                                                              \
  }
METE_TILE_LOOP(bf16_tiles, "amx-bf16", _tile_dpbf16ps)
METE_TILE_LOOP(int8_tiles, "amx-int8", _tile_dpbusd)
#undef METE_TILE_LOOP

/// Linux gives the tiles' state to a process that asks for it.
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

}  // namespace

PeakLoop dot_loop(GemmType type) {
#if defined(__x86_64__)
  constexpr double kTileOperations = 2.0 * 4 * kTileRounds * kTileMultiplies;
  constexpr double kDots = 2.0 * kSums * kRounds;
  if (type == GemmType::bf16) {
    if (__builtin_cpu_supports("amx-bf16") != 0 && may_use_tiles())
      return {bf16_tiles, kTileOperations};
    if (__builtin_cpu_supports("avx512bf16") != 0) return {bf16_dot, kDots * 32};
  }
  if (type == GemmType::int8) {
    if (__builtin_cpu_supports("amx-int8") != 0 && may_use_tiles())
      return {int8_tiles, 2 * kTileOperations};
    if (__builtin_cpu_supports("avx512vnni") != 0) return {int8_dot, kDots * 64};
  }
#endif
  static_cast<void>(type);
  return {};
}

}  // namespace mete::blas
