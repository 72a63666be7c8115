// Conversions of ops that work element by element, and of those that only pass values on.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>

#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

Result<void> expect_inputs(const OnnxScope& s, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!s.has(i)) return fail(Errc::invalid, "its input {} is missing", i + 1);
  }
  return {};
}

template <const Op& kOp>
Result<void> unary(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, s.add(kOp, {x}));
  return {};
}

Result<void> gelu(OnnxScope& s) {
  if (text_of(s.node(), "approximate", "none") != "none") {
    return fail(Errc::unsupported, "with an approximation");
  }
  return unary<kGeluOp>(s);
}

TensorId clipped(OnnxScope& s, TensorId x, double low, double high) {
  Attributes a;
  a.low = std::max(low, -kLargest);
  a.high = std::min(high, kLargest);
  return s.add(kClipOp, {x}, a);
}

Result<void> clip(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  double bounds[2] = {s.real("min", -kLargest), s.real("max", kLargest)};
  for (std::size_t i = 0; i < 2; ++i) {
    if (!s.has(i + 1)) continue;
    const auto known = s.number(i + 1);
    if (!known) return fail(Errc::unsupported, "with computed bounds");
    bounds[i] = *known;
  }
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, clipped(s, x, bounds[0], bounds[1]));
  return {};
}

/// x where it is above 0, slope * x elsewhere: relu(x) + slope * -relu(-x).
Result<void> leaky(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  METE_TRY(const TensorId x, s.tensor(0));
  const TensorId below = s.add(kReluOp, {s.affine(x, -1, 0)});
  const TensorId scaled = s.affine(below, -s.real("alpha", 0.01), 0);
  s.set(0, s.add(kAddOp, {s.add(kReluOp, {x}), scaled}));
  return {};
}

Result<void> leaky_by_weight(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 2));
  METE_TRY(const TensorId x, s.tensor(0));
  const TensorId below = s.affine(s.add(kReluOp, {s.affine(x, -1, 0)}), -1, 0);
  if (s.builder().failed()) return {};
  OnnxSide slope = OnnxSide::of_input(s, 1);
  if (s.opset() < 7 && slope.shape.rank() == 1) {  // one for each channel
    auto dims = slope.shape.dims();
    dims.resize(std::max<std::size_t>(s.shape(0).rank(), 2) - 1, 1);
    slope.shape = Shape{std::move(dims)};
  }
  METE_TRY(const TensorId scaled, join_sides(s, kMultiplyOp, OnnxSide::of_tensor(s, below), slope));
  s.set(0, s.add(kAddOp, {s.add(kReluOp, {x}), scaled}));
  return {};
}

Result<void> hard_sigmoid(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, clipped(s, s.affine(x, s.real("alpha", 0.2), s.real("beta", 0.5)), 0, 1));
  return {};
}

Result<void> hard_swish(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, s.add(kMultiplyOp, {x, clipped(s, s.affine(x, 1.0 / 6, 0.5), 0, 1)}));
  return {};
}

/// Before opset 7 the second shape lay at `axis` of the first.
Shape second_shape(const OnnxScope& s) {
  auto dims = s.shape(1).dims();
  const std::int64_t axis = s.integer("axis", -1);
  if (s.opset() < 7 && axis >= 0) {
    while (static_cast<std::size_t>(axis) + dims.size() < s.shape(0).rank()) dims.push_back(1);
  }
  return Shape{std::move(dims)};
}

Result<void> join(OnnxScope& s, const Op& op) {
  OnnxSide right = OnnxSide::of_input(s, 1);
  right.shape = second_shape(s);
  METE_TRY(const TensorId result, join_sides(s, op, OnnxSide::of_input(s, 0), right));
  s.set(0, result);
  return {};
}

/// scale * x + offset for an input whose partner is one known number; the result takes the shape of
/// both.
Result<void> by_number(OnnxScope& s, std::size_t input, double scale, double offset) {
  METE_TRY(const Shape all, broadcast_shape(s.shape(0), s.shape(1)));
  METE_TRY(const TensorId x, s.tensor(input));
  s.set(0, s.reshape(s.affine(x, scale, offset), all));
  return {};
}

Result<void> add(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 2));
  for (std::size_t i = 0; i < 2; ++i) {
    if (const auto known = s.number(i)) return by_number(s, 1 - i, 1, *known);
  }
  return join(s, kAddOp);
}

Result<void> multiply(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 2));
  for (std::size_t i = 0; i < 2; ++i) {
    if (const auto known = s.number(i)) return by_number(s, 1 - i, *known, 0);
  }
  return join(s, kMultiplyOp);
}

Result<void> subtract(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 2));
  if (const auto known = s.number(1)) return by_number(s, 0, 1, -*known);
  if (const auto known = s.number(0)) return by_number(s, 1, -1, *known);
  METE_TRY(const TensorId right, s.tensor(1));
  OnnxSide negative = OnnxSide::of_tensor(s, s.affine(right, -1, 0));
  if (s.builder().failed()) return {};
  negative.shape = second_shape(s);
  METE_TRY(const TensorId result, join_sides(s, kAddOp, OnnxSide::of_input(s, 0), negative));
  s.set(0, result);
  return {};
}

Result<void> divide(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 2));
  const auto* known = s.constant(1);
  if (known == nullptr || !known->is_real()) {
    return fail(Errc::unsupported, "by what is computed");
  }
  OnnxConstant inverse{OnnxType::f32, second_shape(s), {}, {}};
  for (const double value : known->reals) {
    if (value == 0) return fail(Errc::invalid, "divides by 0");
    inverse.reals.push_back(1 / value);
  }
  if (inverse.size() == 1) return by_number(s, 0, inverse.reals[0], 0);
  const OnnxSide right = OnnxSide::of_tensor(s, s.make(inverse));
  if (s.builder().failed()) return {};
  METE_TRY(const TensorId result, join_sides(s, kMultiplyOp, OnnxSide::of_input(s, 0), right));
  s.set(0, result);
  return {};
}

/// All added up; `mean` divides by how many.
Result<void> total(OnnxScope& s, bool mean) {
  METE_TRY_VOID(expect_inputs(s, std::max<std::size_t>(s.inputs(), 1)));
  METE_TRY(TensorId sum, s.tensor(0));
  for (std::size_t i = 1; i < s.inputs() && sum != kNoTensor; ++i) {
    METE_TRY(sum, join_sides(s, kAddOp, OnnxSide::of_tensor(s, sum), OnnxSide::of_input(s, i)));
  }
  s.set(0, mean ? s.affine(sum, 1.0 / static_cast<double>(s.inputs()), 0) : sum);
  if (!mean && s.inputs() == 1) s.pass(0);
  return {};
}

Result<void> sum(OnnxScope& s) { return total(s, false); }
Result<void> mean(OnnxScope& s) { return total(s, true); }

Result<void> negate(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  METE_TRY(const TensorId x, s.tensor(0));
  s.set(0, s.affine(x, -1, 0));
  return {};
}

/// Small whole powers, as products.
Result<void> power(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 2));
  const auto exponent = s.number(1);
  if (!exponent || *exponent < 1 || *exponent > 4 || std::floor(*exponent) != *exponent ||
      s.shape(1).rank() > s.shape(0).rank()) {
    return fail(Errc::unsupported, "other than to 1, 2, 3 or 4");
  }
  METE_TRY(const TensorId x, s.tensor(0));
  TensorId result = x;
  for (double done = 1; done < *exponent; ++done) result = s.add(kMultiplyOp, {result, x});
  if (*exponent == 1) {
    s.pass(0);
  } else {
    s.set(0, result);
  }
  return {};
}

/// Max and Min against one known number are clips.
Result<void> bounded(OnnxScope& s, bool from_below) {
  METE_TRY_VOID(expect_inputs(s, std::max<std::size_t>(s.inputs(), 1)));
  if (s.inputs() == 1) {
    s.pass(0);
    return {};
  }
  for (std::size_t i = 0; i < 2 && s.inputs() == 2; ++i) {
    const auto known = s.number(i);
    if (!known || s.shape(i).rank() > s.shape(1 - i).rank()) continue;
    METE_TRY(const TensorId x, s.tensor(1 - i));
    s.set(0, from_below ? clipped(s, x, *known, kLargest) : clipped(s, x, -kLargest, *known));
    return {};
  }
  return fail(Errc::unsupported, "of more than one computed tensor");
}

Result<void> maximum(OnnxScope& s) { return bounded(s, true); }
Result<void> minimum(OnnxScope& s) { return bounded(s, false); }

Result<void> identity(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  s.pass(0);
  return {};
}

/// As in inference, where it drops nothing.
Result<void> dropout(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  const auto training = s.number(2);
  const auto ratio = s.number(1);
  if (s.has(2) && (!training || *training != 0) && (!ratio || *ratio != 0)) {
    return fail(Errc::unsupported, "in training mode");
  }
  s.pass(0);
  return {};
}

Result<void> cast(OnnxScope& s) {
  METE_TRY_VOID(expect_inputs(s, 1));
  const auto to = static_cast<OnnxType>(s.integer("to", 0));
  const bool same =
      s.is_float(0) ? to == OnnxType::f32 : (to == OnnxType::i64 || to == OnnxType::i32);
  if (!same) return fail(Errc::unsupported, "to {} of what is computed", onnx_type_name(to));
  s.pass(0);
  return {};
}

Result<void> constant(OnnxScope& s) {
  if (const auto* value = s.node().find("value"); value != nullptr && !value->tensors.empty()) {
    if (value->tensors[0].external) {
      return fail(Errc::invalid, "its value lies in another file; only weights may");
    }
    if (value->tensors[0].dims.size() > kMostAxes) {
      return fail(Errc::invalid, "its value has {} axes: mete takes {}",
                  value->tensors[0].dims.size(), kMostAxes);
    }
    s.set_value(0, value->tensors[0]);
    return {};
  }
  for (const auto* name : {"value_int", "value_ints", "value_float", "value_floats"}) {
    const auto* value = s.node().find(name);
    if (value == nullptr) continue;
    OnnxConstant known = OnnxConstant::of_integers(value->integers);
    if (known.integers.empty()) {
      known = {OnnxType::f32, Shape{static_cast<std::int64_t>(value->reals.size())}, {}, {}};
      known.reals.assign(value->reals.begin(), value->reals.end());
    }
    if (known.size() > kMostFolded) return fail(Errc::unsupported, "of a long list");
    if (std::string_view(name).back() != 's') known.shape = Shape{};
    s.set_constant(0, known);
    return {};
  }
  return fail(Errc::unsupported, "of text, or sparse");
}

constexpr OnnxConversion kList[] = {
    {"Relu", unary<kReluOp>},
    {"Sigmoid", unary<kSigmoidOp>},
    {"Tanh", unary<kTanhOp>},
    {"Gelu", gelu},
    {"Clip", clip},
    {"LeakyRelu", leaky},
    {"PRelu", leaky_by_weight},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", hard_swish},
    {"Add", add},
    {"Sub", subtract},
    {"Mul", multiply},
    {"Div", divide},
    {"Sum", sum},
    {"Mean", mean},
    {"Neg", negate},
    {"Pow", power},
    {"Max", maximum},
    {"Min", minimum},
    {"Identity", identity},
    {"Dropout", dropout},
    {"Cast", cast},
    {"Constant", constant},
};

}  // namespace

std::span<const OnnxConversion> onnx_element_conversions() { return kList; }

}  // namespace mete
