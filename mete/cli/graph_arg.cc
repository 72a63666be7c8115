// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/graph_arg.h"

#include <string_view>

#include "mete/graph/training.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::string_view kZoo = "zoo:";

Result<const ZooModel*> zoo_model(const std::string& text) {
  if (!text.starts_with(kZoo)) {
    return fail(Errc::invalid,
                "{}: expected a model of the zoo, as in zoo:resnet50 (`mete model list`)",
                text.empty() ? "no model given" : text);
  }
  return find_zoo_model(text.substr(kZoo.size()));
}

}  // namespace

Result<Graph> load_model(const std::string& text, std::int64_t batch) {
  METE_TRY(const ZooModel* model, zoo_model(text));
  return build_zoo_model(*model, batch);
}

Result<Graph> load_training_step(const std::string& text, std::int64_t batch) {
  METE_TRY(const ZooModel* model, zoo_model(text));
  METE_TRY(const Graph forward, build_zoo_model(*model, batch));
  return training_step(forward, model->learning_rate);
}

}  // namespace mete
