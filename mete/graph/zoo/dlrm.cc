// DLRM with the sizes of the Kaggle set, tables five times as long, as AutoTM runs it: all pairwise
// products of the vectors, not only one triangle. SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "mete/graph/layers.h"
#include "mete/graph/ops.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::int64_t kWidth = 16;
constexpr std::int64_t kLonger = 5;
constexpr std::int64_t kRows[] = {1461,  586,  10131227, 2202608, 306, 24,     12518,   634,   4,
                                  93146, 5684, 8351593,  3195,    28,  14993,  5461306, 11,    5653,
                                  2173,  4,    7046547,  18,      16,  286181, 105,     142572};

TensorId dense_relu(GraphBuilder& b, TensorId x, std::int64_t units) {
  return relu_layer(b, dense_layer(b, x, units));
}

}  // namespace

void build_dlrm(GraphBuilder& b, std::int64_t batch) {
  TensorId dense = b.input("dense", {batch, 13});
  for (const std::int64_t units : {512, 256, 64, 16}) dense = dense_relu(b, dense, units);
  std::vector<TensorId> vectors = {dense};
  for (const auto rows : kRows) {
    const auto name = fmt::format("rows{}", vectors.size());
    const TensorId indices = b.input(name, {batch}, DataType::i64);
    vectors.push_back(embedding_layer(b, indices, kLonger * rows, kWidth));
  }
  const auto count = static_cast<std::int64_t>(vectors.size());
  TensorId x = reshape_layer(b, concat_layer(b, vectors, 1), {batch, count, kWidth});
  b.begin_layer("products");
  Attributes a;
  a.transpose_b = true;
  x = b.add(kMatMulOp, {x, x}, a);
  x = concat_layer(b, {dense, flatten_layer(b, x)}, 1);
  x = dense_layer(b, dense_relu(b, dense_relu(b, x, 512), 256), 1);
  b.begin_layer("loss");
  const TensorId targets = b.input("targets", {batch, 1});
  const TensorId loss = b.add(kLogisticLossOp, {x, targets});
  b.set_loss(loss);
  b.add_result(loss);
}

}  // namespace mete
