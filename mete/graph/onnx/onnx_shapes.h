// How ONNX's shape ops change sizes: shared by the folding of constants and by the graph.
// Everything here is bounded: sizes come from files. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/shape.h"

namespace mete {

inline constexpr std::size_t kMostAxes = 16;

using Sizes = std::vector<std::int64_t>;

/// -1 is the last of `rank` axes.
Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank);
/// Each at most once, in rising order.
Result<std::vector<std::size_t>> axes_of(const Sizes& axes, std::size_t rank);

/// The shape that both fit into, aligned at the last axis.
Result<Shape> broadcast_shape(const Shape& a, const Shape& b);
/// 1s before it, up to that many axes.
Shape with_rank(const Shape& shape, std::size_t rank);
/// A target of Reshape: 0 keeps a size unless `zero_is_zero`, one -1 is what is left.
Result<Shape> reshape_target(const Shape& from, const Sizes& target, bool zero_is_zero);
/// No axes given: all of size 1.
Result<Shape> squeezed(const Shape& from, const Sizes* axes);
Result<Shape> unsqueezed(const Shape& from, const Sizes& axes);
/// All axes before `axis` as one, and all others as one; `axis` may be the rank.
Result<Shape> flattened(const Shape& from, std::int64_t axis);

/// Part of an axis: `count` elements from `begin`, `step` apart.
struct AxisPart {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;
};
/// One per axis of `from`. `axes`, `steps` may be nullptr.
Result<std::vector<AxisPart>> slice_parts(const Shape& from, const Sizes& starts, const Sizes& ends,
                                          const Sizes* axes, const Sizes* steps);
/// Sizes along an axis of `total` cut into `parts`: equal, or as given.
Result<Sizes> split_sizes(std::int64_t total, std::size_t parts, const Sizes* given);

/// [first, last) multiplied: how many positions those axes have. 1 for none.
std::int64_t product(const Shape& shape, std::size_t first, std::size_t last);

}  // namespace mete
