// Conversions of ops that move, cut or repeat elements. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {
namespace {

Result<void> expect_first(const OnnxScope& s) {
  if (s.has(0)) return {};
  return fail(Errc::invalid, "its first input is missing");
}

/// The first input's elements, in their order, under another shape.
Result<void> set_reshaped(OnnxScope& s, const Shape& shape) {
  METE_TRY(const TensorId x, s.any(0));
  s.set(0, s.reshape(x, shape));
  return {};
}

Error unknown_shape() { return fail(Errc::unsupported, "to a computed shape"); }

Result<void> reshape(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const auto target = s.integers("shape", 1);
  if (!target) return unknown_shape();
  METE_TRY(const Shape shape, reshape_target(s.shape(0), *target, s.integer("allowzero", 0) != 0));
  return set_reshaped(s, shape);
}

Result<void> flatten(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  METE_TRY(const Shape shape, flattened(s.shape(0), s.integer("axis", 1)));
  return set_reshaped(s, shape);
}

Result<void> squeeze(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const auto axes = s.integers("axes", 1);
  if (!axes && s.has(1)) return unknown_shape();
  METE_TRY(const Shape shape, squeezed(s.shape(0), axes ? &*axes : nullptr));
  return set_reshaped(s, shape);
}

Result<void> unsqueeze(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const auto axes = s.integers("axes", 1);
  if (!axes) return unknown_shape();
  METE_TRY(const Shape shape, unsqueezed(s.shape(0), *axes));
  return set_reshaped(s, shape);
}

Result<void> transpose(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const std::size_t rank = s.shape(0).rank();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < rank; ++i) order.push_back(rank - 1 - i);
  if (const auto given = s.integers("perm")) {
    METE_TRY(const auto sorted, axes_of(*given, rank));
    if (sorted.size() != rank) {
      return fail(Errc::invalid, "perm names {} axes of {}", sorted.size(), rank);
    }
    for (std::size_t i = 0; i < rank; ++i) {
      METE_TRY(order[i], axis_of((*given)[i], rank));
    }
  }
  METE_TRY(const TensorId x, s.any(0));
  s.set(0, s.transpose(x, order));
  return {};
}

Result<void> concat(OnnxScope& s) {
  std::vector<TensorId> parts;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < s.inputs(); ++i) {
    if (!s.has(i)) return fail(Errc::invalid, "its input {} is missing", i + 1);
    if (s.shape(i).elements() == 0) continue;  // exporters begin a list with nothing
    METE_TRY(const TensorId part, s.any(i));
    rank = s.shape(i).rank();
    parts.push_back(part);
  }
  if (parts.empty()) return fail(Errc::invalid, "joins nothing");
  Attributes a;
  METE_TRY(a.axis, axis_of(s.integer("axis", 1), rank));
  s.set(0, parts.size() == 1 ? parts[0] : s.add(kConcatOp, parts, a));
  return {};
}

TensorId sliced(OnnxScope& s, TensorId x, std::size_t axis, std::int64_t begin, std::int64_t end) {
  if (s.builder().failed()) return kNoTensor;
  if (begin == 0 && end == s.builder().shape(x)[axis]) return x;
  Attributes a;
  a.axis = axis;
  a.begin = begin;
  a.end = end;
  return s.add(kSliceOp, {x}, a);
}

/// Every step-th of an axis that the step divides: the axis is seen as two.
Result<TensorId> strided(OnnxScope& s, TensorId x, std::size_t axis, const AxisPart& part) {
  const Shape in = s.builder().shape(x);
  if (part.step < 1 || in[axis] % part.step != 0 || part.begin >= part.step ||
      part.count != in[axis] / part.step) {
    return fail(Errc::unsupported, "with a step of {}", part.step);
  }
  auto dims = in.dims();
  dims[axis] = part.count;
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, part.step);
  const TensorId split = sliced(s, s.reshape(x, Shape{dims}), axis + 1, part.begin, part.begin + 1);
  Shape out = in;
  out[axis] = part.count;
  return s.reshape(split, out);
}

Result<void> slice(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const bool old = s.opset() < 10;
  const auto starts = s.integers("starts", old ? kNoInput : 1);
  const auto ends = s.integers("ends", old ? kNoInput : 2);
  const auto axes = s.integers("axes", old ? kNoInput : 3);
  const auto steps = s.integers("steps", old ? kNoInput : 4);
  if (!starts || !ends || (s.has(3) && !axes) || (s.has(4) && !steps)) {
    return fail(Errc::unsupported, "by computed numbers");
  }
  METE_TRY(const auto parts, slice_parts(s.shape(0), *starts, *ends, axes ? &*axes : nullptr,
                                         steps ? &*steps : nullptr));
  METE_TRY(TensorId x, s.any(0));
  for (std::size_t axis = 0; axis < parts.size() && x != kNoTensor; ++axis) {
    const AxisPart& part = parts[axis];
    if (part.count == 0) return fail(Errc::unsupported, "that leaves nothing");
    if (part.step == 1 || part.count == 1) {
      x = sliced(s, x, axis, part.begin, part.begin + part.count);
    } else {
      METE_TRY(x, strided(s, x, axis, part));
    }
  }
  s.set(0, x);
  return {};
}

Result<void> split(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  METE_TRY(const std::size_t axis, axis_of(s.integer("axis", 0), s.shape(0).rank()));
  const auto given = s.integers("split", 1);
  if (!given && s.has(1)) return fail(Errc::unsupported, "by computed numbers, or into many");
  METE_TRY(const Sizes sizes,
           split_sizes(s.shape(0)[axis], s.node().outputs.size(), given ? &*given : nullptr));
  METE_TRY(const TensorId x, s.any(0));
  std::int64_t at = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (s.wanted(i) && sizes[i] == 0) return fail(Errc::unsupported, "that leaves nothing");
    if (s.wanted(i)) s.set(i, sliced(s, x, axis, at, at + sizes[i]));
    at += sizes[i];
  }
  return {};
}

/// One position, or several that follow each other: a slice.
bool as_slice(OnnxScope& s, TensorId x, std::size_t axis, const OnnxConstant& indices,
              const Shape& result) {
  const std::int64_t size = s.shape(0)[axis];
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices.integers[i] - indices.integers[0] != static_cast<std::int64_t>(i)) return false;
  }
  const std::int64_t begin = indices.integers[0] + (indices.integers[0] < 0 ? size : 0);
  const TensorId part =
      sliced(s, x, axis, begin, begin + static_cast<std::int64_t>(indices.size()));
  s.set(0, s.reshape(part, result));
  return true;
}

/// Rows of a table: the axis is moved to the front, and what is left of each position is a row.
Result<void> gather(OnnxScope& s) {
  if (!s.has(0) || !s.has(1)) return fail(Errc::invalid, "expected data and indices");
  const Shape in = s.shape(0);
  const Shape at = s.shape(1);
  METE_TRY(const std::size_t axis, axis_of(s.integer("axis", 0), in.rank()));
  std::vector<std::size_t> front = {axis};
  Sizes dims = at.dims();
  std::vector<std::size_t> back;  // where the result's axes are found
  for (std::size_t i = 0; i < at.rank(); ++i) back.push_back(i);
  Sizes result(in.dims().begin(), in.dims().begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.end(), at.dims().begin(), at.dims().end());
  result.insert(result.end(), in.dims().begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                in.dims().end());
  for (std::size_t i = 0; i < in.rank(); ++i) {
    if (i == axis) continue;
    front.push_back(i);
    if (i < axis) {
      back.insert(back.begin() + static_cast<std::ptrdiff_t>(i), at.rank() + i);
    } else {
      back.push_back(at.rank() + i - 1);
    }
    dims.push_back(in[i]);
  }
  TensorId indices = kNoTensor;
  if (const auto* known = s.constant(1); known != nullptr && !known->is_real()) {
    OnnxConstant wrapped = *known;
    for (auto& index : wrapped.integers) {
      if (index < -in[axis] || index >= in[axis]) {
        return fail(Errc::invalid, "index {} of an axis of {}", index, in[axis]);
      }
      index += index < 0 ? in[axis] : 0;
    }
    if (wrapped.size() == 0) return fail(Errc::unsupported, "that leaves nothing");
    METE_TRY(const TensorId data, s.any(0));
    if (as_slice(s, data, axis, wrapped, Shape{result})) return {};
    wrapped.type = OnnxType::i64;
    indices = s.make(wrapped);
  } else {
    METE_TRY(indices, s.any(1));
  }
  METE_TRY(const TensorId x, s.tensor(0));
  const std::int64_t rest = static_cast<std::int64_t>(in.elements()) / in[axis];
  const TensorId table = s.reshape(s.transpose(x, front), Shape{in[axis], rest});
  const TensorId rows = s.add(kEmbeddingOp, {table, indices});
  s.set(0, s.transpose(s.reshape(rows, Shape{dims}), back));
  return {};
}

Result<void> expand(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const auto target = s.integers("", 1);
  if (!target) return unknown_shape();
  METE_TRY(const Shape all, broadcast_shape(s.shape(0), Shape{*target}));
  METE_TRY(const TensorId x, s.any(0));
  if (x == kNoTensor || s.shape(0) == all) {
    s.set(0, x);
    return {};
  }
  Attributes a;
  a.shape = all;
  s.set(0, s.add(kBroadcastOp, {s.reshape(x, with_rank(s.shape(0), all.rank()))}, a));
  return {};
}

Result<void> tile(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  constexpr std::int64_t kMostCopies = 1024;
  const auto repeats = s.integers("", 1);
  if (!repeats || repeats->size() != s.shape(0).rank()) return unknown_shape();
  METE_TRY(TensorId x, s.any(0));
  for (std::size_t axis = 0; axis < repeats->size(); ++axis) {
    const std::int64_t copies = (*repeats)[axis];
    if (copies < 1 || copies > kMostCopies) return fail(Errc::unsupported, "{} times", copies);
    if (copies == 1) continue;
    Attributes a;
    a.axis = axis;
    x = s.add(kConcatOp, std::vector<TensorId>(static_cast<std::size_t>(copies), x), a);
  }
  s.set(0, x);
  return {};
}

/// Of the sizes alone: nothing is run.
Result<void> shape_of(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const auto& dims = s.shape(0).dims();
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [rank](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = place(s.integer("start", 0));
  const std::int64_t end = std::max(begin, place(s.integer("end", rank)));
  s.set_constant(0, OnnxConstant::of_integers({dims.begin() + begin, dims.begin() + end}));
  return {};
}

Result<void> size_of(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  OnnxConstant count =
      OnnxConstant::of_integers({static_cast<std::int64_t>(s.shape(0).elements())});
  count.shape = Shape{};
  s.set_constant(0, std::move(count));
  return {};
}

/// With zeros; less than none cuts.
Result<void> pad(OnnxScope& s) {
  METE_TRY_VOID(expect_first(s));
  const std::size_t rank = s.shape(0).rank();
  const std::string mode = text_of(s.node(), "mode", "constant");
  if (mode != "constant") return fail(Errc::unsupported, "of mode {}", shown_name(mode));
  auto pads = s.integers(s.opset() < 2 ? "paddings" : "pads", s.opset() < 11 ? kNoInput : 1);
  // integers() takes as many numbers as a tensor may have axes: two for each is more.
  if (const auto* known = s.constant(1); !pads && s.opset() >= 11 && known != nullptr) {
    pads = known->integers;
  }
  const auto value = s.has(2) ? s.number(2) : std::optional{s.real("value", 0)};
  if (!pads || !value || s.has(3)) return fail(Errc::unsupported, "by computed numbers");
  if (*value != 0) return fail(Errc::unsupported, "with other numbers than 0");
  if (pads->size() != 2 * rank) {
    return fail(Errc::invalid, "{} pads for {} axes", pads->size(), rank);
  }
  METE_TRY_VOID(s.expect_float(0));
  METE_TRY(TensorId x, s.tensor(0));
  for (std::size_t axis = 0; axis < rank && x != kNoTensor; ++axis) {
    constexpr std::int64_t kMost = std::int64_t{1} << 40U;
    const std::int64_t before = std::clamp((*pads)[axis], -kMost, kMost);
    const std::int64_t after = std::clamp((*pads)[axis + rank], -kMost, kMost);
    const std::int64_t size = s.builder().shape(x)[axis];
    const std::int64_t begin = std::max<std::int64_t>(-before, 0);
    x = sliced(s, x, axis, begin, size - std::max<std::int64_t>(-after, 0));
    if (x == kNoTensor || (before <= 0 && after <= 0)) continue;
    Attributes a;
    a.axis = axis;
    a.shape = s.builder().shape(x);
    a.begin = std::max<std::int64_t>(before, 0);
    a.end = a.begin + a.shape[axis];
    a.shape[axis] = a.end + std::max<std::int64_t>(after, 0);
    x = s.add(kSliceBackwardOp, {x}, a);
  }
  s.set(0, x);
  return {};
}

constexpr OnnxConversion kList[] = {
    {"Reshape", reshape},     {"Flatten", flatten}, {"Squeeze", squeeze}, {"Unsqueeze", unsqueeze},
    {"Transpose", transpose}, {"Concat", concat},   {"Slice", slice},     {"Split", split},
    {"Gather", gather},       {"Expand", expand},   {"Tile", tile},       {"Shape", shape_of},
    {"Size", size_of},        {"Pad", pad},
};

}  // namespace

std::span<const OnnxConversion> onnx_shape_conversions() { return kList; }

}  // namespace mete
