// y[..,m,n] = scale * sum over k of a[..,m,k] b[..,k,n]; either may be stored transposed, and b may
// be one matrix for all. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// A matrix among many of one size, as multiplied: element (row, column) of matrix `index`.
struct MatrixView {
  std::span<const float> data;
  std::size_t stored_rows;
  std::size_t stored_columns;
  bool transposed;
  bool shared;

  [[nodiscard]] double operator()(std::size_t index, std::size_t row, std::size_t column) const {
    const std::size_t first = shared ? 0 : index * stored_rows * stored_columns;
    const std::size_t i =
        transposed ? column * stored_columns + row : row * stored_columns + column;
    return double{data[first + i]};
  }
};

MatrixView matrices(const ReferenceRun& run, std::size_t i, bool transposed) {
  const Shape& shape = run.in_shape(i);
  return {run.input(i), static_cast<std::size_t>(shape.from_end(1)),
          static_cast<std::size_t>(shape.from_end(0)), transposed, shape.rank() == 2};
}

}  // namespace

Result<void> reference_matmul(const ReferenceRun& run) {
  const Attributes& attributes = run.attributes();
  const MatrixView a = matrices(run, 0, attributes.transpose_a);
  const MatrixView b = matrices(run, 1, attributes.transpose_b);
  const auto y = run.output(0);
  const auto rows = static_cast<std::size_t>(run.out_shape(0).from_end(1));
  const auto columns = static_cast<std::size_t>(run.out_shape(0).from_end(0));
  const std::size_t depth = a.transposed ? a.stored_rows : a.stored_columns;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t index = i / (rows * columns);
    const std::size_t m = i / columns % rows;
    const std::size_t n = i % columns;
    double sum = 0;
    for (std::size_t k = 0; k < depth; ++k) sum += a(index, m, k) * b(index, k, n);
    y[i] = rounded(attributes.scale * sum);
  }
  return {};
}

}  // namespace mete
