// The training step, judged by rules that share nothing with its making: who wrote a piece of
// memory last when it is read, which tensors are alive by a plain scan, and how much work gradients
// must take. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/training.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "mete/graph/layers.h"
#include "mete/graph/liveness.h"
#include "mete/graph/ops.h"
#include "mete/graph/zoo.h"

namespace mete {
namespace {

Graph step_of(std::string_view name, std::int64_t batch) {
  const auto model = find_zoo_model(name);
  const auto forward = build_zoo_model(**model, batch);
  EXPECT_TRUE(forward);
  auto step = training_step(*forward, 0.1);
  EXPECT_TRUE(step) << (step ? "" : step.error().what);
  return *step;
}

/// Plays the step with memory that remembers which value it holds. A value has the number of the
/// tensor that first held it; a view holds its source's value. Every read must find the value that
/// was meant.
void expect_no_overwritten_read(const Graph& graph, const Liveness& live) {
  std::map<std::uint32_t, TensorId> holds;
  std::vector<TensorId> value(graph.tensors.size());
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    value[id] = id;
    if (graph.tensors[id].producer == kNoNode) holds[live.group_of[id]] = id;
  }
  for (const auto& node : graph.nodes) {
    for (const auto id : node.inputs) {
      ASSERT_EQ(holds[live.group_of[id]], value[id])
          << graph.layers[node.layer].name << " " << node.op->name << " reads "
          << graph.tensors[id].name;
    }
    if (node.op->reuse == Reuse::view) {
      value[node.outputs[0]] = value[node.inputs[0]];
      continue;
    }
    for (const auto id : node.outputs) holds[live.group_of[id]] = id;
  }
  for (const auto id : graph.results) EXPECT_EQ(holds[live.group_of[id]], value[id]);
}

/// The bytes alive at each node, by asking of every tensor whether it is needed there.
std::uint64_t brute_force_peak(const Graph& graph, const Liveness& live) {
  std::vector<NodeId> last(graph.tensors.size(), 0);
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    for (const auto id : graph.nodes[n].inputs) last[id] = n;
    for (const auto id : graph.nodes[n].outputs) last[id] = std::max(last[id], n);
  }
  std::uint64_t peak = 0;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    std::map<std::uint32_t, std::uint64_t> needed;
    for (TensorId id = 0; id < graph.tensors.size(); ++id) {
      const Tensor& tensor = graph.tensors[id];
      const bool born = tensor.producer == kNoNode || tensor.producer <= n;
      const bool result = std::count(graph.results.begin(), graph.results.end(), id) > 0;
      if (born && (tensor.producer == kNoNode || result || last[id] >= n)) {
        auto& bytes = needed[live.group_of[id]];
        bytes = std::max(bytes, tensor.bytes());
      }
    }
    std::uint64_t sum = 0;
    for (const auto& [group, bytes] : needed) sum += bytes;
    peak = std::max(peak, sum);
  }
  return peak;
}

TEST(Training, no_zoo_model_reads_memory_that_was_overwritten) {
  for (const auto& model : zoo_models()) {
    const Graph step = step_of(model.name, 2);
    expect_no_overwritten_read(step, liveness_of(step, step.nodes.size(), true));
    expect_no_overwritten_read(step, liveness_of(step, step.nodes.size(), false));
  }
}

TEST(Training, peak_agrees_with_a_plain_scan) {
  for (const auto* name : {"vgg19", "resnet50", "mlp", "dlrm"}) {
    const Graph step = step_of(name, 2);
    for (const bool in_place : {true, false}) {
      const auto live = liveness_of(step, step.nodes.size(), in_place);
      EXPECT_EQ(live.peak_bytes, brute_force_peak(step, live)) << name << " " << in_place;
    }
  }
}

TEST(Training, each_parameter_is_updated_once_after_its_last_other_use) {
  for (const auto& model : zoo_models()) {
    const Graph step = step_of(model.name, 1);
    std::set<TensorId> updated;
    for (const auto& node : step.nodes) {
      for (const auto id : node.inputs) {
        EXPECT_EQ(updated.count(id), 0U) << step.tensors[id].name << " is read after its update";
      }
      if (node.op == &kSgdOp || node.op == &kEmbeddingSgdOp) updated.insert(node.inputs[0]);
    }
    std::size_t parameters = 0;
    for (const auto& tensor : step.tensors) {
      parameters += tensor.role == TensorRole::parameter ? 1U : 0U;
    }
    EXPECT_EQ(updated.size(), parameters) << model.name;
  }
}

/// Each convolution and dense layer is followed by two products as large as itself, but for those
/// that read only inputs, whose gradient nobody wants.
TEST(Training, gradients_take_twice_the_macs_but_for_the_first_layer) {
  for (const auto& model : zoo_models()) {
    const Graph step = step_of(model.name, 3);
    std::vector<bool> trained(step.tensors.size(), false);
    std::uint64_t expected = 0;
    std::uint64_t macs = 0;
    for (std::size_t n = 0; n < step.nodes.size(); ++n) {
      const auto& node = step.nodes[n];
      macs += node.work.macs;
      if (n >= step.forward_nodes) continue;
      std::uint64_t wanted = 0;
      for (const auto id : node.inputs) {
        const bool yes = step.tensors[id].role == TensorRole::parameter || trained[id];
        wanted += yes ? 1U : 0U;
      }
      for (const auto id : node.outputs) trained[id] = wanted > 0;
      expected += node.work.macs * (1 + wanted);
    }
    EXPECT_EQ(macs, expected) << model.name;
  }
}

TEST(Training, gradients_have_the_shape_of_what_they_are_the_gradient_of) {
  for (const auto& model : zoo_models()) {
    const Graph step = step_of(model.name, 2);
    for (const auto& node : step.nodes) {
      if (node.op != &kSgdOp) continue;
      EXPECT_EQ(step.tensors[node.inputs[0]].type, step.tensors[node.inputs[1]].type);
    }
  }
}

TEST(Training, one_dense_layer_by_hand) {
  GraphBuilder builder("one");
  classify(builder, dense_layer(builder, builder.input("x", {4, 8}), 2));
  const auto forward = builder.finish();
  ASSERT_TRUE(forward);
  const auto step = training_step(*forward, 0.5);
  ASSERT_TRUE(step);
  std::vector<std::string> ops;
  for (const auto& node : step->nodes) ops.emplace_back(node.op->name);
  EXPECT_EQ(ops,
            (std::vector<std::string>{"matmul", "bias", "cross-entropy", "cross-entropy-backward",
                                      "bias-backward", "sgd", "matmul", "sgd"}));
  EXPECT_EQ(step->nodes[5].attributes.scale, 0.5);
  // x 128, weight 64, bias 8, labels 32 always; logits (the bias in place) 32, loss 4 and
  // probabilities 32 at the loss; then weight gradient 64, logits' gradient in place of the
  // probabilities 32, loss 4.
  EXPECT_EQ(liveness_of(*step, 3).peak_bytes, 232U + 68U);
  EXPECT_EQ(liveness_of(*step, step->nodes.size()).peak_bytes, 232U + 100U);
}

TEST(Training, refuses_a_graph_without_a_loss) {
  GraphBuilder builder("none");
  dense_layer(builder, builder.input("x", {4, 8}), 2);
  const auto step = training_step(*builder.finish(), 0.5);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, Errc::invalid);
}

}  // namespace
}  // namespace mete
