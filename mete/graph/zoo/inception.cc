// Inception v4 as AutoTM builds it: biases instead of batch norms. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/graph/layers.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

/// A convolution that keeps the image's size, and its activation.
TensorId same(GraphBuilder& b, TensorId x, std::int64_t channels, std::int64_t height,
              std::int64_t width) {
  return relu_layer(
      b,
      conv_layer(
          b, x, {.channels = channels, .kernel = {height, width}, .pad = {height / 2, width / 2}}));
}

/// A 3x3 convolution without padding, and its activation.
TensorId valid(GraphBuilder& b, TensorId x, std::int64_t channels, std::int64_t stride) {
  return relu_layer(
      b, conv_layer(b, x, {.channels = channels, .kernel = {3, 3}, .stride = {stride, stride}}));
}

TensorId shrink(GraphBuilder& b, TensorId x) {
  return max_pool_layer(b, x, {.size = 3, .stride = 2});
}

TensorId average(GraphBuilder& b, TensorId x) {
  return average_pool_layer(b, x, {.size = 3, .stride = 1, .pad = 1});
}

TensorId stem(GraphBuilder& b, TensorId x) {
  x = valid(b, x, 32, 2);
  x = valid(b, x, 32, 1);
  x = same(b, x, 64, 3, 3);
  TensorId left = shrink(b, x);
  TensorId right = valid(b, x, 96, 2);
  x = concat_layer(b, {left, right}, 1);
  left = valid(b, same(b, x, 64, 1, 1), 96, 1);
  right = same(b, x, 64, 1, 1);
  right = same(b, same(b, right, 64, 7, 1), 64, 1, 7);
  right = valid(b, right, 96, 1);
  x = concat_layer(b, {left, right}, 1);
  left = valid(b, x, 192, 2);
  right = shrink(b, x);
  return concat_layer(b, {left, right}, 1);
}

TensorId block_a(GraphBuilder& b, TensorId x) {
  const TensorId first = same(b, average(b, x), 96, 1, 1);
  const TensorId second = same(b, x, 96, 1, 1);
  const TensorId third = same(b, same(b, x, 64, 1, 1), 96, 3, 3);
  TensorId fourth = same(b, same(b, x, 64, 1, 1), 96, 3, 3);
  fourth = same(b, fourth, 96, 3, 3);
  return concat_layer(b, {first, second, third, fourth}, 1);
}

TensorId reduction_a(GraphBuilder& b, TensorId x) {
  const TensorId first = shrink(b, x);
  const TensorId second = valid(b, x, 384, 2);
  const TensorId third = valid(b, same(b, same(b, x, 192, 1, 1), 224, 3, 3), 256, 2);
  return concat_layer(b, {first, second, third}, 1);
}

TensorId block_b(GraphBuilder& b, TensorId x) {
  // The only convolution without an activation.
  const TensorId first = conv_layer(b, average(b, x), {.channels = 128});
  const TensorId second = same(b, x, 384, 1, 1);
  TensorId third = same(b, x, 192, 1, 1);
  third = same(b, same(b, third, 224, 1, 7), 256, 7, 1);
  TensorId fourth = same(b, x, 192, 1, 1);
  fourth = same(b, same(b, fourth, 192, 1, 7), 224, 7, 1);
  fourth = same(b, same(b, fourth, 224, 1, 7), 256, 7, 1);
  return concat_layer(b, {first, second, third, fourth}, 1);
}

TensorId reduction_b(GraphBuilder& b, TensorId x) {
  const TensorId first = shrink(b, x);
  const TensorId second = valid(b, same(b, x, 192, 1, 1), 192, 2);
  TensorId third = same(b, same(b, x, 256, 1, 1), 256, 1, 7);
  third = valid(b, same(b, third, 320, 7, 1), 320, 2);
  return concat_layer(b, {first, second, third}, 1);
}

TensorId fork(GraphBuilder& b, TensorId x) {
  const TensorId left = same(b, x, 256, 1, 3);
  const TensorId right = same(b, x, 256, 3, 1);
  return concat_layer(b, {left, right}, 1);
}

TensorId block_c(GraphBuilder& b, TensorId x) {
  const TensorId first = same(b, average(b, x), 256, 1, 1);
  const TensorId second = same(b, x, 256, 1, 1);
  const TensorId third = fork(b, same(b, x, 384, 1, 1));
  TensorId fourth = same(b, same(b, x, 384, 1, 1), 448, 1, 3);
  fourth = fork(b, same(b, fourth, 512, 3, 1));
  return concat_layer(b, {first, second, third, fourth}, 1);
}

}  // namespace

void build_inception_v4(GraphBuilder& b, std::int64_t batch) {
  TensorId x = stem(b, b.input("images", {batch, 3, 299, 299}));
  for (int i = 0; i < 4; ++i) x = block_a(b, x);
  x = reduction_a(b, x);
  for (int i = 0; i < 7; ++i) x = block_b(b, x);
  x = reduction_b(b, x);
  for (int i = 0; i < 3; ++i) x = block_c(b, x);
  x = flatten_layer(b, average_pool_layer(b, x, {.size = 8, .stride = 8}));
  classify(b, dense_layer(b, x, 1000));
}

}  // namespace mete
