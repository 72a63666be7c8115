// One number of a text table where the processor can move bytes within a word of sixteen
// (SSSE3 and SSE4.1, all x86 since 2008): digits, point and length at once, without a branch that
// depends on them. Two and a half times as fast as the portable way. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include "mete/dataset/number_cell.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define METE_NUMBER_CELL_SSE 1
#include <smmintrin.h>
#else
#define METE_NUMBER_CELL_SSE 0
#endif

namespace mete {

#if METE_NUMBER_CELL_SSE

#define METE_FOR_SSE41 __attribute__((target("sse4.1")))

inline bool has_number_cell_sse() { return __builtin_cpu_supports("sse4.1") != 0; }

namespace number_cell_detail {

/// What the length of a cell (0..16) and the place of its point (the length: there is none) say.
struct Shapes {
  static constexpr unsigned kStride = 32;
  static constexpr unsigned index(unsigned length, unsigned point) {
    return length * kStride + point;
  }
  /// Which character each digit comes from, the last digit in the last byte. 0x80: none, which
  /// makes it 0. A point alone stays, and is no digit.
  struct alignas(16) Order {
    std::array<std::uint8_t, 16> from;
  };
  std::array<Order, 17 * kStride> orders;
  std::array<double, 17 * kStride> divisors;  ///< 10 for each decimal
};

constexpr Shapes shapes() {
  Shapes s{};
  constexpr auto kPowers = powers_of_ten<double>();
  for (unsigned length = 0; length <= 16; ++length) {
    for (unsigned point = 0; point <= 16; ++point) {
      auto& from = s.orders[Shapes::index(length, point)].from;
      from.fill(0x80);
      unsigned to = 16;
      for (unsigned i = length; i > 0; --i) {
        if (i - 1 != point || length == 1) from[--to] = static_cast<std::uint8_t>(i - 1);
      }
      s.divisors[Shapes::index(length, point)] = point < length ? kPowers[length - point - 1] : 1;
    }
  }
  return s;
}
inline constexpr Shapes kShapes = shapes();

/// The `length` (1..16) characters at `p`, of which one may be a point, as a number; `shape` is
/// that of kShapes. False if they are anything else, or a point alone. 16 bytes are read.
METE_FOR_SSE41 [[gnu::always_inline]] inline bool sixteen_digits(const char* p, unsigned length,
                                                                 std::uint64_t& mantissa,
                                                                 unsigned& shape) {
  const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i_u*>(p));
  const auto points =
      static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8('.'))));
  shape = Shapes::index(length, static_cast<unsigned>(__builtin_ctz(points | (1U << length))));
  const __m128i order =
      _mm_load_si128(reinterpret_cast<const __m128i*>(kShapes.orders[shape].from.data()));
  const __m128i ordered = _mm_shuffle_epi8(_mm_sub_epi8(text, _mm_set1_epi8('0')), order);
  const __m128i over = _mm_subs_epu8(ordered, _mm_set1_epi8(9));
  if (_mm_testz_si128(over, over) == 0) return false;
  const __m128i pairs = _mm_maddubs_epi16(ordered, _mm_set1_epi16(0x010A));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  const __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  mantissa = (both & 0xFFFFFFFFU) * 100'000'000 + (both >> 32U);
  return true;
}

/// The same for 17 to 22 characters: one or two digits before the sixteen that hold the point, or
/// one digit and the point before up to twenty more ("0.97450120051997294",
/// "0.0499431075344054161").
METE_FOR_SSE41 [[gnu::always_inline]] inline bool longer_digits(const char* p, std::size_t length,
                                                                std::uint64_t& mantissa,
                                                                unsigned& decimals) {
  static constexpr std::uint64_t kSixteen = 10'000'000'000'000'000U;
  unsigned shape = 0;
  if (length - 17 > 5 || !sixteen_digits(p + length - 16, 16, mantissa, shape)) return false;
  const unsigned point = shape - Shapes::index(16, 0);
  const auto digit = [p](std::size_t i) { return static_cast<unsigned>(p[i] - '0'); };
  if (digit(0) > 9) return false;
  if (point < 16) {
    if (length > 18 || (length == 18 && digit(1) > 9)) return false;
    mantissa += (length == 18 ? digit(0) * 10 + digit(1) : digit(0)) * (kSixteen / 10);
    decimals = 15 - point;
    return true;
  }
  if (length == 17 || p[1] != '.') return false;
  unsigned lead = digit(0);
  for (std::size_t i = 2; i + 16 < length; ++i) {
    if (digit(i) > 9) return false;
    lead = lead * 10 + digit(i);
  }
  if (lead > 1000) return false;  // more than 64 bits can hold
  mantissa += lead * kSixteen;
  decimals = static_cast<unsigned>(length) - 2;
  return true;
}

}  // namespace number_cell_detail

/// As parse_whole_cell(), for a processor that has_number_cell_sse().
METE_FOR_SSE41 [[gnu::always_inline]] inline bool parse_whole_cell_sse(
    const char* p, const char* cell_end, const char* end, char separator, double& out) {
  namespace detail = number_cell_detail;
  static constexpr auto kPowers = detail::powers_of_ten<double>();
  static constexpr std::uint64_t kExact = std::uint64_t{1} << 53U;
  const bool negative = *p == '-';
  const char* digits = p + (negative ? 1 : 0);
  const auto length = static_cast<std::size_t>(cell_end - digits);
  std::uint64_t mantissa = 0;
  double value = 0;
  if (length - 1 < 16) {
    unsigned shape = 0;
    if (!detail::sixteen_digits(digits, static_cast<unsigned>(length), mantissa, shape) ||
        mantissa > kExact) {
      return parse_whole_cell(p, cell_end, end, separator, out);
    }
    value =
        static_cast<double>(static_cast<std::int64_t>(mantissa)) / detail::kShapes.divisors[shape];
  } else {
    unsigned decimals = 0;
    if (!detail::longer_digits(digits, length, mantissa, decimals)) {
      return parse_whole_cell(p, cell_end, end, separator, out);
    }
    if (mantissa <= kExact) {
      value = static_cast<double>(static_cast<std::int64_t>(mantissa)) / kPowers[decimals];
    } else if (!detail::divide_by_power(mantissa, decimals, value)) {
      return parse_whole_cell(p, cell_end, end, separator, out);
    }
  }
  out = negative ? -value : value;
  return true;
}

#else

#define METE_FOR_SSE41
inline bool has_number_cell_sse() { return false; }
inline bool parse_whole_cell_sse(const char* p, const char* cell_end, const char* end,
                                 char separator, double& out) {
  return parse_whole_cell(p, cell_end, end, separator, out);
}

#endif

}  // namespace mete
