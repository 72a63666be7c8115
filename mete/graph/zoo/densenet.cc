// DenseNet264 as AutoTM builds it: growth 32, and transitions that always end at 64 channels.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/layers.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::int64_t kGrowth = 32;

TensorId norm_conv(GraphBuilder& b, TensorId x, const ConvLayer& layer) {
  return conv_layer(b, relu_layer(b, batch_norm_layer(b, x)), layer);
}

TensorId dense_block(GraphBuilder& b, TensorId x, int layers) {
  for (int i = 0; i < layers; ++i) {
    const TensorId narrow = norm_conv(b, x, {.channels = 4 * kGrowth});
    const TensorId grown =
        norm_conv(b, narrow, {.channels = kGrowth, .kernel = {3, 3}, .pad = {1, 1}});
    x = concat_layer(b, {x, grown}, 1);
  }
  return x;
}

}  // namespace

void build_densenet264(GraphBuilder& b, std::int64_t batch) {
  TensorId x = b.input("images", {batch, 3, 224, 224});
  x = relu_layer(
      b, conv_layer(b, x,
                    {.channels = 2 * kGrowth, .kernel = {7, 7}, .stride = {2, 2}, .pad = {3, 3}}));
  x = max_pool_layer(b, x, {.size = 3, .stride = 2, .pad = 1});
  for (const int layers : {6, 12, 64}) {
    x = norm_conv(b, dense_block(b, x, layers), {.channels = 2 * kGrowth});
    x = average_pool_layer(b, x, {});
  }
  x = dense_block(b, x, 48);
  x = flatten_layer(b, average_pool_layer(b, x, {.size = 7, .stride = 7}));
  classify(b, dense_layer(b, x, 1000));
}

}  // namespace mete
