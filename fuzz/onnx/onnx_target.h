// What any bytes must do in the reader of ONNX files: be refused in one line that names the file,
// or give a graph whose shapes are sound, that can be counted, and trained where it has a loss.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "fuzz/check.h"

#include "mete/graph/onnx/onnx.h"
#include "mete/graph/summary.h"

namespace mete::fuzz {

/// Every node's results are what its op infers from its inputs.
inline void require_sound(const Graph& graph) {
  for (const auto& node : graph.nodes) {
    std::vector<TensorType> inputs;
    for (const auto id : node.inputs) {
      require(id < graph.tensors.size(), "inputs are there");
      inputs.push_back(graph.tensors[id].type);
    }
    const auto results = node.op->infer(inputs, node.attributes);
    require(results && results->size() == node.outputs.size(), "as many results as inferred");
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      require((*results)[i] == graph.tensors[node.outputs[i]].type, "results as inferred");
    }
  }
}

inline void onnx_target(std::string_view bytes) {
  if (!open_onnx_parser()) return;  // without libonnx there is nothing to fuzz
  OnnxOptions options;
  options.values = true;
  options.batch = 2;
  options.dims = {{"n", 3}};
  auto model = parse_onnx(bytes, "file", "/nonexistent", options);
  if (!model && model.error().what.find("no axis is called") != std::string::npos) {
    options.dims.clear();
    model = parse_onnx(bytes, "file", "/nonexistent", options);
  }
  if (!model) {
    require_fair(model.error(), "file: ");
    return;
  }
  require_sound(model->graph);
  for (const auto& value : model->values) {
    require(value.tensor < model->graph.tensors.size(), "values are of tensors");
    require(value.bytes.size() == model->graph.tensors[value.tensor].bytes(), "values fit");
  }
  const auto summary = summarise_forward(model->graph);
  if (!summary) require(summary.error().code == Errc::invalid, summary.error().what);
  add_onnx_loss(*model);
  if (model->graph.loss != kNoTensor && model->graph.nodes.size() < 2000) {
    const auto step = summarise(model->graph);
    require(step || step.error().code == Errc::invalid || step.error().code == Errc::unsupported,
            step ? "" : step.error().what);
  }
}

}  // namespace mete::fuzz
