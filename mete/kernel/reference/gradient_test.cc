// The gradient of every op, through autodiff, against finite differences of its forward kernel. An
// op that is added without a case here fails the last test. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "mete/graph/ops.h"
#include "mete/graph/training.h"
#include "mete/kernel/run_graph.h"

namespace mete {
namespace {

struct GradientCase {
  std::string name;
  /// Builds what is differentiated; a loss is put on it unless it sets one.
  std::function<TensorId(GraphBuilder&)> build;
};

TensorId unary(GraphBuilder& b, const Op& op, const Attributes& a = {}, Shape shape = {3, 4}) {
  return b.add(op, {b.parameter("x", std::move(shape))}, a);
}

TensorId conv(GraphBuilder& b, const Shape& image, const Shape& filter, const Attributes& a) {
  return b.add(kConvOp, {b.parameter("x", image), b.parameter("filter", filter)}, a);
}

TensorId norm(GraphBuilder& b, const Op& op, const Shape& shape, std::int64_t parameters) {
  Attributes a;
  a.epsilon = 1e-3;
  std::vector<TensorId> in = {b.parameter("x", shape), b.parameter("gamma", {parameters}),
                              b.parameter("beta", {parameters})};
  if (op.name == kFixedNormOp.name) {
    in.push_back(b.input("mean", {parameters}));
    in.push_back(b.input("variance", {parameters}));
  }
  return b.add(op, in, a);
}

TensorId pool(GraphBuilder& b, const Op& op, bool count_padding, std::int64_t dilation = 1) {
  Attributes a;
  a.kernel = {3, 2};
  a.stride = {2, 1};
  a.pad = {1, 0, 2, 1};
  a.dilation = {dilation, 1};
  a.count_padding = count_padding;
  return unary(b, op, a, {2, 2, 5, 4});
}

TensorId matmul(GraphBuilder& b, bool ta, bool tb, int axes, bool shared) {
  const auto shape = [](std::int64_t rows, std::int64_t columns, bool transposed, int rank) {
    std::vector<std::int64_t> dims = {2, 2};
    dims.resize(static_cast<std::size_t>(rank - 2));
    dims.push_back(transposed ? columns : rows);
    dims.push_back(transposed ? rows : columns);
    return Shape{dims};
  };
  Attributes a;
  a.transpose_a = ta;
  a.transpose_b = tb;
  a.scale = 0.7;
  return b.add(kMatMulOp,
               {b.parameter("a", shape(3, 4, ta, axes)),
                b.parameter("b", shape(4, 2, tb, shared ? 2 : axes))},
               a);
}

TensorId along_axis(GraphBuilder& b, const Op& op, std::size_t axis) {
  Attributes a;
  a.axis = axis;
  const Shape shape{2, 3, 4};
  return b.add(op, {b.parameter("x", shape), b.parameter("each", {shape[axis]})}, a);
}

std::vector<GradientCase> elementwise_cases() {
  Attributes clip;
  clip.low = -0.5;
  clip.high = 0.7;
  Attributes affine;
  affine.scale = -1.5;
  affine.offset = 0.3;
  const auto pair = [](GraphBuilder& b, const Op& op) {
    return b.add(op, {b.parameter("x", {3, 4}), b.parameter("y", {3, 4})});
  };
  return {
      {"relu", [](auto& b) { return unary(b, kReluOp); }},
      {"gelu", [](auto& b) { return unary(b, kGeluOp); }},
      {"sigmoid", [](auto& b) { return unary(b, kSigmoidOp); }},
      {"tanh", [](auto& b) { return unary(b, kTanhOp); }},
      {"clip", [clip](auto& b) { return unary(b, kClipOp, clip); }},
      {"affine", [affine](auto& b) { return unary(b, kAffineOp, affine); }},
      {"softmax", [](auto& b) { return unary(b, kSoftmaxOp); }},
      {"add", [pair](auto& b) { return pair(b, kAddOp); }},
      {"multiply", [pair](auto& b) { return pair(b, kMultiplyOp); }},
      {"a tensor used twice",
       [](auto& b) {
         const TensorId x = b.parameter("x", {3, 4});
         return b.add(kAddOp, {b.add(kMultiplyOp, {x, x}), x});
       }},
      {"bias, middle axis", [](auto& b) { return along_axis(b, kBiasOp, 1); }},
      {"bias, last axis", [](auto& b) { return along_axis(b, kBiasOp, 2); }},
      {"scale, first axis", [](auto& b) { return along_axis(b, kScaleOp, 0); }},
      {"scale, last axis", [](auto& b) { return along_axis(b, kScaleOp, 2); }},
  };
}

std::vector<GradientCase> image_cases() {
  Attributes plain;
  Attributes all;
  all.stride = {2, 1};
  all.pad = {1, 0, 2, 1};
  all.dilation = {1, 2};
  all.groups = 2;
  Attributes depthwise;
  depthwise.groups = 3;
  return {
      {"conv", [plain](auto& b) { return conv(b, {2, 2, 4, 3}, {3, 2, 2, 2}, plain); }},
      {"conv, 1x1", [plain](auto& b) { return conv(b, {1, 3, 2, 2}, {2, 3, 1, 1}, plain); }},
      {"conv, stride, pads, dilation, groups",
       [all](auto& b) { return conv(b, {1, 4, 5, 5}, {4, 2, 3, 2}, all); }},
      {"conv, depthwise",
       [depthwise](auto& b) { return conv(b, {2, 3, 3, 3}, {3, 1, 2, 2}, depthwise); }},
      {"max pool", [](auto& b) { return pool(b, kMaxPoolOp, false); }},
      {"max pool, dilated", [](auto& b) { return pool(b, kMaxPoolOp, false, 2); }},
      {"average pool", [](auto& b) { return pool(b, kAveragePoolOp, false); }},
      {"average pool, padding counted", [](auto& b) { return pool(b, kAveragePoolOp, true); }},
      {"batch norm", [](auto& b) { return norm(b, kBatchNormOp, {3, 2, 2, 2}, 2); }},
      {"batch norm of vectors", [](auto& b) { return norm(b, kBatchNormOp, {5, 3}, 3); }},
      {"layer norm", [](auto& b) { return norm(b, kLayerNormOp, {2, 3, 4}, 4); }},
      {"fixed norm", [](auto& b) { return norm(b, kFixedNormOp, {2, 3, 2, 2}, 3); }},
  };
}

std::vector<GradientCase> matrix_cases() {
  std::vector<GradientCase> cases;
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const int axes : {2, 3, 4}) {
        const auto name =
            fmt::format("matmul {}{} of {} axes", ta ? "t" : "n", tb ? "t" : "n", axes);
        cases.push_back({name, [=](auto& b) { return matmul(b, ta, tb, axes, false); }});
      }
    }
  }
  for (const bool tb : {false, true}) {
    cases.push_back({fmt::format("matmul by one {}", tb),
                     [tb](auto& b) { return matmul(b, false, tb, 4, true); }});
  }
  return cases;
}

TensorId reshaped(GraphBuilder& b, const Op& op, const Shape& from, const Shape& to) {
  Attributes a;
  a.shape = to;
  return unary(b, op, a, from);
}

std::vector<GradientCase> rearranging_cases() {
  Attributes slice;
  slice.axis = 1;
  slice.begin = 1;
  slice.end = 3;
  Attributes pad = slice;
  pad.shape = Shape{2, 5, 3};
  Attributes transpose;
  transpose.order = {2, 0, 1};
  return {
      {"concat",
       [](auto& b) {
         Attributes a;
         a.axis = 1;
         return b.add(kConcatOp, {b.parameter("x", {2, 1, 3}), b.parameter("y", {2, 3, 3})}, a);
       }},
      {"slice", [slice](auto& b) { return unary(b, kSliceOp, slice, {2, 4, 3}); }},
      {"pad", [pad](auto& b) { return unary(b, kSliceBackwardOp, pad, {2, 2, 3}); }},
      {"transpose", [transpose](auto& b) { return unary(b, kTransposeOp, transpose, {2, 3, 4}); }},
      {"reshape", [](auto& b) { return reshaped(b, kReshapeOp, {2, 6}, {3, 4}); }},
      {"broadcast", [](auto& b) { return reshaped(b, kBroadcastOp, {2, 1, 3}, {2, 4, 3}); }},
      {"sum", [](auto& b) { return reshaped(b, kReduceSumOp, {2, 4, 3}, {1, 4, 1}); }},
  };
}

std::vector<GradientCase> loss_cases() {
  return {
      {"cross-entropy",
       [](GraphBuilder& b) {
         const TensorId labels = b.input("labels", {3}, DataType::i64);
         const TensorId loss = b.add(kCrossEntropyOp, {b.parameter("x", {3, 4}), labels});
         b.set_loss(loss);
         return loss;
       }},
      {"logistic loss of a batch",
       [](GraphBuilder& b) {
         const TensorId targets = b.input("goals", {4, 2});
         const TensorId loss = b.add(kLogisticLossOp, {b.parameter("x", {4, 2}), targets});
         b.set_loss(loss);
         return loss;
       }},
      {"embedding",
       [](GraphBuilder& b) {
         const TensorId rows = b.input("rows", {7}, DataType::i64);
         return b.add(kEmbeddingOp, {b.parameter("table", {5, 2}), rows});
       }},
  };
}

std::vector<GradientCase> all_cases() {
  std::vector<GradientCase> all;
  for (const auto& some :
       {elementwise_cases(), image_cases(), matrix_cases(), rearranging_cases(), loss_cases()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

constexpr double kRate = 0.5;

Graph step_of(const GradientCase& of) {
  GraphBuilder b(of.name);
  const TensorId y = of.build(b);
  if (b.graph().loss == kNoTensor) {
    const auto count = static_cast<std::int64_t>(b.shape(y).elements());
    Attributes a;
    a.shape = Shape{1, count};
    b.set_loss(b.add(kLogisticLossOp, {b.add(kReshapeOp, {y}, a), b.input("targets", {1, count})}));
  }
  b.add_result(b.graph().loss);
  auto forward = b.finish();
  EXPECT_TRUE(forward) << of.name << ": " << (forward ? "" : forward.error().what);
  auto step = training_step(*forward, kRate);
  EXPECT_TRUE(step) << of.name << ": " << (step ? "" : step.error().what);
  return *step;
}

/// How far finite differences move. Values are further than twice that from each other, so that no
/// two change order, and from 0, where ReLU bends. (clip's ends lie between values too.)
constexpr double kMove = 0.004;
std::vector<float> values_without_kinks(std::size_t count, Rng rng) {
  const double n = static_cast<double>(count);
  const double step = 0.02 * std::max(1.0, std::floor(100 / n));
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    const double from_middle = static_cast<double>(i) - std::floor(n / 2) + 0.5;
    values.push_back(static_cast<float>(from_middle * step));
  }
  rng.shuffle(values);
  return values;
}

/// The loss that a forward pass gives, with the logits' rounding as its only error.
class LossOf {
 public:
  LossOf(const Graph& step, GraphRun& run) : step_(step), run_(run) {}

  double operator()() {
    for (NodeId n = 0; n < step_.forward_nodes; ++n) {
      const auto done = run_.run_node(n);
      EXPECT_TRUE(done) << (done ? "" : done.error().what);
    }
    const GraphNode& loss = step_.nodes[step_.tensors[step_.loss].producer];
    if (loss.op != &kLogisticLossOp) return double{run_.values(step_.loss)[0]};
    // Again in double precision: a sum of floats hides small differences.
    const auto x = run_.values(loss.inputs[0]);
    const auto t = run_.values(loss.inputs[1]);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += std::log1p(std::exp(double{x[i]})) - double{x[i]} * double{t[i]};
    }
    return sum / static_cast<double>(step_.tensors[loss.inputs[0]].type.shape[0]);
  }

 private:
  const Graph& step_;
  GraphRun& run_;
};

std::vector<TensorId> parameters_of(const Graph& graph) {
  std::vector<TensorId> found;
  for (TensorId id = 0; id < graph.tensors.size(); ++id) {
    if (graph.tensors[id].role == TensorRole::parameter) found.push_back(id);
  }
  return found;
}

/// What the step takes off a parameter, over the rate.
std::vector<double> gradient_by_step(const std::vector<float>& before,
                                     const std::vector<float>& after) {
  std::vector<double> gradient;
  for (std::size_t i = 0; i < before.size(); ++i) {
    gradient.push_back((double{before[i]} - double{after[i]}) / kRate);
  }
  return gradient;
}

void check_gradients(const GradientCase& of) {
  SCOPED_TRACE(of.name);
  const Graph step = step_of(of);
  const auto reference = make_reference_library();
  KernelLibrary* const libraries[] = {reference.get()};
  auto run = GraphRun::make(step, libraries);
  ASSERT_TRUE(run) << run.error().what;
  run->fill(7);
  const auto parameters = parameters_of(step);
  std::vector<std::vector<float>> before;
  for (const auto id : parameters) {
    before.push_back(values_without_kinks(step.tensors[id].type.shape.elements(), Rng(id + 1)));
    run->set(id, before.back());
  }
  const auto done = run->run();
  ASSERT_TRUE(done) << done.error().what;
  std::vector<std::vector<float>> after;
  for (const auto id : parameters) after.push_back(run->values(id));
  for (std::size_t p = 0; p < parameters.size(); ++p) run->set(parameters[p], before[p]);

  LossOf loss(step, *run);
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const auto gradient = gradient_by_step(before[p], after[p]);
    double largest = 0;
    for (const double each : gradient) largest = std::max(largest, std::abs(each));
    EXPECT_GT(largest, 1e-3) << "nothing was learned";
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      auto moved = before[p];
      moved[i] = before[p][i] + static_cast<float>(kMove);
      run->set(parameters[p], moved);
      const double up = loss();
      const double above = double{moved[i]};
      moved[i] = before[p][i] - static_cast<float>(kMove);
      run->set(parameters[p], moved);
      const double slope = (up - loss()) / (above - double{moved[i]});
      run->set(parameters[p], before[p]);
      EXPECT_NEAR(gradient[i], slope, 2e-3 * largest + 2e-5)
          << step.tensors[parameters[p]].name << " " << i;
    }
  }
}

TEST(Gradients, of_elementwise_ops) {
  for (const auto& each : elementwise_cases()) check_gradients(each);
}
TEST(Gradients, of_convolutions_pools_and_norms) {
  for (const auto& each : image_cases()) check_gradients(each);
}
TEST(Gradients, of_matrix_products) {
  for (const auto& each : matrix_cases()) check_gradients(each);
}
TEST(Gradients, of_ops_that_move_elements) {
  for (const auto& each : rearranging_cases()) check_gradients(each);
}
TEST(Gradients, of_losses_and_tables) {
  for (const auto& each : loss_cases()) check_gradients(each);
}

TEST(Gradients, every_op_has_a_case_above) {
  std::set<std::string_view> seen;
  for (const auto& each : all_cases()) {
    const Graph step = step_of(each);
    for (const auto& node : step.nodes) seen.insert(node.op->name);
  }
  for (const Op* op : builtin_ops()) EXPECT_EQ(seen.count(op->name), 1U) << op->name;
}

}  // namespace
}  // namespace mete
