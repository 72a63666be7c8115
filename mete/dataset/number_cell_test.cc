// Judge: std::from_chars, bit for bit.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/number_cell.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/dataset/number_cell_sse.h"

namespace mete {
namespace {

const char* parse(const std::string& cell, double& out, std::string& kept) {
  kept = cell + "|" + std::string(kNumberCellSlack, '9');
  return parse_number_cell(kept.data(), kept.data() + cell.size() + 1, '|', out);
}

/// The same, by the way that knows where the cell ends.
bool parse_whole(const std::string& cell, double& out) {
  const std::string kept = cell + "|" + std::string(kNumberCellSlack, '9');
  const char* end = kept.data() + cell.size();
  return parse_whole_cell(kept.data(), end, end + 1, '|', out);
}

/// And by sixteen bytes at once. The bytes around the cell are digits: none of them may count.
METE_FOR_SSE41 bool parse_sixteen(const std::string& cell, double& out) {
  const std::string kept = "99999999" + cell + "|" + std::string(kNumberCellSlack, '9');
  const char* start = kept.data() + 8;
  const char* end = start + cell.size();
  return parse_whole_cell_sse(start, end, end + 1, '|', out);
}

void expect_as_from_chars(const std::string& cell) {
  double want = 0;
  std::from_chars(cell.data(), cell.data() + cell.size(), want);
  double got = -1;
  std::string kept;
  const char* stop = parse(cell, got, kept);
  ASSERT_NE(stop, nullptr) << cell;
  EXPECT_EQ(stop - kept.data(), static_cast<std::ptrdiff_t>(cell.size())) << cell;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(got), std::bit_cast<std::uint64_t>(want)) << cell;
  double whole = -1;
  ASSERT_TRUE(parse_whole(cell, whole)) << cell;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(whole), std::bit_cast<std::uint64_t>(want)) << cell;
  if (!has_number_cell_sse()) return;
  double sixteen = -1;
  ASSERT_TRUE(parse_sixteen(cell, sixteen)) << cell;
  EXPECT_EQ(std::bit_cast<std::uint64_t>(sixteen), std::bit_cast<std::uint64_t>(want)) << cell;
}

TEST(NumberCell, ReadsEveryUsualFormatAsFromChars) {
  Rng rng(7);
  for (int i = 0; i < 200'000; ++i) {
    const double scale = std::pow(10.0, rng.uniform() * 24 - 9);
    const double value = (rng.uniform() - 0.3) * scale;
    expect_as_from_chars(fmt::format("{:.17g}", value));
    expect_as_from_chars(fmt::format("{:.16g}", value));
    expect_as_from_chars(fmt::format("{}", value));
    expect_as_from_chars(fmt::format("{:g}", value));
    expect_as_from_chars(fmt::format("{:.9f}", value));
    expect_as_from_chars(fmt::format("{}", static_cast<long long>(value)));
  }
}

TEST(NumberCell, ReadsAnyDigitsAsFromChars) {
  Rng rng(8);
  for (int i = 0; i < 300'000; ++i) {
    std::string cell = rng.below(4) == 0 ? "-" : "";
    const std::size_t digits = 1 + rng.below(24);
    const std::size_t point = rng.below(digits + 1);
    for (std::size_t d = 0; d < digits; ++d) {
      if (d == point) cell += ".";
      cell += static_cast<char>('0' + rng.below(10));
    }
    expect_as_from_chars(cell);
  }
}

/// The longest spellings of a double, "0.97450120051997294" among them, with and without more
/// digits than it needs.
TEST(NumberCell, ReadsSeventeenDigitsOfEveryScaleAsFromChars) {
  Rng rng(10);
  for (int i = 0; i < 50'000; ++i) {
    const auto scale = static_cast<double>(std::uint64_t{1} << rng.below(40));
    const double value = rng.uniform() * scale * (rng.below(8) == 0 ? -1 : 1);
    for (int decimals = 14; decimals <= 21; ++decimals) {
      expect_as_from_chars(fmt::format("{:.{}f}", value, decimals));
    }
    expect_as_from_chars(fmt::format("{:.18g}", value));
  }
}

/// The two ways to divide by a power of ten; each processor uses one of them.
TEST(NumberCell, DividesByPowersOfTenAsFromChars) {
  Rng rng(12);
  std::size_t untold = 0;
  constexpr int kCases = 300'000;
  for (int i = 0; i < kCases; ++i) {
    const std::uint64_t m =
        ((rng.below(std::uint64_t{1} << 32U) << 32U) | rng.below(std::uint64_t{1} << 32U)) >>
        rng.below(64);
    const auto k = static_cast<unsigned>(rng.below(28));
    const std::string cell = fmt::format("{}e-{}", m, k);
    double want = -1;
    std::from_chars(cell.data(), cell.data() + cell.size(), want);
    double got = -1;
    if (!number_cell_detail::multiply_by_inverse(m, k, got)) {
      ++untold;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(got), std::bit_cast<std::uint64_t>(want)) << cell;
    }
    if (number_cell_detail::divide_by_power(m, k, got)) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(got), std::bit_cast<std::uint64_t>(want)) << cell;
    }
  }
  EXPECT_LT(untold, kCases / 300U);
}

TEST(NumberCell, RoundsMidwayCasesToEven) {
  // 2^53 + 1 and its like lie exactly midway between two doubles, also with decimals after them.
  for (std::uint64_t k = 1; k < 2000; k += 2) {
    const std::uint64_t odd = (std::uint64_t{1} << 53U) + k;
    expect_as_from_chars(fmt::format("{}", odd));
    expect_as_from_chars(fmt::format("{}.5", odd / 2));
    expect_as_from_chars(fmt::format("{}.25", odd / 4));
    expect_as_from_chars(fmt::format("{}.125", odd / 8));
    expect_as_from_chars(fmt::format("{}.0", odd));
    expect_as_from_chars(fmt::format("{}.00000000000000001", odd));
  }
}

TEST(NumberCell, KnowsEverySpellingOfNan) {
  for (const std::string cell : {"nan", "-nan", "NAN", "NaN", "", " ", "nan "}) {
    double got = 0;
    std::string kept;
    ASSERT_NE(parse(cell, got, kept), nullptr) << "'" << cell << "'";
    EXPECT_TRUE(std::isnan(got)) << "'" << cell << "'";
  }
}

TEST(NumberCell, StopsAtWhatIsNoNumber) {
  for (const std::string cell : {"abc", "0x12", "1.2.3", "--1", "1e", "12 34", "."}) {
    double got = 0;
    std::string kept;
    const char* stop = parse(cell, got, kept);
    EXPECT_TRUE(stop == nullptr || *stop != '|') << cell;
  }
}

TEST(NumberCell, SeesAWrongCharacterAnywhere) {
  Rng rng(9);
  for (int i = 0; i < 200'000; ++i) {
    std::string cell;
    const std::size_t length = 1 + rng.below(22);
    for (std::size_t c = 0; c < length; ++c) cell += static_cast<char>('0' + rng.below(10));
    if (rng.below(2) == 0) cell[rng.below(length)] = '.';
    cell[rng.below(length)] = static_cast<char>(rng.below(256));
    if (rng.below(4) == 0) cell[rng.below(length)] = static_cast<char>(rng.below(256));
    if (cell.find_first_of("|\n") != std::string::npos) continue;
    double want = 0;
    std::string kept;
    const char* stop = parse(cell, want, kept);
    const bool number = stop == kept.data() + cell.size();
    double got = 0;
    ASSERT_EQ(parse_whole(cell, got), number) << cell;
    double sixteen = 0;
    const bool sse = has_number_cell_sse();
    if (sse) {
      ASSERT_EQ(parse_sixteen(cell, sixteen), number) << cell;
    }
    if (!number) continue;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(got), std::bit_cast<std::uint64_t>(want)) << cell;
    if (sse) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(sixteen), std::bit_cast<std::uint64_t>(want)) << cell;
    }
  }
}

TEST(NumberCell, TakesExponentsInfinitiesAndSigns) {
  for (const std::string cell : {"1e+09", "1E-5", "2.5e3", "inf", "-inf", "-0", "0", "0.0"}) {
    expect_as_from_chars(cell);
  }
  double got = 0;
  std::string kept;
  ASSERT_NE(parse("+5.5", got, kept), nullptr);
  EXPECT_EQ(got, 5.5);
  ASSERT_NE(parse("1e999", got, kept), nullptr);
  EXPECT_TRUE(std::isnan(got));
}

}  // namespace
}  // namespace mete
