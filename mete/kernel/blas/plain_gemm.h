// Multiplies that take their matrices row by row as they lie, as BLAS defines it: the matrices, how
// they are filled and read; a library adds the call. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <utility>

#include "mete/kernel/blas/blas_backend.h"

namespace mete::blas {

/// Bytes of the three matrices of a job whose elements are of type T.
template <class T>
std::uint64_t plain_bytes(const GemmShape& shape) {
  const auto wide = row_stride(shape.rows, sizeof(T));
  return sizeof(T) *
         (shape.rows * row_stride(shape.depth, sizeof(T)) + shape.depth * wide + shape.rows * wide);
}

template <class T>
class PlainGemm : public Gemm {
 public:
  PlainGemm(const GemmJob& job, MatrixMemory memory)
      : memory_(std::move(memory)),
        rows_(job.shape.rows),
        depth_(job.shape.depth),
        threads_(job.threads),
        narrow_(row_stride(depth_, sizeof(T))),
        wide_(row_stride(rows_, sizeof(T))),
        a_(memory_.take<T>(rows_ * narrow_)),
        b_(memory_.take<T>(depth_ * wide_)),
        c_(memory_.take<T>(rows_ * wide_)) {
    Rng rng(job.seed);
    // In -1..1: sums stay near 0, so that an error shows.
    fill(a_, rows_, depth_, narrow_, rng);
    fill(b_, depth_, rows_, wide_, rng);
  }
  Result<void> finish() override { return {}; }
  [[nodiscard]] double a(std::uint64_t row, std::uint64_t k) const override {
    return static_cast<double>(a_[row * narrow_ + k]);
  }
  [[nodiscard]] double b(std::uint64_t k, std::uint64_t column) const override {
    return static_cast<double>(b_[k * wide_ + column]);
  }
  [[nodiscard]] double c(std::uint64_t row, std::uint64_t column) const override {
    return static_cast<double>(c_[row * wide_ + column]);
  }
  [[nodiscard]] double huge_page_share() const override { return memory_.huge_share(); }

 private:
  static void fill(T* to, std::uint64_t rows, std::uint64_t columns, std::uint64_t stride,
                   Rng& rng) {
    for (std::uint64_t row = 0; row < rows; ++row) {
      for (std::uint64_t i = 0; i < columns; ++i)
        to[row * stride + i] = static_cast<T>(2 * rng.uniform() - 1);
    }
  }

 protected:
  MatrixMemory memory_;
  std::uint64_t rows_;
  std::uint64_t depth_;
  int threads_;
  std::uint64_t narrow_;  ///< from one row of A to the next
  std::uint64_t wide_;    ///< of B, and of C
  T* a_;
  T* b_;
  T* c_;
};

}  // namespace mete::blas
