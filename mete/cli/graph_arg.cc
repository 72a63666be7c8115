// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/graph_arg.h"

#include <string_view>

#include "mete/base/files.h"
#include "mete/graph/onnx/onnx.h"
#include "mete/graph/training.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

constexpr std::string_view kZoo = "zoo:";
// Files do not say one; the time of an update does not depend on it.
constexpr double kLearningRate = 0.01;

Result<Graph> zoo_step(const std::string& name, std::int64_t batch) {
  METE_TRY(const ZooModel* model, find_zoo_model(name));
  METE_TRY(const Graph forward, build_zoo_model(*model, batch));
  return training_step(forward, model->learning_rate);
}

Result<Graph> onnx_step(const std::string& path, std::int64_t batch) {
  if (batch < 1) return fail(Errc::invalid, "batch {}: expected 1 or more", batch);
  OnnxOptions options;
  options.batch = batch;
  options.training = true;
  METE_TRY(OnnxModel model, read_onnx(path, options));
  if (model.graph.loss == kNoTensor && !add_onnx_loss(model)) {
    return fail(Errc::unsupported,
                "{}: has no loss, and its first result is not one row of numbers for each sample, "
                "to which mete could add one",
                path);
  }
  auto step = training_step(model.graph, kLearningRate);
  if (!step) return step.error().within(path);
  return step;
}

}  // namespace

Result<Graph> load_training_step(const std::string& text, std::int64_t batch) {
  if (text.starts_with(kZoo)) return zoo_step(text.substr(kZoo.size()), batch);
  if (text.ends_with(".onnx") || path_exists(text)) return onnx_step(text, batch);
  return fail(Errc::invalid,
              "{}: expected a model of the zoo, as in zoo:resnet50 (`mete model list`), or an ONNX "
              "file",
              text.empty() ? "no model given" : text);
}

}  // namespace mete
