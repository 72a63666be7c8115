// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/summary.h"

#include <algorithm>

#include <fmt/format.h>

#include "mete/graph/liveness.h"
#include "mete/graph/ops.h"
#include "mete/graph/training.h"

namespace mete {
namespace {

PassSummary pass_of(const Graph& graph, std::size_t nodes) {
  PassSummary pass;
  pass.nodes = nodes;
  for (std::size_t n = 0; n < nodes; ++n) {
    pass.macs = plus(pass.macs, graph.nodes[n].work.macs);
    pass.flops = plus(pass.flops, graph.nodes[n].work.flops());
  }
  const Liveness live = liveness_of(graph, nodes);
  pass.peak_bytes = live.peak_bytes;
  pass.no_reuse_peak_bytes = liveness_of(graph, nodes, false).peak_bytes;
  if (nodes > 0) {
    const GraphNode& node = graph.nodes[live.peak_node];
    pass.peak_at = fmt::format("{} ({})", graph.layers[node.layer].name, node.op->name);
  }
  return pass;
}

/// torchinfo's rule: a module's parameters, biases included, times the positions at which a
/// convolution or dense layer uses them; times the batch for all others. Modules without parameters
/// count nothing.
std::uint64_t torchinfo_count(const LayerSummary& layer) {
  const Shape& out = layer.output;
  if (layer.parameters == 0 || out.rank() == 0) return 0;
  auto positions = std::vector<std::int64_t>{out[0]};
  if (layer.op == kConvOp.name) {
    positions.insert(positions.end(), out.dims().begin() + 2, out.dims().end());
  } else if (layer.op == kMatMulOp.name) {
    positions.assign(out.dims().begin(), out.dims().end() - 1);
  }
  return times(layer.parameters, Shape{std::move(positions)}.elements());
}

class LayerCounter {
 public:
  explicit LayerCounter(const Graph& graph)
      : graph_(graph), seen_(graph.tensors.size(), false), most_(graph.layers.size(), 0) {
    layers_.resize(graph.layers.size());
    for (const auto& node : graph.nodes) add(node);
  }

  std::vector<LayerSummary> take() {
    std::erase_if(layers_, [](const auto& layer) { return layer.op.empty(); });
    for (auto& layer : layers_) layer.torchinfo_mult_adds = torchinfo_count(layer);
    return std::move(layers_);
  }

 private:
  void add(const GraphNode& node) {
    LayerSummary& layer = layers_[node.layer];
    layer.name = graph_.layers[node.layer].name;
    if (layer.op.empty() || node.work.flops() > most_[node.layer]) {
      layer.op = node.op->name;
      most_[node.layer] = node.work.flops();
    }
    layer.output = graph_.tensors[node.outputs[0]].type.shape;
    layer.macs = plus(layer.macs, node.work.macs);
    layer.flops = plus(layer.flops, node.work.flops());
    for (const auto id : node.inputs) {
      const Tensor& tensor = graph_.tensors[id];
      if (tensor.role == TensorRole::parameter && !seen_[id]) {
        layer.parameters += tensor.type.shape.elements();
      }
      seen_[id] = true;
    }
    if (node.op->reuse == Reuse::view) return;
    for (const auto id : node.inputs) layer.bytes_read += bytes_touched(node, id);
    for (const auto id : node.outputs) {
      layer.activation_bytes += graph_.tensors[id].bytes();
      layer.bytes_written += graph_.tensors[id].bytes();
    }
  }

  /// Of a table only the rows looked up are read.
  [[nodiscard]] std::uint64_t bytes_touched(const GraphNode& node, TensorId id) const {
    const bool table = node.op == &kEmbeddingOp && id == node.inputs[0];
    return graph_.tensors[table ? node.outputs[0] : id].bytes();
  }

  const Graph& graph_;
  std::vector<LayerSummary> layers_;
  std::vector<bool> seen_;
  std::vector<std::uint64_t> most_;  ///< per layer: the work of the op it is named for
};

Json count(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Json to_json(const LayerSummary& layer) {
  Json shape = Json::array();
  for (const auto size : layer.output.dims()) shape.push(size);
  return Json::object({{"name", layer.name},
                       {"op", layer.op},
                       {"output_shape", std::move(shape)},
                       {"parameters", count(layer.parameters)},
                       {"macs", count(layer.macs)},
                       {"flops", count(layer.flops)},
                       {"torchinfo_mult_adds", count(layer.torchinfo_mult_adds)},
                       {"activation_bytes", count(layer.activation_bytes)},
                       {"bytes_read", count(layer.bytes_read)},
                       {"bytes_written", count(layer.bytes_written)}});
}

Json to_json(const PassSummary& pass) {
  return Json::object({{"nodes", pass.nodes},
                       {"macs", count(pass.macs)},
                       {"flops", count(pass.flops)},
                       {"peak_bytes", count(pass.peak_bytes)},
                       {"no_reuse_peak_bytes", count(pass.no_reuse_peak_bytes)},
                       {"peak_at", pass.peak_at}});
}

Error too_many(const Graph& graph) {
  return fail(Errc::invalid, "{}: more operations than can be counted; choose a smaller batch",
              graph.name);
}

}  // namespace

Result<ModelSummary> summarise_forward(const Graph& forward) {
  ModelSummary summary;
  summary.name = forward.name;
  for (const auto& tensor : forward.tensors) {
    if (tensor.role == TensorRole::parameter) {
      summary.parameters += tensor.type.shape.elements();
      summary.parameter_bytes += tensor.bytes();
    } else if (tensor.role == TensorRole::input) {
      summary.input_bytes += tensor.bytes();
    }
  }
  summary.layers = LayerCounter(forward).take();
  for (const auto& layer : summary.layers) {
    summary.activation_bytes += layer.activation_bytes;
    summary.torchinfo_mult_adds = plus(summary.torchinfo_mult_adds, layer.torchinfo_mult_adds);
  }
  summary.forward = pass_of(forward, forward.nodes.size());
  if (std::max(summary.forward.flops, summary.torchinfo_mult_adds) > kMostGraphBytes) {
    return too_many(forward);
  }
  return summary;
}

Result<ModelSummary> summarise(const Graph& forward) {
  METE_TRY(ModelSummary summary, summarise_forward(forward));
  METE_TRY(const Graph step, training_step(forward, 1));
  summary.training = pass_of(step, step.nodes.size());
  if (summary.training.flops > kMostGraphBytes) return too_many(forward);
  return summary;
}

Json to_json(const ModelSummary& summary) {
  Json layers = Json::array();
  for (const auto& layer : summary.layers) layers.push(to_json(layer));
  return Json::object({{"model", summary.name},
                       {"parameters", count(summary.parameters)},
                       {"parameter_bytes", count(summary.parameter_bytes)},
                       {"input_bytes", count(summary.input_bytes)},
                       {"activation_bytes", count(summary.activation_bytes)},
                       {"torchinfo_mult_adds", count(summary.torchinfo_mult_adds)},
                       {"forward", to_json(summary.forward)},
                       {"training_step", to_json(summary.training)},
                       {"layers", std::move(layers)}});
}

}  // namespace mete
