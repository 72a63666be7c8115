// A graph: tensors, and the nodes that make them, in the order in which they run. It is built by a
// GraphBuilder, which infers every shape, and checks every size before anything is counted.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/graph/op.h"
#include "mete/graph/shape.h"

namespace mete {

using TensorId = std::uint32_t;
using NodeId = std::uint32_t;
inline constexpr TensorId kNoTensor = std::numeric_limits<TensorId>::max();
inline constexpr NodeId kNoNode = std::numeric_limits<NodeId>::max();

/// The largest tensor and the most bytes of a whole graph, as of a placement problem.
inline constexpr std::uint64_t kMostGraphTensorBytes = std::uint64_t{1} << 46U;
inline constexpr std::uint64_t kMostGraphBytes = std::uint64_t{1} << 60U;
inline constexpr std::size_t kMostGraphNodes = 1'000'000;

enum class TensorRole : std::uint8_t {
  input,         ///< of the step: images, indices, labels
  parameter,     ///< lives from step to step
  intermediate,  ///< made and used within the step
};

struct Tensor {
  std::string name;
  TensorType type;
  TensorRole role = TensorRole::intermediate;
  NodeId producer = kNoNode;

  [[nodiscard]] std::uint64_t bytes() const { return type.bytes(); }
};

struct GraphNode {
  const Op* op = nullptr;
  std::uint32_t layer = 0;  ///< index into Graph::layers
  Attributes attributes;
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;
  OpWork work;
};

/// What a framework would call a module: a convolution with its bias is one.
struct GraphLayer {
  std::string name;
};

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<GraphNode> nodes;
  std::vector<GraphLayer> layers;
  std::vector<TensorId> results;  ///< kept until the step ends: the loss, or what is inferred
  TensorId loss = kNoTensor;      ///< what training makes smaller; kNoTensor: none
  std::size_t forward_nodes = 0;  ///< the first so many are the forward pass
};

/// Builds a graph node by node. After the first error every call does nothing and finish() returns
/// that error, so that a model reads like a model.
class GraphBuilder {
 public:
  explicit GraphBuilder(std::string name);
  /// Goes on with a finished graph.
  explicit GraphBuilder(Graph graph);

  TensorId input(const std::string& name, Shape shape, DataType type = DataType::f32);
  TensorId parameter(const std::string& name, Shape shape);
  /// An input or parameter with that very name.
  TensorId tensor(std::string name, TensorType type, TensorRole role) {
    return add_tensor(std::move(name), std::move(type), role, kNoNode);
  }
  /// Nodes from here on belong to a new layer; "conv" becomes "conv1", "conv2", ..
  void begin_layer(const std::string& kind);
  /// The same, with that very name.
  void begin_named_layer(std::string name);
  /// Nodes from here on belong to that layer again.
  void set_layer(std::uint32_t layer) { layer_ = layer; }
  [[nodiscard]] const std::string& layer_name() const { return graph_.layers[layer_].name; }

  /// All results of the op; kNoTensor after an error.
  std::vector<TensorId> add_all(const Op& op, std::vector<TensorId> inputs, Attributes a = {});
  /// The first result.
  TensorId add(const Op& op, std::vector<TensorId> inputs, Attributes a = {});

  /// A scalar-like empty shape for kNoTensor.
  [[nodiscard]] Shape shape(TensorId id) const;
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  void refuse(Error error);
  void set_loss(TensorId id) { graph_.loss = id; }
  void add_result(TensorId id) { graph_.results.push_back(id); }
  [[nodiscard]] const Graph& graph() const { return graph_; }
  /// The graph, or the first error.
  Result<Graph> finish();

 private:
  TensorId add_tensor(std::string name, TensorType type, TensorRole role, NodeId producer);

  Graph graph_;
  std::optional<Error> error_;
  std::uint32_t layer_ = 0;
  std::vector<std::pair<std::string, std::size_t>> kinds_;  ///< how many layers of each kind
  std::uint64_t total_bytes_ = 0;
};

/// What an op's gradient reads and writes. The nodes it adds join the forward node's layer.
struct GradientScope {
  GraphBuilder& builder;
  const GraphNode node;                        ///< a copy: the builder's own may move
  std::vector<TensorId> output_gradients;      ///< kNoTensor where nothing depends on that output
  std::vector<bool> wanted;                    ///< per input
  std::vector<TensorId> input_gradients = {};  ///< to fill, per input
  /// A table whose rows are updated one by one: its input's index, dy, and the rows' indices.
  struct RowUpdate {
    TensorId table = kNoTensor;
    TensorId dy = kNoTensor;
    TensorId indices = kNoTensor;
  };
  std::vector<RowUpdate> row_updates = {};

  [[nodiscard]] TensorId in(std::size_t i) const { return node.inputs[i]; }
  [[nodiscard]] TensorId out(std::size_t i = 0) const { return node.outputs[i]; }
  [[nodiscard]] TensorId dy() const { return output_gradients[0]; }
};

}  // namespace mete
