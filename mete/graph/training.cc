// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/training.h"

#include <algorithm>
#include <vector>

#include "mete/graph/ops.h"

namespace mete {
namespace {

class Differentiation {
 public:
  Differentiation(const Graph& forward, double learning_rate)
      : builder_(forward),
        learning_rate_(learning_rate),
        nodes_(forward.nodes.size()),
        depends_(forward.tensors.size(), false),
        gradient_(forward.tensors.size(), kNoTensor),
        first_reader_(forward.tensors.size(), kNoNode) {
    for (TensorId id = 0; id < forward.tensors.size(); ++id) {
      depends_[id] = forward.tensors[id].role == TensorRole::parameter;
    }
    for (NodeId n = 0; n < nodes_; ++n) {
      bool any = false;
      for (const auto id : forward.nodes[n].inputs) {
        any = any || depends_[id];
        first_reader_[id] = std::min(first_reader_[id], n);
      }
      for (const auto id : forward.nodes[n].outputs) depends_[id] = any;
    }
  }

  Result<Graph> run() {
    for (std::size_t left = nodes_; left > 0; --left) {
      const auto n = static_cast<NodeId>(left - 1);
      const GraphNode node = builder_.graph().nodes[n];
      builder_.set_layer(node.layer);
      METE_TRY_VOID(differentiate(node));
      for (const auto id : node.inputs) {
        // Reversed, the first reader is the last one that needs the parameter.
        if (first_reader_[id] == n) update(id);
        if (builder_.failed()) break;
      }
    }
    return builder_.finish();
  }

 private:
  Result<void> differentiate(const GraphNode& node) {
    const bool is_loss = std::find(node.outputs.begin(), node.outputs.end(),
                                   builder_.graph().loss) != node.outputs.end();
    GradientScope scope{builder_, node, {}, {}};
    bool reached = is_loss;
    for (const auto id : node.outputs) {
      scope.output_gradients.push_back(gradient_[id]);
      reached = reached || gradient_[id] != kNoTensor;
    }
    for (const auto id : node.inputs) scope.wanted.push_back(depends_[id]);
    const bool any =
        std::find(scope.wanted.begin(), scope.wanted.end(), true) != scope.wanted.end();
    if (!reached || !any) return {};
    const std::string& layer = builder_.layer_name();
    if (node.op->gradient == nullptr) {
      return fail(Errc::unsupported, "{} ({}): this op has no gradient", layer, node.op->name);
    }
    if (!is_loss && scope.dy() == kNoTensor) {
      return fail(Errc::unsupported, "{} ({}): the loss depends on a side result of this op", layer,
                  node.op->name);
    }
    scope.input_gradients.assign(node.inputs.size(), kNoTensor);
    node.op->gradient(scope);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (scope.wanted[i]) accumulate(node.inputs[i], scope.input_gradients[i]);
    }
    rows_.insert(rows_.end(), scope.row_updates.begin(), scope.row_updates.end());
    return {};
  }

  void accumulate(TensorId id, TensorId gradient) {
    if (gradient == kNoTensor) return;
    TensorId& sum = gradient_[id];
    sum = sum == kNoTensor ? gradient : builder_.add(kAddOp, {sum, gradient});
  }

  /// SGD without momentum adds up, so a table may take dense and row updates one after the other.
  void update(TensorId id) {
    if (builder_.graph().tensors[id].role != TensorRole::parameter) return;
    first_reader_[id] = kNoNode;
    Attributes a;
    a.scale = learning_rate_;
    if (gradient_[id] != kNoTensor) builder_.add(kSgdOp, {id, gradient_[id]}, a);
    for (const auto& row : rows_) {
      if (row.table == id) builder_.add(kEmbeddingSgdOp, {id, row.dy, row.indices}, a);
    }
    std::erase_if(rows_, [id](const auto& row) { return row.table == id; });
  }

  GraphBuilder builder_;
  double learning_rate_;
  std::size_t nodes_;
  std::vector<bool> depends_;         ///< on a parameter
  std::vector<TensorId> gradient_;    ///< so far
  std::vector<NodeId> first_reader_;  ///< in the forward pass
  std::vector<GradientScope::RowUpdate> rows_;
};

}  // namespace

Result<Graph> training_step(const Graph& forward, double learning_rate) {
  if (forward.loss == kNoTensor) {
    return fail(Errc::invalid, "{}: a graph without a loss cannot be trained", forward.name);
  }
  Differentiation differentiation(forward, learning_rate);
  METE_TRY(Graph graph, differentiation.run());
  graph.forward_nodes = forward.nodes.size();
  return graph;
}

}  // namespace mete
