// Matrix multiply of the last two axes, scaled: a[..,M,K] by b[..,K,N], or by one b[K,N] for all.
// Either may be given transposed. SPDX-License-Identifier: BSD-3-Clause
#include <utility>

#include "mete/graph/ops/common.h"

namespace mete {
namespace {

/// Rows and columns as multiplied.
std::pair<std::int64_t, std::int64_t> matrix_of(const Shape& shape, bool transposed) {
  const std::int64_t rows = shape.from_end(1);
  const std::int64_t columns = shape.from_end(0);
  return transposed ? std::pair{columns, rows} : std::pair{rows, columns};
}

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  const Shape& left = in[0].shape;
  const Shape& right = in[1].shape;
  const bool shared = right.rank() == 2 && left.rank() > 2;
  bool fits = left.rank() >= 2 && (shared || left.rank() == right.rank());
  for (std::size_t i = 0; fits && !shared && i + 2 < left.rank(); ++i) fits = left[i] == right[i];
  if (!fits) {
    return fail(Errc::invalid, "matrices of {} and {}: expected the same leading axes", left.text(),
                right.text());
  }
  if (shared && a.transpose_a) {
    return fail(Errc::invalid, "matrices of {} cannot be transposed against one of {} for all",
                left.text(), right.text());
  }
  const auto [m, k] = matrix_of(left, a.transpose_a);
  const auto [rows, n] = matrix_of(right, a.transpose_b);
  if (k != rows) {
    return fail(Errc::invalid, "matrices of {} and {}: {} columns meet {} rows", left.text(),
                right.text(), k, rows);
  }
  Shape result = left;
  result[left.rank() - 2] = m;
  result[left.rank() - 1] = n;
  return std::vector<TensorType>{TensorType{result}};
}

OpWork work(Types in, Types out, const Attributes& a) {
  const auto k = static_cast<std::uint64_t>(matrix_of(in[0].shape, a.transpose_a).second);
  return {times(out[0].shape.elements(), k), 0};
}

/// All but the last axis as one: what a shared factor sees.
TensorId flat(GraphBuilder& builder, TensorId id) {
  const Shape shape = builder.shape(id);
  if (shape.rank() <= 2 || builder.failed()) return id;
  const auto columns = static_cast<std::uint64_t>(shape.from_end(0));
  Attributes a;
  a.shape = Shape{static_cast<std::int64_t>(shape.elements() / columns), shape.from_end(0)};
  return builder.add(kReshapeOp, {id}, a);
}

TensorId product(GradientScope& scope, TensorId a, bool ta, TensorId b, bool tb) {
  Attributes attributes;
  attributes.transpose_a = ta;
  attributes.transpose_b = tb;
  attributes.scale = scope.node.attributes.scale;
  return scope.builder.add(kMatMulOp, {a, b}, attributes);
}

/// y = A'B' gives dA' = dy B'^T and dB' = A'^T dy; where a factor was given transposed, so is its
/// gradient.
void gradient(GradientScope& scope) {
  const bool ta = scope.node.attributes.transpose_a;
  const bool tb = scope.node.attributes.transpose_b;
  const TensorId a = scope.in(0);
  const TensorId b = scope.in(1);
  const TensorId dy = scope.dy();
  if (scope.wanted[1]) {
    const bool shared = scope.builder.shape(b).rank() < scope.builder.shape(a).rank();
    const TensorId left = shared ? flat(scope.builder, a) : a;
    const TensorId result = shared ? flat(scope.builder, dy) : dy;
    scope.input_gradients[1] =
        tb ? product(scope, result, true, left, ta) : product(scope, left, !ta, result, false);
  }
  if (scope.wanted[0]) {
    scope.input_gradients[0] =
        ta ? product(scope, b, tb, dy, true) : product(scope, dy, false, b, !tb);
  }
}

}  // namespace

const Op kMatMulOp = {
    .name = "matmul", .inputs = 2, .infer = infer, .work = work, .gradient = gradient};

}  // namespace mete
