// Rows kept aside, to be written several times over: in memory as long as they are few, else in an
// unnamed file. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mete/base/result.h"

namespace mete {

class RowStage {
 public:
  static constexpr std::size_t kMostMemory = std::size_t{64} << 20U;

  /// Above `memory` bytes the rows go to a file, which lies beside `output`, where there must be
  /// room for the result anyway, and has no name.
  RowStage(std::string output, std::size_t row_bytes, std::size_t memory = kMostMemory);
  RowStage(RowStage&&) = delete;
  RowStage& operator=(RowStage&&) = delete;
  RowStage(const RowStage&) = delete;
  RowStage& operator=(const RowStage&) = delete;
  ~RowStage();

  std::byte* row() { return block_.get() + in_block_; }
  Result<void> add_row();
  Result<void> add_rows(const std::byte* rows, std::size_t count);
  /// `count` rows from row `first` on, valid until the next call. The caller may change them, and
  /// finds either the original or what it made of them when it asks again.
  Result<std::byte*> rows(std::uint64_t first, std::size_t count);
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  Result<void> open();
  Result<void> flush();

  std::string output_;
  int fd_ = -1;
  std::size_t row_bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::size_t in_block_ = 0;
  std::size_t block_bytes_ = 0;
  std::unique_ptr<std::byte[]> block_;  ///< all rows, or those that are not in the file yet
  std::vector<std::byte> read_;
};

}  // namespace mete
