// The zoo, registered: one line each. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/zoo.h"

#include "mete/base/text.h"

namespace mete {
namespace {

void resnet50(GraphBuilder& b, std::int64_t batch) { build_resnet(b, batch, {{3, 4, 6, 3}}); }

void resnet200(GraphBuilder& b, std::int64_t batch) { build_resnet(b, batch, {{3, 24, 36, 3}}); }

constexpr ZooModel kModels[] = {
    {"vgg19", "16 convolutions and 3 dense layers, 224x224 images", 0.0001, build_vgg19},
    {"vgg416", "VGG with 413 convolutions, 224x224 images", 0.0001, build_vgg416},
    {"inception-v4", "branches side by side, 299x299 images", 0.001, build_inception_v4},
    {"resnet50", "bottleneck blocks 3, 4, 6, 3, 224x224 images", 0.001, resnet50},
    {"resnet200", "bottleneck blocks 3, 24, 36, 3, 224x224 images", 0.001, resnet200},
    {"densenet264", "dense blocks 6, 12, 64, 48 of growth 32, 224x224 images", 0.001,
     build_densenet264},
    {"transformer",
     "8 encoder and 8 decoder layers, width 512, 150 words, 20,000 in the vocabulary", 0.001,
     build_transformer},
    {"dlrm", "recommendation: 26 tables (Kaggle x 5), width 16, pairwise products", 0.1,
     build_dlrm},
    {"mlp", "dense 784-4096-4096-10", 0.05, build_mlp},
};

}  // namespace

std::span<const ZooModel> zoo_models() { return kModels; }

Result<const ZooModel*> find_zoo_model(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& model : kModels) {
    if (model.name == name) return &model;
    names.emplace_back(model.name);
  }
  auto hint = did_you_mean(name, names);
  if (hint.empty()) hint = "; there are " + join(names, ", ");
  return fail(Errc::invalid, "zoo:{}: no such model{}", name, hint);
}

Result<Graph> build_zoo_model(const ZooModel& model, std::int64_t batch) {
  const std::string where = fmt::format("zoo:{}, batch {}", model.name, batch);
  if (batch < 1) return fail(Errc::invalid, "{}: a batch is 1 or more", where);
  GraphBuilder builder{std::string(model.name)};
  model.build(builder, batch);
  auto graph = builder.finish();
  if (!graph) return graph.error().within(where);
  graph->forward_nodes = graph->nodes.size();
  return graph;
}

}  // namespace mete
