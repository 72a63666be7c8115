// One number of a text table, as GEOPM, Python and mete print it. Inner loop of every reader of
// traces. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <cfloat>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace mete {
namespace number_cell_detail {

template <class Float>
constexpr std::array<Float, 28> powers_of_ten() {
  std::array<Float, 28> p{};
  p[0] = 1;
  for (std::size_t i = 1; i < p.size(); ++i) p[i] = p[i - 1] * 10;
  return p;
}

/// 2^e / 5^k, rounded up to 64 bits of which the top one is set, and what e and k put into the
/// exponent of a double.
struct InversePower {
  std::uint64_t factor = 0;
  std::uint64_t exponent = 0;
};

constexpr InversePower inverse_power(unsigned k) {
  __extension__ using Wide = unsigned __int128;
  Wide power = 1;
  for (unsigned i = 0; i < k; ++i) power *= 5;
  // 2^e divided by 5^k, bit by bit, until there are 64 bits.
  Wide rest = 1;
  std::uint64_t factor = 0;
  std::uint64_t e = 0;
  while (true) {
    const bool one = rest >= power;
    if (one) rest -= power;
    factor = factor * 2 + (one ? 1 : 0);
    if ((factor >> 63U) != 0) break;
    rest *= 2;
    ++e;
  }
  return {factor + (rest != 0 ? 1 : 0), 1148U - e - k};
}

constexpr std::array<InversePower, 28> inverse_powers() {
  std::array<InversePower, 28> powers{};
  for (unsigned k = 0; k < powers.size(); ++k) powers[k] = inverse_power(k);
  return powers;
}

/// m / 10^k (k <= 27), correctly rounded; false if it lies too near the middle between two doubles
/// to tell, as one in a thousand does.
///
/// m, moved until its top bit is set, times 2^e / 5^k has 63 or 64 bits, of which a double takes
/// 53. The factor is too large by less than one of its last place, and so is the product before its
/// fraction is dropped: the true one, x, keeps high - 1 < x < high + 1. Hence rounding `high` errs
/// only if the bits to be dropped are exactly those of one half. (Lemire, Number parsing at a
/// gigabyte per second, 2021, multiplies likewise, by 128 bits.)
inline bool multiply_by_inverse(std::uint64_t m, unsigned k, double& out) {
  __extension__ using Wide = unsigned __int128;
  static constexpr auto kInverses = inverse_powers();
  const auto [factor, exponent] = kInverses[k];
  const auto zeros = static_cast<unsigned>(std::countl_zero(m | 1U));
  const auto high = static_cast<std::uint64_t>((Wide{m << zeros} * factor) >> 64U);
  const auto top = static_cast<unsigned>(high >> 63U);
  if ((high << (54U - top)) == std::uint64_t{1} << 63U) return false;
  const std::uint64_t rounded = ((high >> (9U + top)) + 1) >> 1U;
  // Added, the top bit of the 53 makes the exponent one larger.
  const std::uint64_t bits = ((exponent + top - zeros) << 52U) + rounded;
  out = m == 0 ? 0 : std::bit_cast<double>(bits);
  return true;
}

/// The same, quicker where there is the x87 format: m and 10^k are exact in its 64 bits, and
/// rounding twice (to 64 and then to 53 bits) errs only if the first result lies exactly midway
/// between two doubles. Returns false then.
inline bool divide_by_power(std::uint64_t m, unsigned k, double& out) {
#if LDBL_MANT_DIG == 64
  static constexpr auto kPowers = powers_of_ten<long double>();
  const long double quotient = static_cast<long double>(m) / kPowers[k];
  std::uint64_t bits = 0;
  std::memcpy(&bits, &quotient, sizeof bits);  // the 64 bits of its mantissa, little end first
  out = static_cast<double>(quotient);
  return (bits & 0x7FFU) != 0x400U;
#else
  return multiply_by_inverse(m, k, out);
#endif
}

/// Appends the decimal digits at `p` to the mantissa (wrapping if there are too many: the caller
/// counts). Takes up to eight at once as one 64-bit word, as simdjson and fast_float take eight:
/// the first byte that leaves '0'..'9' ends them (bytes before it neither carry nor borrow), zeros
/// are put before them to make eight, and three multiplications join neighbours to pairs, fours and
/// the eight. No branch depends on how many there are, which nobody could predict.
inline const char* take_digits(const char* p, std::uint64_t& mantissa) {
  if constexpr (std::endian::native == std::endian::little) {
    static constexpr std::array<std::uint64_t, 9> kShift{
        1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
    while (true) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, p, sizeof eight);
      const std::uint64_t above = eight + 0x4646464646464646U;
      const std::uint64_t below = eight - 0x3030303030303030U;
      const std::uint64_t others = (above | below) & 0x8080808080808080U;
      const auto count = static_cast<unsigned>(std::countr_zero(others)) / 8;
      if (count == 0) return p;
      const std::uint64_t digits = below << (64 - 8 * count);
      std::uint64_t v = (digits * 10) + (digits >> 8U);
      v = (((v & 0x000000FF000000FFU) * 0x000F424000000064U) +
           (((v >> 16U) & 0x000000FF000000FFU) * 0x0000271000000001U)) >>
          32U;
      mantissa = mantissa * kShift[count] + (v & 0xFFFFFFFFU);
      p += count;
      if (count < 8) return p;
    }
  }
  while (static_cast<unsigned char>(*p - '0') < 10) {
    mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
    ++p;
  }
  return p;
}

/// Up to eight characters that end a number, as one word: the last one in the highest byte, each
/// digit as 0..9, and zeros before them.
inline std::uint64_t word_of(const char* p, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return (word ^ 0x3030303030303030U) << (64 - 8 * count);
}

/// The top bit of each byte that is no digit.
inline std::uint64_t others_in(std::uint64_t word) {
  return (word | (word + 0x7676767676767676U)) & 0x8080808080808080U;
}

inline std::uint64_t value_of(std::uint64_t digits) {
  const std::uint64_t v = (digits * 10) + (digits >> 8U);
  return (((v & 0x000000FF000000FFU) * 0x000F424000000064U) +
          (((v >> 16U) & 0x000000FF000000FFU) * 0x0000271000000001U)) >>
         32U;
}

/// Takes the decimal point out of `word`, if it is the only byte that is no digit, and closes the
/// gap with `carry`, the character before the word. `after` is set to the digits behind the point.
inline bool take_point(std::uint64_t& word, std::uint64_t others, std::uint64_t carry,
                       unsigned& after) {
  const auto at = static_cast<unsigned>(std::countr_zero(others)) & ~7U;  // its lowest bit
  const std::uint64_t before = (std::uint64_t{1} << at) - 1;
  if ((others & (others - 1)) != 0 || ((word >> at) & 0xFFU) != ('.' ^ '0')) return false;
  word = ((word & before) << 8U) | carry | (word & ~((before << 8U) | 0xFFU));
  after = 7 - at / 8;
  return true;
}

/// The digits of the `length` characters at `p`, which a decimal point may divide: at most 18 of
/// them, and at least one. False if they are anything else. Known to its end, a number needs
/// neither loop nor search.
inline bool whole_digits(const char* p, std::size_t length, std::uint64_t& mantissa,
                         unsigned& decimals) {
  decimals = 0;
  if (length <= 8) {
    std::uint64_t low = word_of(p, length);
    if (const auto others = others_in(low); others != 0) {
      if (length == 1 || !take_point(low, others, 0, decimals)) return false;
    }
    mantissa = value_of(low);
    return true;
  }
  std::uint64_t low = word_of(p + length - 8, 8);
  const bool two = length <= 16;
  std::uint64_t middle = two ? word_of(p, length - 8) : word_of(p + length - 16, 8);
  std::uint64_t high = two ? 0 : word_of(p, length - 16);
  const auto in_low = others_in(low);
  const auto in_middle = others_in(middle);
  const auto in_high = others_in(high);
  if (in_low != 0) {
    if ((in_middle | in_high) != 0 || !take_point(low, in_low, middle >> 56U, decimals)) {
      return false;
    }
    middle = (middle << 8U) | (high >> 56U);
    high <<= 8U;
  } else if (in_middle != 0) {
    if (in_high != 0 || !take_point(middle, in_middle, high >> 56U, decimals)) return false;
    decimals += 8;
    high <<= 8U;
  } else if (in_high != 0) {
    if (!take_point(high, in_high, 0, decimals)) return false;
    decimals += 16;
  }
  mantissa = value_of(middle) * 100'000'000 + value_of(low);
  if (!two) mantissa += value_of(high) * 10'000'000'000'000'000U;
  return true;
}

/// The spellings that are rare in traces: exponents, blanks, a sign before, words for nan, numbers
/// too long or too near the middle of two doubles. Out of the way of the others.
[[gnu::noinline]] inline const char* take_rare(const char* p, const char* end, char separator,
                                               double& out) {
  while (p != end && *p == ' ') ++p;
  if (p != end && *p == '+') ++p;
  const auto [stop, error] = std::from_chars(p, end, out);
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves `out` alone; the nearest doubles are zero and infinity, and no signal is
    // either.
    out = std::numeric_limits<double>::quiet_NaN();
  } else if (error != std::errc()) {
    if (p != end && (*p == separator || *p == '\n' || *p == '\r')) {
      out = std::numeric_limits<double>::quiet_NaN();
      return p;
    }
    return nullptr;
  }
  p = stop;
  while (p != end && *p == ' ') ++p;
  return p;
}

}  // namespace number_cell_detail

/// How many bytes after `end` must be readable, whatever they hold.
inline constexpr std::size_t kNumberCellSlack = 16;

/// Reads the number at `p`, which must be followed by a separator before `end`. Gives the character
/// after it, or nullptr if there is no number. Correctly rounded, as std::from_chars. An empty cell
/// and every spelling of nan are NaN.
inline const char* parse_number_cell(const char* p, const char* end, char separator, double& out) {
  const char* start = p;
  const bool negative = *p == '-';
  if (negative) ++p;
  std::uint64_t mantissa = 0;
  const char* digits = p;
  p = number_cell_detail::take_digits(p, mantissa);
  auto count = p - digits;
  unsigned decimals = 0;
  if (*p == '.') {
    const char* point = ++p;
    p = number_cell_detail::take_digits(p, mantissa);
    decimals = static_cast<unsigned>(p - point);
    count += p - point;
  }
  const bool ends = *p == separator || *p == '\n' || *p == '\r';
  if (ends && count > 0 && count <= 19 && decimals <= 27) {
    double value = 0;
    bool exact = true;
    if (mantissa <= (std::uint64_t{1} << 53U) && decimals <= 22) {
      static constexpr auto kPowers = number_cell_detail::powers_of_ten<double>();
      value = static_cast<double>(mantissa);
      if (decimals > 0) value /= kPowers[decimals];
    } else if (decimals == 0) {
      value = static_cast<double>(mantissa);
    } else {
      exact = number_cell_detail::divide_by_power(mantissa, decimals, value);
    }
    if (exact) {
      out = negative ? -value : value;
      return p;
    }
  }
  if (ends && p == start) {
    out = std::numeric_limits<double>::quiet_NaN();
    return p;
  }
  return number_cell_detail::take_rare(start, end, separator, out);
}

/// The same for a cell of which the end is known: the number from `p` to `cell_end`, where a
/// separator or line end stands before `end`. False if the cell is no number.
inline bool parse_whole_cell(const char* p, const char* cell_end, const char* end, char separator,
                             double& out) {
  if constexpr (std::endian::native == std::endian::little) {
    const bool negative = *p == '-';
    const char* digits = p + (negative ? 1 : 0);
    const auto length = static_cast<std::size_t>(cell_end - digits);
    std::uint64_t mantissa = 0;
    unsigned decimals = 0;
    // 18 characters: 18 digits, or 17 and a point.
    if (length - 1 < 18 && number_cell_detail::whole_digits(digits, length, mantissa, decimals)) {
      static constexpr auto kPowers = number_cell_detail::powers_of_ten<double>();
      double value = 0;
      bool exact = true;
      if (mantissa <= (std::uint64_t{1} << 53U)) {
        value = static_cast<double>(static_cast<std::int64_t>(mantissa)) / kPowers[decimals];
      } else {
        exact = number_cell_detail::divide_by_power(mantissa, decimals, value);
      }
      if (exact) {
        out = negative ? -value : value;
        return true;
      }
    }
  }
  return parse_number_cell(p, end, separator, out) == cell_end;
}

}  // namespace mete
