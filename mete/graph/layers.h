// Layers: the few nodes that people call by one name, with their parameters. Models of the zoo are
// written in them. After an error all return kNoTensor. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mete/graph/graph.h"

namespace mete {

struct ConvLayer {
  std::int64_t channels = 1;
  std::array<std::int64_t, 2> kernel = {1, 1};
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> pad = {0, 0};  ///< the same on both sides: height, width
  bool bias = true;
};

struct PoolLayer {
  std::int64_t size = 2;
  std::int64_t stride = 2;
  std::int64_t pad = 0;
};

TensorId conv_layer(GraphBuilder& b, TensorId x, const ConvLayer& layer);
/// Of the last axis.
TensorId dense_layer(GraphBuilder& b, TensorId x, std::int64_t units, bool bias = true);
TensorId batch_norm_layer(GraphBuilder& b, TensorId x);
TensorId layer_norm_layer(GraphBuilder& b, TensorId x);
/// `rows` vectors of `width`, looked up by `indices`.
TensorId embedding_layer(GraphBuilder& b, TensorId indices, std::int64_t rows, std::int64_t width);
TensorId relu_layer(GraphBuilder& b, TensorId x);
TensorId add_layer(GraphBuilder& b, TensorId x, TensorId y);
TensorId max_pool_layer(GraphBuilder& b, TensorId x, const PoolLayer& layer);
TensorId average_pool_layer(GraphBuilder& b, TensorId x, const PoolLayer& layer);
TensorId concat_layer(GraphBuilder& b, const std::vector<TensorId>& parts, std::size_t axis);
/// All axes but the first as one.
TensorId flatten_layer(GraphBuilder& b, TensorId x);
TensorId reshape_layer(GraphBuilder& b, TensorId x, const Shape& shape);
/// Cross-entropy against an input of class numbers; sets the graph's loss and results.
void classify(GraphBuilder& b, TensorId logits);

}  // namespace mete
