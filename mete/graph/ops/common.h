// What the ops share: axis checks, the usual ways to count work. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "mete/graph/graph.h"
#include "mete/graph/ops.h"

namespace mete {

/// Refuses anything but `rank` axes.
inline Result<void> expect_rank(const TensorType& type, std::size_t rank, const char* what) {
  if (type.shape.rank() == rank) return {};
  return fail(Errc::invalid, "{} of {}: expected {} axes", what, type.shape.text(), rank);
}

inline Result<void> expect_axis(const TensorType& type, std::size_t axis) {
  if (axis < type.shape.rank()) return {};
  return fail(Errc::invalid, "axis {} of a tensor of {}: expected less than {}", axis,
              type.shape.text(), type.shape.rank());
}

inline Result<void> expect_equal(const TensorType& a, const TensorType& b) {
  if (a == b) return {};
  return fail(Errc::invalid, "tensors of {} and {}: expected equal shapes", a.shape.text(),
              b.shape.text());
}

/// Parameters of a norm: one number for each of `size`.
inline Result<void> expect_vector(const TensorType& type, std::int64_t size, const char* what) {
  if (type.shape == Shape{size}) return {};
  return fail(Errc::invalid, "{} of {}: expected {}", what, type.shape.text(), size);
}

inline Result<std::vector<TensorType>> same_as_first(Types in, const Attributes& /*a*/) {
  return std::vector<TensorType>{in[0]};
}

inline Result<std::vector<TensorType>> same_as_both(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_equal(in[0], in[1]));
  return std::vector<TensorType>{in[0]};
}

/// The attributes' shape: backward ops that cannot infer it.
inline Result<std::vector<TensorType>> shape_given(Types /*in*/, const Attributes& a) {
  return std::vector<TensorType>{TensorType{a.shape}};
}

inline OpWork no_work(Types /*in*/, Types /*out*/, const Attributes& /*a*/) { return {}; }

/// So many operations for each element of the first input.
template <std::uint64_t kEach>
OpWork per_element(Types in, Types /*out*/, const Attributes& /*a*/) {
  return {0, times(kEach, in[0].shape.elements())};
}

}  // namespace mete
