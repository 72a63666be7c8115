// Conversions of norms, softmax and losses. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/importer.h"
#include "mete/graph/ops.h"

namespace mete {
namespace {

/// Training: the batch's own averages. The running ones, its other results, are not computed.
bool in_training(const OnnxScope& s) {
  if (s.options().training) return true;
  if (s.opset() >= 14) return s.integer("training_mode", 0) != 0;
  return s.node().outputs.size() > 1 && (s.opset() >= 7 || s.integer("is_test", 0) == 0);
}

Result<void> batch_norm(OnnxScope& s) {
  for (std::size_t i = 0; i < 5; ++i) {
    if (!s.has(i)) return fail(Errc::invalid, "its input {} is missing", i + 1);
  }
  if (s.integer("spatial", 1) == 0) return fail(Errc::unsupported, "of single positions");
  Attributes a;
  a.epsilon = s.real("epsilon", 1e-5);
  METE_TRY(const TensorId x, s.tensor(0));
  METE_TRY(const TensorId gamma, s.tensor(1));
  METE_TRY(const TensorId beta, s.tensor(2));
  if (in_training(s)) {
    s.set(0, s.add(kBatchNormOp, {x, gamma, beta}, a));
    return {};
  }
  s.demote(3);
  s.demote(4);
  METE_TRY(const TensorId mean, s.tensor(3));
  METE_TRY(const TensorId variance, s.tensor(4));
  s.set(0, s.add(kFixedNormOp, {x, gamma, beta, mean, variance}, a));
  return {};
}

/// Over all axes from `axis` on, which the graph sees as one.
Result<void> layer_norm(OnnxScope& s) {
  if (!s.has(0) || !s.has(1)) return fail(Errc::invalid, "expected a tensor and its scale");
  const Shape in = s.shape(0);
  METE_TRY(const std::size_t axis, axis_of(s.integer("axis", -1), in.rank()));
  const std::int64_t width = product(in, axis, in.rank());
  for (std::size_t i = 1; i < 3; ++i) {
    if (!s.has(i) || s.shape(i).elements() == static_cast<std::uint64_t>(width)) continue;
    return fail(Errc::unsupported, "with scales of {} for {} numbers", s.shape(i).text(), width);
  }
  Attributes a;
  a.epsilon = s.real("epsilon", 1e-5);
  auto dims = in.dims();
  dims.resize(axis);
  auto kept = dims;
  dims.push_back(width);
  kept.resize(in.rank(), 1);
  METE_TRY_VOID(s.expect_float(0));
  METE_TRY_VOID(s.expect_float(1));
  METE_TRY(const TensorId x, s.tensor_as(0, Shape{dims}));
  METE_TRY(const TensorId gamma, s.tensor_as(1, Shape{width}));
  TensorId beta = kNoTensor;
  if (s.has(2)) {
    METE_TRY_VOID(s.expect_float(2));
    METE_TRY(beta, s.tensor_as(2, Shape{width}));
  } else {
    if (width > static_cast<std::int64_t>(kMostFolded)) {
      return fail(Errc::unsupported, "of {} numbers without a shift", width);
    }
    beta = s.make(
        {OnnxType::f32, Shape{width}, {}, std::vector<double>(static_cast<std::size_t>(width), 0)});
  }
  if (s.builder().failed()) return {};
  const auto results = s.builder().add_all(kLayerNormOp, {x, gamma, beta}, a);
  s.set(0, s.reshape(results[0], in));
  for (std::size_t i = 1; i < 3; ++i) {
    if (s.wanted(i)) s.set(i, s.reshape(results[i], Shape{kept}));
  }
  return {};
}

/// Along one axis; before opset 13 along all axes from there on, as one.
Result<void> softmax(OnnxScope& s) {
  if (!s.has(0)) return fail(Errc::invalid, "expected a tensor");
  const Shape in = s.shape(0);
  const bool flat = s.opset() < 13;
  METE_TRY(const std::size_t axis, axis_of(s.integer("axis", flat ? 1 : -1), in.rank()));
  METE_TRY(TensorId x, s.tensor(0));
  if (flat) {
    const Shape rows{product(in, 0, axis), product(in, axis, in.rank())};
    const bool as_is = axis + 1 == in.rank();
    x = s.add(kSoftmaxOp, {as_is ? x : s.reshape(x, rows)});
    s.set(0, s.reshape(x, in));
    return {};
  }
  // An axis swapped with the last one is swapped back in the same way.
  std::vector<std::size_t> order(in.rank());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::swap(order[axis], order.back());
  x = s.add(kSoftmaxOp, {s.transpose(x, order)});
  s.set(0, s.transpose(x, order));
  return {};
}

Result<void> cross_entropy(OnnxScope& s) {
  if (!s.has(0) || !s.has(1)) return fail(Errc::invalid, "expected scores and labels");
  if (s.has(2) || s.node().find("ignore_index") != nullptr || s.shape(0).rank() != 2 ||
      text_of(s.node(), "reduction", "mean") != "mean") {
    return fail(Errc::unsupported, "but the mean over rows of scores, none weighted or ignored");
  }
  METE_TRY(const TensorId scores, s.tensor(0));
  METE_TRY(const TensorId labels, s.any(1));
  const TensorId loss = s.add(kCrossEntropyOp, {scores, labels});
  if (loss == kNoTensor) return {};
  s.set_loss(loss);
  s.set(0, s.reshape(loss, Shape{}));
  return {};
}

constexpr OnnxConversion kList[] = {
    {"BatchNormalization", batch_norm},
    {"LayerNormalization", layer_norm},
    {"Softmax", softmax},
    {"SoftmaxCrossEntropyLoss", cross_entropy},
};

}  // namespace

std::span<const OnnxConversion> onnx_norm_conversions() { return kList; }

}  // namespace mete
