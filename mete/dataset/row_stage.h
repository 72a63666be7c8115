// Rows kept aside in an unnamed file, to be written several times over without holding them in
// memory. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mete/base/result.h"

namespace mete {

class RowStage {
 public:
  /// The file lies beside `output`, where there must be room for the result anyway, and has no
  /// name.
  static Result<RowStage> create(const std::string& output, std::size_t row_bytes);
  RowStage(RowStage&& other) noexcept;
  RowStage& operator=(RowStage&&) = delete;
  RowStage(const RowStage&) = delete;
  RowStage& operator=(const RowStage&) = delete;
  ~RowStage();

  std::byte* row() { return block_.data() + in_block_; }
  Result<void> add_row();
  /// Calls `each` with every row, from the first; may be called again.
  Result<void> replay(const std::function<Result<void>(const std::byte*)>& each);
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

 private:
  RowStage() = default;
  Result<void> flush();

  std::string output_;
  int fd_ = -1;
  std::size_t row_bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::size_t in_block_ = 0;
  std::vector<std::byte> block_;
};

}  // namespace mete
