// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/onnx_shapes.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace mete {

Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank) {
  const auto axes = static_cast<std::int64_t>(rank);
  if (axis < -axes || axis >= axes) {
    return fail(Errc::invalid, "axis {} of a tensor that has {}", axis, rank);
  }
  return static_cast<std::size_t>(axis < 0 ? axis + axes : axis);
}

Result<std::vector<std::size_t>> axes_of(const Sizes& axes, std::size_t rank) {
  std::vector<std::size_t> found;
  if (axes.size() > rank) return fail(Errc::invalid, "{} axes named of {}", axes.size(), rank);
  for (const auto each : axes) {
    METE_TRY(const std::size_t axis, axis_of(each, rank));
    found.push_back(axis);
  }
  std::sort(found.begin(), found.end());
  if (std::adjacent_find(found.begin(), found.end()) != found.end()) {
    return fail(Errc::invalid, "an axis named twice");
  }
  return found;
}

Shape with_rank(const Shape& shape, std::size_t rank) {
  auto dims = shape.dims();
  if (dims.size() < rank) dims.insert(dims.begin(), rank - dims.size(), 1);
  return Shape{std::move(dims)};
}

Result<Shape> broadcast_shape(const Shape& a, const Shape& b) {
  Shape result = with_rank(a, b.rank());
  const Shape other = with_rank(b, a.rank());
  for (std::size_t i = 0; i < result.rank(); ++i) {
    if (result[i] != other[i] && result[i] != 1 && other[i] != 1) {
      return fail(Errc::invalid, "tensors of {} and {} do not fit together", a.text(), b.text());
    }
    if (result[i] == 1) result[i] = other[i];
  }
  return result;
}

Result<Shape> reshape_target(const Shape& from, const Sizes& target, bool zero_is_zero) {
  Sizes dims = target;
  std::int64_t* open = nullptr;
  if (dims.size() > kMostAxes) {
    return fail(Errc::invalid, "a shape of {} axes: mete takes {}", dims.size(), kMostAxes);
  }
  std::uint64_t known = 1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && !zero_is_zero) {
      if (i >= from.rank()) return fail(Errc::invalid, "a size to be kept of an axis not there");
      dims[i] = from[i];
    }
    if (dims[i] < -1 || (dims[i] == -1 && open != nullptr)) {
      return fail(Errc::invalid, "reshape to {}: one size may be left open, none below that",
                  fmt::join(target, "x"));
    }
    if (dims[i] == -1) {
      open = &dims[i];
    } else {
      known = times(known, static_cast<std::uint64_t>(dims[i]));
    }
  }
  const std::uint64_t elements = from.elements();
  if (open != nullptr && known != 0) *open = static_cast<std::int64_t>(elements / known);
  const Shape result{dims};
  if (known == kTooMany || result.elements() != elements || (open != nullptr && known == 0)) {
    return fail(Errc::invalid, "{} elements of {} do not fit a shape of {}", elements, from.text(),
                fmt::join(target, "x"));
  }
  return result;
}

Result<Shape> squeezed(const Shape& from, const Sizes* axes) {
  std::vector<std::size_t> gone;
  if (axes != nullptr) {
    METE_TRY(gone, axes_of(*axes, from.rank()));
  }
  Sizes dims;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    const bool named = std::find(gone.begin(), gone.end(), i) != gone.end();
    if (named && from[i] != 1) {
      return fail(Errc::invalid, "axis {} of {} squeezed: its size is not 1", i, from.text());
    }
    if (!named && (axes != nullptr || from[i] != 1)) dims.push_back(from[i]);
  }
  return Shape{std::move(dims)};
}

Result<Shape> unsqueezed(const Shape& from, const Sizes& axes) {
  const std::size_t rank = from.rank() + axes.size();
  if (rank > kMostAxes) return fail(Errc::invalid, "more than {} axes", kMostAxes);
  METE_TRY(const auto added, axes_of(axes, rank));
  Sizes dims = from.dims();
  for (const std::size_t axis : added) {
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  }
  return Shape{std::move(dims)};
}

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::uint64_t count = 1;
  for (std::size_t i = first; i < last; ++i) {
    count = times(count, static_cast<std::uint64_t>(std::max<std::int64_t>(shape[i], 0)));
  }
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(count, std::numeric_limits<std::int64_t>::max()));
}

Result<Shape> flattened(const Shape& from, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(from.rank());
  if (axis < -rank || axis > rank) {
    return fail(Errc::invalid, "axis {} of a tensor that has {}", axis, rank);
  }
  const auto cut = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  return Shape{product(from, 0, cut), product(from, cut, from.rank())};
}

namespace {

/// Python's rule: below 0 counts from the end; what lies outside is cut.
AxisPart part_of(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  const auto wrapped = [size](std::int64_t at) { return at < 0 ? at + size : at; };
  AxisPart part{0, 0, step};
  if (step > 0) {
    part.begin = std::clamp<std::int64_t>(wrapped(start), 0, size);
    const auto stop = std::clamp<std::int64_t>(wrapped(end), 0, size);
    if (stop > part.begin) part.count = (stop - part.begin - 1) / step + 1;
  } else {
    part.begin = std::clamp<std::int64_t>(wrapped(start), -1, size - 1);
    const auto stop = std::clamp<std::int64_t>(wrapped(end), -1, size - 1);
    if (part.begin > stop) part.count = (part.begin - stop - 1) / -step + 1;
  }
  return part;
}

}  // namespace

Result<std::vector<AxisPart>> slice_parts(const Shape& from, const Sizes& starts, const Sizes& ends,
                                          const Sizes* axes, const Sizes* steps) {
  const std::size_t count = starts.size();
  if (ends.size() != count || (axes != nullptr && axes->size() != count) ||
      (steps != nullptr && steps->size() != count) || count > from.rank()) {
    return fail(Errc::invalid, "slice of {}: starts, ends, axes and steps differ in number",
                from.text());
  }
  std::vector<AxisPart> parts;
  for (const auto size : from.dims()) parts.push_back({0, size, 1});
  std::vector<bool> seen(from.rank(), false);
  for (std::size_t i = 0; i < count; ++i) {
    METE_TRY(const std::size_t axis,
             axis_of(axes == nullptr ? static_cast<std::int64_t>(i) : (*axes)[i], from.rank()));
    const std::int64_t step = steps == nullptr ? 1 : (*steps)[i];
    if (step == 0 || step == std::numeric_limits<std::int64_t>::min() || seen[axis]) {
      return fail(Errc::invalid, "slice of {}: a step of 0, or an axis named twice", from.text());
    }
    seen[axis] = true;
    parts[axis] = part_of(from[axis], starts[i], ends[i], step);
  }
  return parts;
}

Result<Sizes> split_sizes(std::int64_t total, std::size_t parts, const Sizes* given) {
  const auto count = static_cast<std::int64_t>(parts);
  if (given == nullptr) {
    if (count < 1 || total % count != 0) {
      return fail(Errc::invalid, "an axis of {} does not split into {} equal parts", total, count);
    }
    return Sizes(parts, total / count);
  }
  std::int64_t sum = 0;
  for (const auto each : *given) {
    if (each < 0 || each > total - sum) {
      return fail(Errc::invalid, "parts of {}: expected their sum to be {}",
                  fmt::join(*given, ", "), total);
    }
    sum += each;
  }
  if (given->size() != parts || sum != total) {
    return fail(Errc::invalid, "an axis of {} split into {} parts that come to {}, with {} results",
                total, given->size(), sum, parts);
  }
  return *given;
}

}  // namespace mete
