// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/row_stage.h"

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "mete/dataset/sweep_fixture.h"

namespace mete {
namespace {

constexpr std::size_t kRowBytes = 24;

std::vector<std::byte> row_of(std::uint32_t i) {
  std::vector<std::byte> row(kRowBytes);
  for (std::size_t b = 0; b < kRowBytes; ++b) row[b] = static_cast<std::byte>(i * 7 + b * 13 + 1);
  std::memcpy(row.data(), &i, sizeof i);
  return row;
}

TEST(RowStage, GivesEveryRowBackWhetherItFitsInMemoryOrNot) {
  testing::TempFolder folder;
  for (const std::size_t memory : {std::size_t{1}, 5 * kRowBytes, 7 * kRowBytes + 3, 100'000UL}) {
    RowStage stage(folder.path("out.h5"), kRowBytes, memory);
    constexpr std::uint32_t kRows = 100;
    for (std::uint32_t i = 0; i < kRows;) {
      if (i % 10 < 4) {
        std::memcpy(stage.row(), row_of(i).data(), kRowBytes);
        ASSERT_TRUE(stage.add_row());
        ++i;
        continue;
      }
      std::vector<std::byte> six;
      for (std::uint32_t k = 0; k < 6; ++k) {
        const auto row = row_of(i + k);
        six.insert(six.end(), row.begin(), row.end());
      }
      ASSERT_TRUE(stage.add_rows(six.data(), 6));
      i += 6;
    }
    ASSERT_EQ(stage.rows(), kRows);
    for (const std::size_t count : {1U, 3U, 100U}) {
      for (std::uint32_t at = 0; at + count <= kRows; at += 11) {
        const auto rows = stage.rows(at, count);
        ASSERT_TRUE(rows) << rows.error().what;
        for (std::uint32_t k = 0; k < count; ++k) {
          EXPECT_EQ(std::memcmp(*rows + k * kRowBytes, row_of(at + k).data(), kRowBytes), 0)
              << "row " << at + k << " of " << memory << " bytes";
        }
      }
    }
  }
}

TEST(RowStage, SaysWhereItCannotWrite) {
  RowStage stage("/no/such/folder/out.h5", kRowBytes, 1);
  const auto added = stage.add_row();
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().what.find("/no/such/folder/out.h5"), std::string::npos);
}

}  // namespace
}  // namespace mete
