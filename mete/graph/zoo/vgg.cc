// VGG: runs of 3x3 convolutions between poolings. As AutoTM builds VGG416, a run's last convolution
// widens before the pooling. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/layers.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

TensorId convolutions(GraphBuilder& b, TensorId x, std::int64_t channels, int count) {
  for (int i = 0; i < count; ++i) {
    x = relu_layer(b, conv_layer(b, x, {.channels = channels, .kernel = {3, 3}, .pad = {1, 1}}));
  }
  return x;
}

void dense_end(GraphBuilder& b, TensorId x) {
  x = flatten_layer(b, x);
  x = relu_layer(b, dense_layer(b, x, 4096));
  x = relu_layer(b, dense_layer(b, x, 4096));
  classify(b, dense_layer(b, x, 1000));
}

}  // namespace

void build_vgg19(GraphBuilder& b, std::int64_t batch) {
  struct Run {
    std::int64_t channels;
    int count;
  };
  TensorId x = b.input("images", {batch, 3, 224, 224});
  for (const Run run : {Run{64, 2}, Run{128, 2}, Run{256, 4}, Run{512, 4}, Run{512, 4}}) {
    x = max_pool_layer(b, convolutions(b, x, run.channels, run.count), {});
  }
  dense_end(b, x);
}

void build_vgg416(GraphBuilder& b, std::int64_t batch) {
  TensorId x = b.input("images", {batch, 3, 224, 224});
  x = convolutions(b, x, 64, 81);
  x = max_pool_layer(b, convolutions(b, x, 128, 1), {});
  x = convolutions(b, x, 128, 81);
  x = max_pool_layer(b, convolutions(b, x, 256, 1), {});
  x = convolutions(b, x, 256, 82);
  x = max_pool_layer(b, convolutions(b, x, 512, 1), {});
  x = max_pool_layer(b, convolutions(b, x, 512, 83), {});
  x = max_pool_layer(b, convolutions(b, x, 512, 83), {});
  dense_end(b, x);
}

}  // namespace mete
