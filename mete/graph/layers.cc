// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/layers.h"

#include "mete/graph/ops.h"

namespace mete {
namespace {

TensorId add_bias(GraphBuilder& b, TensorId x, std::size_t axis) {
  if (b.failed()) return kNoTensor;
  Attributes a;
  a.axis = axis;
  return b.add(kBiasOp, {x, b.parameter("bias", {b.shape(x)[axis]})}, a);
}

TensorId pool(GraphBuilder& b, const Op& op, TensorId x, const PoolLayer& layer) {
  Attributes a;
  a.kernel = {layer.size, layer.size};
  a.stride = {layer.stride, layer.stride};
  a.pad = {layer.pad, layer.pad, layer.pad, layer.pad};
  return b.add(op, {x}, a);
}

}  // namespace

TensorId conv_layer(GraphBuilder& b, TensorId x, const ConvLayer& layer) {
  if (b.failed()) return kNoTensor;
  b.begin_layer("conv");
  Attributes a;
  a.stride = layer.stride;
  a.pad = {layer.pad[0], layer.pad[1], layer.pad[0], layer.pad[1]};
  const Shape filter{layer.channels, b.shape(x)[1], layer.kernel[0], layer.kernel[1]};
  const TensorId y = b.add(kConvOp, {x, b.parameter("filter", filter)}, a);
  return layer.bias ? add_bias(b, y, 1) : y;
}

TensorId dense_layer(GraphBuilder& b, TensorId x, std::int64_t units, bool bias) {
  if (b.failed()) return kNoTensor;
  b.begin_layer("dense");
  const Shape in = b.shape(x);
  const TensorId y = b.add(kMatMulOp, {x, b.parameter("weight", {in.from_end(0), units})});
  return bias ? add_bias(b, y, in.rank() - 1) : y;
}

TensorId batch_norm_layer(GraphBuilder& b, TensorId x) {
  if (b.failed()) return kNoTensor;
  b.begin_layer("batch_norm");
  const Shape channels{b.shape(x)[1]};
  const TensorId gamma = b.parameter("scale", channels);
  return b.add(kBatchNormOp, {x, gamma, b.parameter("shift", channels)});
}

TensorId layer_norm_layer(GraphBuilder& b, TensorId x) {
  if (b.failed()) return kNoTensor;
  b.begin_layer("layer_norm");
  const Shape width{b.shape(x).from_end(0)};
  const TensorId gamma = b.parameter("scale", width);
  return b.add(kLayerNormOp, {x, gamma, b.parameter("shift", width)});
}

TensorId embedding_layer(GraphBuilder& b, TensorId indices, std::int64_t rows, std::int64_t width) {
  b.begin_layer("embedding");
  return b.add(kEmbeddingOp, {b.parameter("table", {rows, width}), indices});
}

TensorId relu_layer(GraphBuilder& b, TensorId x) {
  b.begin_layer("relu");
  return b.add(kReluOp, {x});
}

TensorId add_layer(GraphBuilder& b, TensorId x, TensorId y) {
  b.begin_layer("add");
  return b.add(kAddOp, {x, y});
}

TensorId max_pool_layer(GraphBuilder& b, TensorId x, const PoolLayer& layer) {
  b.begin_layer("max_pool");
  return pool(b, kMaxPoolOp, x, layer);
}

TensorId average_pool_layer(GraphBuilder& b, TensorId x, const PoolLayer& layer) {
  b.begin_layer("average_pool");
  return pool(b, kAveragePoolOp, x, layer);
}

TensorId concat_layer(GraphBuilder& b, const std::vector<TensorId>& parts, std::size_t axis) {
  b.begin_layer("concat");
  Attributes a;
  a.axis = axis;
  return b.add(kConcatOp, parts, a);
}

TensorId reshape_layer(GraphBuilder& b, TensorId x, const Shape& shape) {
  b.begin_layer("reshape");
  Attributes a;
  a.shape = shape;
  return b.add(kReshapeOp, {x}, a);
}

TensorId flatten_layer(GraphBuilder& b, TensorId x) {
  if (b.failed()) return kNoTensor;
  const Shape in = b.shape(x);
  std::int64_t rest = 1;
  for (std::size_t i = 1; i < in.rank(); ++i) rest *= in[i];
  return reshape_layer(b, x, {in[0], rest});
}

void classify(GraphBuilder& b, TensorId logits) {
  if (b.failed()) return;
  b.begin_layer("loss");
  const TensorId labels = b.input("labels", {b.shape(logits)[0]}, DataType::i64);
  const TensorId loss = b.add(kCrossEntropyOp, {logits, labels});
  b.set_loss(loss);
  b.add_result(loss);
}

}  // namespace mete
