// Conversions of matrix products. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {
namespace {

/// All axes but the last two, which are those of `matrix`.
Shape with_leading(const Shape& leading, const Shape& matrix) {
  auto dims = leading.dims();
  dims.push_back(matrix.from_end(1));
  dims.push_back(matrix.from_end(0));
  return Shape{std::move(dims)};
}

Shape leading_of(const Shape& shape) {
  return Shape{std::vector<std::int64_t>(shape.dims().begin(), shape.dims().end() - 2)};
}

TensorId repeated(OnnxScope& s, TensorId id, const Shape& leading) {
  if (s.builder().failed()) return kNoTensor;
  const Shape wanted = with_leading(leading, s.builder().shape(id));
  if (s.builder().shape(id) == wanted) return id;
  Attributes a;
  a.shape = wanted;
  return s.add(kBroadcastOp, {s.reshape(id, with_rank(s.builder().shape(id), wanted.rank()))}, a);
}

/// A vector on the left is a row, on the right a column; its axis is dropped afterwards.
Result<void> matmul(OnnxScope& s) {
  if (!s.has(0) || !s.has(1) || s.shape(0).rank() == 0 || s.shape(1).rank() == 0) {
    return fail(Errc::invalid, "expected two matrices");
  }
  const bool row = s.shape(0).rank() == 1;
  const bool column = s.shape(1).rank() == 1;
  const Shape left = row ? Shape{1, s.shape(0)[0]} : s.shape(0);
  const Shape right = column ? Shape{s.shape(1)[0], 1} : s.shape(1);
  METE_TRY_VOID(s.expect_float(0));
  METE_TRY_VOID(s.expect_float(1));
  METE_TRY(TensorId a, s.tensor_as(0, left));
  METE_TRY(TensorId b, s.tensor_as(1, right));
  if (right.rank() > 2 || left.rank() < right.rank()) {
    METE_TRY(const Shape leading, broadcast_shape(leading_of(left), leading_of(right)));
    a = repeated(s, a, leading);
    b = repeated(s, b, leading);
  }
  const TensorId y = s.add(kMatMulOp, {a, b});
  if (y == kNoTensor) return {};
  auto dims = s.builder().shape(y).dims();
  if (column) dims.pop_back();
  if (row) dims.erase(dims.end() - (column ? 1 : 2));
  s.set(0, s.reshape(y, Shape{std::move(dims)}));
  return {};
}

/// alpha * A' B' + beta * C.
Result<void> gemm(OnnxScope& s) {
  if (!s.has(0) || !s.has(1)) return fail(Errc::invalid, "expected two matrices");
  if (s.shape(0).rank() != 2 || s.shape(1).rank() != 2) {
    return fail(Errc::invalid, "{} by {}: expected two matrices", s.shape(0).text(),
                s.shape(1).text());
  }
  Attributes attributes;
  attributes.transpose_a = s.integer("transA", 0) != 0;
  attributes.transpose_b = s.integer("transB", 0) != 0;
  attributes.scale = s.real("alpha", 1);
  METE_TRY(const TensorId a, s.tensor(0));
  METE_TRY(const TensorId b, s.tensor(1));
  const TensorId y = s.add(kMatMulOp, {a, b}, attributes);
  const double beta = s.real("beta", 1);
  if (y == kNoTensor || !s.has(2) || beta == 0) {
    s.set(0, y);
    return {};
  }
  OnnxSide shift = OnnxSide::of_input(s, 2);
  METE_TRY(const Shape all, broadcast_shape(s.shape(2), s.builder().shape(y)));
  if (!(all == s.builder().shape(y))) {
    return fail(Errc::invalid, "a product of {} plus {}: they do not fit together",
                s.builder().shape(y).text(), s.shape(2).text());
  }
  if (beta != 1) {
    METE_TRY(const TensorId c, s.tensor(2));
    shift.id = s.affine(c, beta, 0);
    shift.input = kNoInput;
    if (shift.id == kNoTensor) return {};
  }
  METE_TRY(const TensorId sum, join_sides(s, kAddOp, OnnxSide::of_tensor(s, y), shift));
  s.set(0, sum);
  return {};
}

constexpr OnnxConversion kList[] = {
    {"MatMul", matmul},
    {"Gemm", gemm},
};

}  // namespace

std::span<const OnnxConversion> onnx_matrix_conversions() { return kList; }

}  // namespace mete
