// Small networks, run whole by the reference kernels; and how kernels are chosen.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/run_graph.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "mete/graph/layers.h"
#include "mete/graph/ops.h"
#include "mete/graph/training.h"
#include "mete/graph/zoo.h"
#include "mete/kernel/blocked_layout.h"
#include "mete/kernel/initial_values.h"

namespace mete {
namespace {

Graph step_of(GraphBuilder& b, double learning_rate) {
  const auto forward = b.finish();
  EXPECT_TRUE(forward) << (forward ? "" : forward.error().what);
  auto step = training_step(*forward, learning_rate);
  EXPECT_TRUE(step) << (step ? "" : step.error().what);
  return *step;
}

Graph small_mlp() {
  GraphBuilder b("small mlp");
  TensorId x = b.input("x", {16, 12});
  for (const int units : {24, 24}) x = relu_layer(b, dense_layer(b, x, units));
  classify(b, dense_layer(b, x, 4));
  return step_of(b, 0.1);
}

/// A bit of all: branches that meet in a concat and in a sum, both norms, both pools, a reshape
/// that changes the order in memory.
Graph small_convnet() {
  GraphBuilder b("small convnet");
  TensorId x = b.input("images", {4, 3, 10, 10});
  x = conv_layer(b, x, {.channels = 16, .kernel = {3, 3}, .pad = {1, 1}});
  x = relu_layer(b, batch_norm_layer(b, x));
  const TensorId left = conv_layer(b, x, {.channels = 16, .kernel = {3, 1}, .pad = {1, 0}});
  x = add_layer(b, x, relu_layer(b, left));
  x = concat_layer(b, {x, average_pool_layer(b, x, {.size = 3, .stride = 1, .pad = 1})}, 1);
  x = max_pool_layer(b, x, {.size = 2, .stride = 2});
  // Two readers of the image: the flat copy of it must not take its memory.
  const TensorId flat = flatten_layer(b, x);
  x = average_pool_layer(b, conv_layer(b, x, {.channels = 16}), {.size = 5, .stride = 5});
  x = concat_layer(b, {flat, flatten_layer(b, x)}, 1);
  x = relu_layer(b, dense_layer(b, x, 8));
  classify(b, dense_layer(b, layer_norm_layer(b, x), 5));
  return step_of(b, 0.05);
}

class WithReference : public ::testing::Test {
 protected:
  GraphRun make(const Graph& graph, GraphRunOptions options = {}) {
    auto run = GraphRun::make(graph, libraries_, std::move(options));
    EXPECT_TRUE(run) << (run ? "" : run.error().what);
    run->fill(5);
    return std::move(*run);
  }

  static void step(GraphRun& run) {
    const auto done = run.run();
    ASSERT_TRUE(done) << done.error().what;
  }

  std::unique_ptr<KernelLibrary> reference_ = make_reference_library();
  KernelLibrary* const libraries_[1] = {reference_.get()};
};
using RunGraph = WithReference;

TEST_F(RunGraph, training_makes_the_loss_fall) {
  for (const auto& graph : {small_mlp(), small_convnet()}) {
    GraphRun run = make(graph);
    std::vector<float> losses;
    for (int i = 0; i < 20; ++i) {
      step(run);
      losses.push_back(run.values(graph.loss)[0]);
    }
    EXPECT_LT(losses.back(), 0.6F * losses.front()) << graph.name;
    EXPECT_GT(losses.back(), 0.0F) << graph.name;
    // No single step makes it much worse: the gradients point downhill.
    for (std::size_t i = 1; i < losses.size(); ++i) {
      EXPECT_LT(losses[i], 1.1F * losses[i - 1]) << graph.name << " " << i;
    }
  }
}

std::vector<float> learned(const Graph& graph, const GraphRun& run) {
  std::vector<float> all = run.values(graph.loss);
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].role != TensorRole::parameter) continue;
    const auto values = run.values(id);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

TEST_F(RunGraph, neither_layouts_nor_memory_shared_change_a_bit) {
  for (const auto& graph : {small_mlp(), small_convnet()}) {
    GraphRun plain = make(graph);
    step(plain);
    const auto expected = learned(graph, plain);
    const auto assigned = assign_layouts(graph);
    for (const auto& layouts :
         {std::vector<Layout>{}, assigned, blocked_layouts(graph, assigned)}) {
      for (const bool in_place : {false, true}) {
        GraphRun run = make(graph, {.layouts = layouts, .in_place = in_place});
        step(run);
        EXPECT_EQ(learned(graph, run), expected) << graph.name << in_place;
      }
    }
  }
}

TEST_F(RunGraph, free_views_have_no_kernel_and_others_copy) {
  const Graph graph = small_convnet();
  const GraphRun plain = make(graph);
  const GraphRun images = make(graph, {.layouts = assign_layouts(graph)});
  std::size_t copies = 0;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    if (graph.nodes[n].op != &kReshapeOp) continue;
    EXPECT_EQ(plain.chosen(n).kernel, nullptr);
    // What was averaged to one position lies the same either way.
    const Shape& from = graph.tensors[graph.nodes[n].inputs[0]].type.shape;
    const Shape& to = graph.tensors[graph.nodes[n].outputs[0]].type.shape;
    if (from.elements() == 4 * 16) {
      EXPECT_EQ(images.chosen(n).kernel, nullptr) << from.text() << " to " << to.text();
      continue;
    }
    ++copies;
    EXPECT_NE(images.chosen(n).kernel, nullptr);
    EXPECT_EQ(images.chosen(n).kernel->implementation(), "reference");
    EXPECT_GT(images.chosen(n).kernel->scratch_bytes(), 0U);
  }
  EXPECT_EQ(copies, 2U);
}

/// Says no, and why.
class Unwilling final : public KernelLibrary {
 public:
  [[nodiscard]] std::string_view name() const override { return "unwilling"; }
  [[nodiscard]] std::string version() const override { return "1"; }
  Result<std::unique_ptr<Kernel>> make(const KernelJob& /*job*/) override {
    return fail(Errc::unsupported, "not today");
  }
};

/// Writes one float more than the result has.
class Careless final : public KernelLibrary {
 public:
  [[nodiscard]] std::string_view name() const override { return "careless"; }
  [[nodiscard]] std::string version() const override { return "1"; }
  Result<std::unique_ptr<Kernel>> make(const KernelJob& job) override {
    return std::make_unique<TooLong>(job.outputs[0].type.bytes());
  }

 private:
  class TooLong final : public Kernel {
   public:
    explicit TooLong(std::size_t bytes) : bytes_(bytes) {}
    Result<void> run(std::span<const void* const> /*inputs*/,
                     std::span<void* const> outputs) override {
      std::memset(outputs[0], 0, bytes_ + sizeof(float));
      return {};
    }
    [[nodiscard]] std::string implementation() const override { return "careless loop"; }

   private:
    std::size_t bytes_;
  };
};

Graph one_relu() {
  GraphBuilder b("one");
  relu_layer(b, b.input("x", {5, 3}));
  return *b.finish();
}

TEST_F(RunGraph, a_kernel_that_writes_too_far_is_named) {
  const Graph graph = one_relu();
  Careless careless;
  KernelLibrary* const libraries[] = {&careless};
  auto run = GraphRun::make(graph, libraries);
  ASSERT_TRUE(run);
  const auto done = run->run();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().what.find("relu1: careless loop"), std::string::npos) << done.error().what;
}

TEST_F(RunGraph, the_first_library_that_takes_a_job_gets_it) {
  const Graph graph = one_relu();
  const std::vector<Layout> plain(graph.tensors.size(), Layout::plain);
  const KernelJob job = job_of(graph, 0, plain, 1);
  Unwilling unwilling;
  KernelLibrary* const both[] = {&unwilling, reference_.get()};
  const auto chosen = choose_kernel(both, job);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->library, "reference");
  EXPECT_EQ(chosen->refusals, std::vector<std::string>{"unwilling: not today"});
  KernelLibrary* const none[] = {&unwilling, &unwilling};
  const auto refused = choose_kernel(none, job);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_EQ(refused.error().what,
            "relu: no kernel runs it (unwilling: not today; unwilling: not today)");
}

TEST_F(RunGraph, starts_with_the_same_numbers_in_any_layout) {
  const Graph graph = small_convnet();
  const GraphRun plain = make(graph);
  const GraphRun images = make(graph, {.layouts = assign_layouts(graph)});
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].producer != kNoNode) continue;
    if (graph.tensors[id].type.type != DataType::f32) continue;
    EXPECT_EQ(plain.values(id), images.values(id)) << graph.tensors[id].name;
  }
}

TEST(InitialValues, are_of_the_size_and_range_that_is_told) {
  GraphBuilder b("values");
  const TensorId rows = b.input("rows", {4000}, DataType::i64);
  TensorId x = embedding_layer(b, rows, 7, 4);
  x = dense_layer(b, layer_norm_layer(b, x), 200);
  x = dense_layer(b, x, 3);
  classify(b, x);
  const auto graph = b.finish();
  ASSERT_TRUE(graph);
  for (TensorId id = 0; id < graph->tensors.size(); ++id) {
    const Tensor& tensor = graph->tensors[id];
    if (tensor.producer != kNoNode) continue;
    const std::size_t count = tensor.type.shape.elements();
    if (tensor.type.type == DataType::i64) {
      std::vector<std::int64_t> numbers(count);
      fill_initial(*graph, id, numbers.data(), Rng(1));
      const std::int64_t most = tensor.name == "rows" ? 6 : 2;
      EXPECT_EQ(*std::min_element(numbers.begin(), numbers.end()), 0) << tensor.name;
      EXPECT_EQ(*std::max_element(numbers.begin(), numbers.end()), most) << tensor.name;
      continue;
    }
    std::vector<float> values(count);
    fill_initial(*graph, id, values.data(), Rng(1));
    double squares = 0;
    for (const float each : values) squares += double{each} * double{each};
    if (tensor.name == "dense2.weight") {  // 200 products for each result
      EXPECT_NEAR(squares / static_cast<double>(count), 2.0 / 200, 0.002);
    }
    if (tensor.name == "layer_norm1.scale") {
      for (const float each : values) EXPECT_NEAR(double{each}, 1, 0.1);
    }
  }
}

TEST(Traffic, only_the_rows_and_the_part_that_are_used) {
  GraphBuilder b("traffic");
  const TensorId rows = b.input("rows", {10}, DataType::i64);
  TensorId x = embedding_layer(b, rows, 1000, 4);
  Attributes a;
  a.axis = 1;
  a.begin = 1;
  a.end = 3;
  x = b.add(kSliceOp, {x}, a);
  classify(b, x);
  const Graph step = step_of(b, 0.1);
  std::size_t checked = 0;
  for (NodeId n = 0; n < step.nodes.size(); ++n) {
    const auto traffic = traffic_of(step, n);
    const auto& node = step.nodes[n];
    ASSERT_EQ(traffic.read.size(), node.inputs.size());
    ASSERT_EQ(traffic.written.size(), node.outputs.size());
    using Bytes = std::vector<std::uint64_t>;
    if (node.op == &kEmbeddingOp) {
      EXPECT_EQ(traffic.read, (Bytes{160, 80}));
      EXPECT_EQ(traffic.written, Bytes{160});
    } else if (node.op == &kEmbeddingSgdOp) {
      EXPECT_EQ(traffic.read, (Bytes{160, 160, 80}));
      EXPECT_EQ(traffic.written, Bytes{160});
    } else if (node.op == &kSliceOp) {
      EXPECT_EQ(traffic.read, Bytes{80});
      EXPECT_EQ(traffic.written, Bytes{80});
    } else if (node.op == &kSliceBackwardOp) {
      EXPECT_EQ(traffic.read, Bytes{80});
      EXPECT_EQ(traffic.written, Bytes{160});
    } else {
      continue;
    }
    ++checked;
  }
  EXPECT_EQ(checked, 4U);
}

}  // namespace
}  // namespace mete
