// A plain multi-layer perceptron, for trying things out. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/layers.h"
#include "mete/graph/zoo.h"

namespace mete {

void build_mlp(GraphBuilder& b, std::int64_t batch) {
  TensorId x = b.input("images", {batch, 784});
  x = relu_layer(b, dense_layer(b, x, 4096));
  x = relu_layer(b, dense_layer(b, x, 4096));
  classify(b, dense_layer(b, x, 10));
}

}  // namespace mete
