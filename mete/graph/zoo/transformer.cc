// The transformer with AutoTM's sizes: every head has projections of its own, words come as
// vectors, and one dense layer sees the whole sentence. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "mete/graph/layers.h"
#include "mete/graph/ops.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::int64_t kWidth = 512;
constexpr std::int64_t kHidden = 2048;
constexpr std::int64_t kHeads = 8;
constexpr std::int64_t kWords = 150;
constexpr std::int64_t kVocabulary = 20'000;
constexpr int kLayers = 8;

/// softmax(q k' / sqrt(width)) v.
TensorId attend(GraphBuilder& b, TensorId q, TensorId k, TensorId v) {
  b.begin_layer("attention");
  Attributes a;
  a.transpose_b = true;
  a.scale = 1 / std::sqrt(static_cast<double>(kWidth / kHeads));
  const TensorId weights = b.add(kSoftmaxOp, {b.add(kMatMulOp, {q, k}, a)});
  return b.add(kMatMulOp, {weights, v});
}

TensorId attention(GraphBuilder& b, TensorId x, TensorId source) {
  std::vector<TensorId> heads;
  for (std::int64_t i = 0; i < kHeads; ++i) {
    const TensorId q = dense_layer(b, x, kWidth / kHeads, false);
    const TensorId k = dense_layer(b, source, kWidth / kHeads, false);
    const TensorId v = dense_layer(b, source, kWidth / kHeads, false);
    heads.push_back(attend(b, q, k, v));
  }
  const TensorId all = dense_layer(b, concat_layer(b, heads, 2), kWidth, false);
  return layer_norm_layer(b, add_layer(b, x, all));
}

TensorId feed_forward(GraphBuilder& b, TensorId x) {
  const TensorId wide = relu_layer(b, dense_layer(b, x, kHidden));
  return layer_norm_layer(b, add_layer(b, x, dense_layer(b, wide, kWidth)));
}

}  // namespace

void build_transformer(GraphBuilder& b, std::int64_t batch) {
  TensorId source = b.input("source", {batch, kWords, kWidth});
  TensorId x = b.input("target", {batch, kWords, kWidth});
  for (int i = 0; i < kLayers; ++i) source = feed_forward(b, attention(b, source, source));
  for (int i = 0; i < kLayers; ++i) {
    x = attention(b, x, x);
    x = feed_forward(b, attention(b, x, source));
  }
  classify(b, dense_layer(b, flatten_layer(b, x), kVocabulary));
}

}  // namespace mete
