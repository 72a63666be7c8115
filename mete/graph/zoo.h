// Models by name, at any batch: those on which AutoTM was evaluated, and a plain one.
// Definitions and their sources: docs/models.md. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/graph.h"

namespace mete {

struct ZooModel {
  std::string_view name;
  std::string_view summary;
  double learning_rate = 0;
  void (*build)(GraphBuilder& b, std::int64_t batch) = nullptr;
};

/// An explicit array, in zoo.cc.
std::span<const ZooModel> zoo_models();
/// `invalid`, offering the nearest names.
Result<const ZooModel*> find_zoo_model(std::string_view name);
/// The forward pass and the loss. `invalid` for a batch below 1 or too large to count.
Result<Graph> build_zoo_model(const ZooModel& model, std::int64_t batch);

/// What the residual networks differ in. AutoTM: convolutions have biases, the first one no norm,
/// and a block shrinks the image in its last convolution. As published (v1.5): no biases, a norm
/// after every convolution, and the shrinking in the 3x3 one.
struct ResNetPlan {
  std::vector<int> blocks;
  bool published = false;
};
void build_resnet(GraphBuilder& b, std::int64_t batch, const ResNetPlan& plan);

void build_vgg19(GraphBuilder& b, std::int64_t batch);
void build_vgg416(GraphBuilder& b, std::int64_t batch);
void build_inception_v4(GraphBuilder& b, std::int64_t batch);
void build_densenet264(GraphBuilder& b, std::int64_t batch);
void build_transformer(GraphBuilder& b, std::int64_t batch);
void build_dlrm(GraphBuilder& b, std::int64_t batch);
void build_mlp(GraphBuilder& b, std::int64_t batch);

}  // namespace mete
