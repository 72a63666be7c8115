// MatrixMemory: one piece of memory for the matrices of a multiply, in huge pages where the system
// gives them: a multiply walks far more 4 KiB pages than the CPU keeps addresses of.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "mete/base/result.h"

namespace mete {

class MatrixMemory {
 public:
  /// Room for `pieces` matrices of `bytes` in all. `failed` if the system has not that much.
  static Result<MatrixMemory> of(std::uint64_t bytes, std::size_t pieces);
  /// The next `count` elements, all zero, at an address that a page begins with. No more than of()
  /// was told of.
  template <class T>
  T* take(std::uint64_t count) {
    return static_cast<T*>(next(count * sizeof(T)));
  }
  /// The part of it that lies in huge pages, as the system tells now (0..1); NaN if it does not.
  [[nodiscard]] double huge_share() const;

 private:
  struct Unmap {
    std::uint64_t bytes = 0;
    void operator()(void* begin) const;
  };
  explicit MatrixMemory(std::unique_ptr<void, Unmap> memory, std::byte* begin, std::byte* end)
      : memory_(std::move(memory)), next_(begin), begin_(begin), end_(end) {}
  void* next(std::uint64_t bytes);

  std::unique_ptr<void, Unmap> memory_;
  std::byte* next_;
  std::byte* begin_;
  std::byte* end_;
};

/// Elements from one row of a matrix to the next: `columns`, or 256 bytes more where a row is a
/// whole number of pages long: then all rows of a column would share a few places in the caches.
std::uint64_t row_stride(std::uint64_t columns, std::size_t element_bytes);

}  // namespace mete
