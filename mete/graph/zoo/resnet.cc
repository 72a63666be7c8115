// Residual networks of bottleneck blocks. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/layers.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

struct Bottleneck {
  std::int64_t filters = 64;
  std::int64_t stride = 1;
  bool project = false;  ///< the shortcut is a convolution: the first block of a stage
};

TensorId block(GraphBuilder& b, TensorId x, const Bottleneck& block, bool published) {
  const bool bias = !published;
  const std::int64_t middle = published ? block.stride : 1;
  const std::int64_t last = published ? 1 : block.stride;
  const TensorId input = x;
  x = conv_layer(b, x, {.channels = block.filters, .bias = bias});
  x = relu_layer(b, batch_norm_layer(b, x));
  x = conv_layer(b, x,
                 {.channels = block.filters,
                  .kernel = {3, 3},
                  .stride = {middle, middle},
                  .pad = {1, 1},
                  .bias = bias});
  x = relu_layer(b, batch_norm_layer(b, x));
  x = conv_layer(b, x, {.channels = 4 * block.filters, .stride = {last, last}, .bias = bias});
  x = batch_norm_layer(b, x);
  TensorId shortcut = input;
  if (block.project) {
    const ConvLayer projection{
        .channels = 4 * block.filters, .stride = {block.stride, block.stride}, .bias = bias};
    shortcut = batch_norm_layer(b, conv_layer(b, input, projection));
  }
  return relu_layer(b, add_layer(b, x, shortcut));
}

}  // namespace

void build_resnet(GraphBuilder& b, std::int64_t batch, const ResNetPlan& plan) {
  TensorId x = b.input("images", {batch, 3, 224, 224});
  x = conv_layer(
      b, x,
      {.channels = 64, .kernel = {7, 7}, .stride = {2, 2}, .pad = {3, 3}, .bias = !plan.published});
  if (plan.published) x = relu_layer(b, batch_norm_layer(b, x));
  x = max_pool_layer(b, x, {.size = 3, .stride = 2, .pad = 1});
  std::int64_t filters = 64;
  for (std::size_t stage = 0; stage < plan.blocks.size(); ++stage) {
    for (int i = 0; i < plan.blocks[stage]; ++i) {
      const std::int64_t stride = i == 0 && stage > 0 ? 2 : 1;
      x = block(b, x, {filters, stride, i == 0}, plan.published);
    }
    filters *= 2;
  }
  x = flatten_layer(b, average_pool_layer(b, x, {.size = 7, .stride = 7}));
  classify(b, dense_layer(b, x, 1000));
}

}  // namespace mete
