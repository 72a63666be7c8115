// Nodes on known values, by ONNX's rules. Whole numbers stay whole: what overflows, or is not
// listed here, is not folded. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "mete/graph/onnx/attributes.h"
#include "mete/graph/onnx/constant.h"

namespace mete {
namespace {

using Inputs = std::span<const OnnxConstant* const>;
using Folded = std::optional<OnnxConstant>;

bool small_enough(const Shape& shape) {
  const auto& dims = shape.dims();
  return std::all_of(dims.begin(), dims.end(), [](auto size) { return size >= 0; }) &&
         shape.rank() <= kMostAxes && shape.elements() <= kMostFolded;
}

/// What an op does with two whole numbers; nothing where the result is not one that fits.
std::optional<std::int64_t> integer_result(std::string_view op, std::int64_t a, std::int64_t b) {
  std::int64_t r = 0;
  if (op == "Add") return __builtin_add_overflow(a, b, &r) ? std::nullopt : std::optional{r};
  if (op == "Sub") return __builtin_sub_overflow(a, b, &r) ? std::nullopt : std::optional{r};
  if (op == "Mul") return __builtin_mul_overflow(a, b, &r) ? std::nullopt : std::optional{r};
  if (op == "Div" || op == "Mod") {
    if (b == 0 || b == -1) {
      if (b == 0 || op == "Mod" || a == std::numeric_limits<std::int64_t>::min()) return {};
      return -a;
    }
    if (op == "Div") return a / b;
    const std::int64_t rest = a % b;  // ONNX: the sign of the divisor
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  if (op == "And") return std::int64_t{a != 0 && b != 0};
  if (op == "Or") return std::int64_t{a != 0 || b != 0};
  return std::nullopt;
}

std::optional<double> real_result(std::string_view op, double a, double b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Pow") return std::pow(a, b);
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  return std::nullopt;
}

/// Comparisons, of either kind.
template <class T>
std::optional<std::int64_t> comparison(std::string_view op, T a, T b) {
  if (op == "Equal") return std::int64_t{a == b};
  if (op == "Less") return std::int64_t{a < b};
  if (op == "Greater") return std::int64_t{a > b};
  if (op == "LessOrEqual") return std::int64_t{a <= b};
  if (op == "GreaterOrEqual") return std::int64_t{a >= b};
  return std::nullopt;
}

std::optional<double> unary_result(std::string_view op, double x) {
  if (op == "Neg") return -x;
  if (op == "Abs") return std::fabs(x);
  if (op == "Sqrt") return std::sqrt(x);
  if (op == "Exp") return std::exp(x);
  if (op == "Log") return std::log(x);
  if (op == "Floor") return std::floor(x);
  if (op == "Ceil") return std::ceil(x);
  if (op == "Reciprocal") return 1 / x;
  if (op == "Sin") return std::sin(x);
  if (op == "Cos") return std::cos(x);
  return std::nullopt;
}

/// Row-major distances; 0 along axes that are repeated.
std::vector<std::size_t> strides_of(const Shape& shape, bool repeat) {
  std::vector<std::size_t> strides(shape.rank(), 1);
  std::size_t step = 1;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    strides[i] = repeat && shape[i] == 1 ? 0 : step;
    step *= static_cast<std::size_t>(shape[i]);
  }
  return strides;
}

/// Where each element of `shape` is found, `first` on, with those distances (below 0: backwards).
std::vector<std::size_t> positions(const Shape& shape, std::size_t first,
                                   const std::vector<std::ptrdiff_t>& strides) {
  std::vector<std::size_t> found;
  if (shape.elements() == 0) return found;
  std::vector<std::int64_t> at(shape.rank(), 0);
  auto here = static_cast<std::ptrdiff_t>(first);
  for (std::uint64_t left = shape.elements(); left > 0; --left) {
    found.push_back(static_cast<std::size_t>(here));
    for (std::size_t i = shape.rank(); i-- > 0;) {
      here += strides[i];
      if (++at[i] < shape[i]) break;
      here -= strides[i] * shape[i];
      at[i] = 0;
    }
  }
  return found;
}

Folded take(const OnnxConstant& from, Shape shape, const std::vector<std::size_t>& at) {
  OnnxConstant result{from.type, std::move(shape), {}, {}};
  for (const std::size_t i : at) {
    if (from.is_real()) {
      result.reals.push_back(from.reals[i]);
    } else {
      result.integers.push_back(from.integers[i]);
    }
  }
  return result;
}

Folded expanded(const OnnxConstant& from, const Shape& to) {
  const auto fits = broadcast_shape(from.shape, to);
  if (!fits || !small_enough(*fits)) return std::nullopt;
  const auto strides = strides_of(with_rank(from.shape, fits->rank()), true);
  return take(from, *fits, positions(*fits, 0, {strides.begin(), strides.end()}));
}

Folded fold_binary(std::string_view op, const OnnxConstant& left, const OnnxConstant& right) {
  const auto a = expanded(left, right.shape);
  const auto b = expanded(right, left.shape);
  if (!a || !b || a->is_real() != b->is_real()) return std::nullopt;
  OnnxConstant result{a->type, a->shape, {}, {}};
  for (std::size_t i = 0; i < a->size(); ++i) {
    const auto compared = a->is_real() ? comparison(op, a->reals[i], b->reals[i])
                                       : comparison(op, a->integers[i], b->integers[i]);
    if (compared) {
      result.type = OnnxType::boolean;
      result.integers.push_back(*compared);
    } else if (a->is_real()) {
      const auto value = real_result(op, a->reals[i], b->reals[i]);
      if (!value) return std::nullopt;
      result.reals.push_back(*value);
    } else {
      const auto value = integer_result(op, a->integers[i], b->integers[i]);
      if (!value) return std::nullopt;
      result.integers.push_back(*value);
    }
  }
  return result;
}

Folded fold_unary(std::string_view op, const OnnxConstant& x) {
  OnnxConstant result = x;
  for (auto& value : result.integers) {
    if (op == "Not") {
      value = value == 0;
    } else if (op == "Neg" && value != std::numeric_limits<std::int64_t>::min()) {
      value = -value;
    } else {
      return std::nullopt;
    }
  }
  for (auto& value : result.reals) {
    const auto found = unary_result(op, value);
    if (!found) return std::nullopt;
    value = *found;
  }
  return result;
}

Folded fold_cast(const OnnxConstant& x, OnnxType to) {
  OnnxConstant result{to, x.shape, {}, {}};
  const bool whole = to == OnnxType::i64 || to == OnnxType::i32 || to == OnnxType::boolean;
  if (!whole && !result.is_real()) return std::nullopt;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (result.is_real()) {
      result.reals.push_back(x.real(i));
    } else if (to == OnnxType::boolean) {
      result.integers.push_back(x.real(i) != 0);
    } else if (!x.is_real()) {
      result.integers.push_back(x.integers[i]);
    } else {
      constexpr double kMost = 9e18;
      if (!(std::fabs(x.reals[i]) < kMost)) return std::nullopt;
      result.integers.push_back(static_cast<std::int64_t>(x.reals[i]));
    }
  }
  return result;
}

Folded fold_concat(Inputs in, std::int64_t along) {
  if (in[0] == nullptr) return std::nullopt;
  const auto axis = axis_of(along, in[0]->shape.rank());
  if (!axis) return std::nullopt;
  OnnxConstant result{in[0]->type, in[0]->shape, {}, {}};
  std::int64_t total = 0;
  for (const auto* part : in) {
    if (part == nullptr || part->type != result.type) return std::nullopt;
    Shape expected = part->shape;
    if (expected.rank() != result.shape.rank()) return std::nullopt;
    total += expected[*axis];
    expected[*axis] = result.shape[*axis];
    if (!(expected == result.shape)) return std::nullopt;
  }
  result.shape[*axis] = total;
  if (!small_enough(result.shape)) return std::nullopt;
  const std::int64_t rows = product(result.shape, 0, *axis);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const auto* part : in) {
      const std::ptrdiff_t each = product(part->shape, *axis, part->shape.rank());
      const auto from = each * row;
      if (part->is_real()) {
        result.reals.insert(result.reals.end(), part->reals.begin() + from,
                            part->reals.begin() + from + each);
      } else {
        result.integers.insert(result.integers.end(), part->integers.begin() + from,
                               part->integers.begin() + from + each);
      }
    }
  }
  return result;
}

Folded fold_gather(const OnnxConstant& data, const OnnxConstant& indices, std::int64_t along) {
  const auto axis = axis_of(along, data.shape.rank());
  if (!axis || indices.is_real()) return std::nullopt;
  const std::int64_t size = data.shape[*axis];
  Sizes dims(data.shape.dims().begin(),
             data.shape.dims().begin() + static_cast<std::ptrdiff_t>(*axis));
  dims.insert(dims.end(), indices.shape.dims().begin(), indices.shape.dims().end());
  dims.insert(dims.end(), data.shape.dims().begin() + static_cast<std::ptrdiff_t>(*axis) + 1,
              data.shape.dims().end());
  const Shape shape{std::move(dims)};
  if (!small_enough(shape)) return std::nullopt;
  const std::int64_t before = product(data.shape, 0, *axis);
  const std::int64_t after = product(data.shape, *axis + 1, data.shape.rank());
  std::vector<std::size_t> at;
  for (std::int64_t i = 0; i < before; ++i) {
    for (const std::int64_t index : indices.integers) {
      if (index < -size || index >= size) return std::nullopt;
      const std::int64_t row = i * size + (index < 0 ? index + size : index);
      for (std::int64_t k = 0; k < after; ++k) {
        at.push_back(static_cast<std::size_t>(row * after + k));
      }
    }
  }
  return take(data, shape, at);
}

Folded fold_slice(const OnnxNode& node, Inputs in, std::int64_t opset) {
  const auto part = [&](std::size_t i, const char* name) -> std::optional<Sizes> {
    return integers_of(node, name, opset >= 10 ? i : kNoInput, in);
  };
  const auto starts = part(1, "starts");
  const auto ends = part(2, "ends");
  const auto axes = part(3, "axes");
  const auto steps = part(4, "steps");
  if (!starts || !ends) return std::nullopt;
  const auto parts =
      slice_parts(in[0]->shape, *starts, *ends, axes ? &*axes : nullptr, steps ? &*steps : nullptr);
  if (!parts) return std::nullopt;
  const auto strides = strides_of(in[0]->shape, false);
  Shape shape = in[0]->shape;
  std::size_t first = 0;
  std::vector<std::ptrdiff_t> steps_of;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const AxisPart& each = (*parts)[i];
    shape[i] = each.count;
    if (each.count > 0) first += strides[i] * static_cast<std::size_t>(each.begin);
    // A step that is never taken may be huge.
    steps_of.push_back(each.count > 1 ? static_cast<std::ptrdiff_t>(strides[i]) * each.step : 0);
  }
  return take(*in[0], shape, positions(shape, first, steps_of));
}

Folded fold_transpose(const OnnxNode& node, const OnnxConstant& x) {
  const std::size_t rank = x.shape.rank();
  std::vector<std::size_t> order;
  const auto* given = node.find("perm");
  for (std::size_t i = 0; i < rank; ++i) order.push_back(rank - 1 - i);
  if (given != nullptr) {
    if (given->integers.size() != rank || !axes_of(given->integers, rank)) return std::nullopt;
    for (std::size_t i = 0; i < rank; ++i) {
      order[i] = *axis_of(given->integers[i], rank);
    }
  }
  const auto strides = strides_of(x.shape, false);
  Shape shape = x.shape;
  std::vector<std::ptrdiff_t> moved;
  for (std::size_t i = 0; i < rank; ++i) {
    shape[i] = x.shape[order[i]];
    moved.push_back(static_cast<std::ptrdiff_t>(strides[order[i]]));
  }
  return take(x, shape, positions(shape, 0, moved));
}

Folded fold_range(Inputs in) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (i >= in.size() || in[i] == nullptr || in[i]->is_real() || in[i]->size() != 1) return {};
  }
  const std::int64_t step = in[2]->integers[0];
  const std::int64_t limit = in[1]->integers[0];
  std::vector<std::int64_t> values;
  for (std::int64_t at = in[0]->integers[0]; step > 0 ? at < limit : at > limit;) {
    values.push_back(at);
    if (values.size() > kMostFolded || step == 0 || __builtin_add_overflow(at, step, &at)) {
      return std::nullopt;
    }
  }
  OnnxConstant result = OnnxConstant::of_integers(std::move(values));
  result.type = in[0]->type;
  return result;
}

Folded fold_where(Inputs in) {
  if (in.size() != 3) return std::nullopt;
  const auto all = broadcast_shape(in[1]->shape, in[2]->shape);
  if (!all) return std::nullopt;
  const auto condition = expanded(*in[0], *all);
  if (!condition) return std::nullopt;
  const auto yes = expanded(*in[1], condition->shape);
  const auto no = expanded(*in[2], condition->shape);
  if (!yes || !no || yes->is_real() != no->is_real() || condition->is_real()) return std::nullopt;
  OnnxConstant result = *yes;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (condition->integers[i] != 0) continue;
    if (result.is_real()) {
      result.reals[i] = no->reals[i];
    } else {
      result.integers[i] = no->integers[i];
    }
  }
  return result;
}

Folded fold_filled(const OnnxNode& node, const OnnxConstant& dims) {
  if (dims.is_real() || dims.shape.rank() != 1) return std::nullopt;
  const Shape shape{dims.integers};
  for (const auto size : dims.integers) {
    if (size < 0) return std::nullopt;
  }
  if (!small_enough(shape)) return std::nullopt;
  const auto* value = node.find("value");
  OnnxConstant one{OnnxType::f32, Shape{}, {}, {0}};
  if (value != nullptr) {
    const auto given = value->tensors.empty() ? std::nullopt : constant_of(value->tensors[0]);
    if (!given || given->size() != 1) return std::nullopt;
    one = *given;
    one.shape = Shape{};
  }
  return take(one, shape, std::vector<std::size_t>(shape.elements(), 0));
}

Folded with_shape(const OnnxConstant& x, const Result<Shape>& shape) {
  if (!shape || !small_enough(*shape) || shape->elements() != x.size()) return std::nullopt;
  OnnxConstant result = x;
  result.shape = *shape;
  return result;
}

/// Ops that keep the elements and their order.
Folded fold_shape(const OnnxNode& node, Inputs in, std::int64_t opset) {
  const OnnxConstant& x = *in[0];
  if (node.op == "Identity") return x;
  if (node.op == "Flatten") return with_shape(x, flattened(x.shape, integer_of(node, "axis", 1)));
  if (node.op == "Reshape") {
    const auto target = integers_of(node, "shape", 1, in);
    if (!target) return std::nullopt;
    const bool zero = integer_of(node, "allowzero", 0) != 0;
    return with_shape(x, reshape_target(x.shape, *target, zero));
  }
  const auto axes = integers_of(node, "axes", opset >= 13 ? 1 : kNoInput, in);
  if (node.op == "Squeeze") return with_shape(x, squeezed(x.shape, axes ? &*axes : nullptr));
  if (node.op == "Unsqueeze" && axes) return with_shape(x, unsqueezed(x.shape, *axes));
  return std::nullopt;
}

bool is_one_of(std::string_view op, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

Folded fold_one(const OnnxNode& node, Inputs in, std::int64_t opset) {
  const std::string_view op = node.op;
  const std::size_t count = in.size();
  if (op == "Concat") return fold_concat(in, integer_of(node, "axis", 1));
  if (std::find(in.begin(), in.end(), nullptr) != in.end() && op != "Slice") return std::nullopt;
  if (in[0] == nullptr) return std::nullopt;
  if (op == "Range") return fold_range(in);
  if (op == "Where") return fold_where(in);
  if (op == "Slice") return fold_slice(node, in, opset);
  if (op == "Transpose") return fold_transpose(node, *in[0]);
  if (op == "ConstantOfShape") return fold_filled(node, *in[0]);
  if (op == "Cast") return fold_cast(*in[0], static_cast<OnnxType>(integer_of(node, "to", 0)));
  if (is_one_of(op, {"Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})) {
    return fold_shape(node, in, opset);
  }
  if (op == "Gather" && count == 2) {
    return fold_gather(*in[0], *in[1], integer_of(node, "axis", 0));
  }
  if (op == "Expand" && count == 2) {
    const auto to = integers_of(node, "", 1, in);
    return to && to->size() <= kMostAxes ? expanded(*in[0], Shape{*to}) : std::nullopt;
  }
  // Asked with numbers of no meaning, which an op that is not listed refuses too: of an empty
  // tensor nobody else would ask.
  const bool binary = real_result(op, 1, 1) || integer_result(op, 1, 1) || comparison(op, 1, 1);
  if (count == 2 && binary) return fold_binary(op, *in[0], *in[1]);
  const bool unary = op == "Not" || unary_result(op, 1);
  return count == 1 && unary ? fold_unary(op, *in[0]) : std::nullopt;
}

}  // namespace

std::optional<std::vector<OnnxConstant>> fold(const OnnxNode& node, Inputs inputs,
                                              std::int64_t opset) {
  if (inputs.empty() || node.outputs.size() != 1 || node.find("broadcast") != nullptr ||
      integer_of(node, "fmod", 0) != 0) {
    return std::nullopt;
  }
  auto result = fold_one(node, inputs, opset);
  if (!result) return std::nullopt;
  return std::vector<OnnxConstant>{std::move(*result)};
}

}  // namespace mete
