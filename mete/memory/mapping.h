// Mapped memory: the pools of every tier are this. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>

#include "mete/memory/tier.h"

namespace mete {

/// Pools are multiples of a huge page, and begin at one.
inline constexpr std::size_t kHugePage = std::size_t{2} << 20U;
/// More than any machine addresses: sizes up to it can be rounded up without wrapping around.
inline constexpr std::size_t kMostPoolBytes = std::size_t{1} << 46U;

/// `bytes` rounded up to huge pages; small ones to ordinary pages.
std::size_t mapped_size(std::size_t bytes);

/// Unmapped when destroyed.
class MappedPool final : public Pool {
 public:
  MappedPool(void* data, std::size_t mapped, std::size_t bytes)
      : data_(data), mapped_(mapped), bytes_(bytes) {}
  MappedPool(const MappedPool&) = delete;
  MappedPool& operator=(const MappedPool&) = delete;
  ~MappedPool() override;
  std::byte* data() noexcept override { return static_cast<std::byte*>(data_); }
  [[nodiscard]] std::size_t bytes() const noexcept override { return bytes_; }
  [[nodiscard]] std::size_t mapped() const noexcept { return mapped_; }
  /// Makes every page exist, with a few threads. `failed` if one cannot.
  Result<void> touch(const std::string& tier);

 private:
  void* data_;
  std::size_t mapped_;
  std::size_t bytes_;
};

/// Private memory, huge pages wanted; not touched yet.
Result<std::unique_ptr<MappedPool>> map_anonymous(std::size_t bytes, const std::string& tier);

}  // namespace mete
