// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/onnx.h"

#include "mete/base/files.h"
#include "mete/graph/layers.h"
#include "mete/graph/onnx/importer.h"

namespace mete {
namespace {

constexpr std::span<const OnnxConversion> (*kConversions[])() = {
    onnx_element_conversions, onnx_window_conversions, onnx_matrix_conversions,
    onnx_shape_conversions,   onnx_norm_conversions,   onnx_sum_conversions};

}  // namespace

OnnxConvert find_onnx_conversion(std::string_view op) {
  for (const auto list : kConversions) {
    for (const auto& each : list()) {
      if (each.op == op) return each.convert;
    }
  }
  return nullptr;
}

Result<OnnxModel> parse_onnx(std::string_view bytes, const std::string& name,
                             const std::string& folder, const OnnxOptions& options) {
  METE_TRY(const OnnxParser* parser, open_onnx_parser());
  auto file = parser->parse(bytes);
  if (!file) return file.error().within(name);
  fuse_onnx_patterns(*file);
  auto model = OnnxImporter(*file, base_name(name), folder, options).run();
  if (!model) return model.error().within(name);
  return model;
}

Result<OnnxModel> read_onnx(const std::string& path, const OnnxOptions& options) {
  METE_TRY(const std::string bytes, read_file(path, kMostOnnxFileBytes));
  return parse_onnx(bytes, path, dir_name(path), options);
}

bool add_onnx_loss(OnnxModel& model) {
  if (model.graph.results.empty() || model.graph.loss != kNoTensor) return false;
  const Tensor& first = model.graph.tensors[model.graph.results[0]];
  if (first.type.shape.rank() != 2 || first.type.type != DataType::f32 ||
      first.role != TensorRole::intermediate) {
    return false;
  }
  GraphBuilder builder(model.graph);
  classify(builder, model.graph.results[0]);
  auto graph = builder.finish();
  if (!graph) return false;
  model.graph = std::move(*graph);
  model.graph.forward_nodes = model.graph.nodes.size();
  return true;
}

}  // namespace mete
