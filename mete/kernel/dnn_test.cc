// oneDNN's kernels and our loops against the naive ones: every op, in each layout that is taken,
// over shapes that fit no block of channels too. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/training.h"
#include "mete/graph/zoo.h"
#include "mete/kernel/dnn_test_support.h"

namespace mete {
namespace {

using namespace dnn_testing;

struct ConvCase {
  Shape image;
  Shape filter;
  std::array<std::int64_t, 2> stride = {1, 1};
  std::array<std::int64_t, 2> dilation = {1, 1};
  std::array<std::int64_t, 4> pad = {0, 0, 0, 0};
  std::int64_t groups = 1;
};
const std::vector<ConvCase> kConvCases = {
    {{2, 16, 8, 8}, {32, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 3, 17, 19}, {16, 3, 7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}},
    {{2, 32, 7, 7}, {16, 32, 1, 1}},
    {{2, 32, 9, 9}, {48, 32, 1, 1}, {2, 2}},
    {{2, 5, 6, 7}, {7, 5, 3, 2}, {1, 2}, {1, 1}, {0, 1, 2, 0}},
    {{1, 16, 13, 13}, {16, 16, 3, 3}, {1, 1}, {2, 2}, {2, 2, 2, 2}},
    {{2, 12, 6, 6}, {8, 6, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2},
    {{2, 32, 6, 6}, {64, 16, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 2},
    {{2, 16, 9, 9}, {16, 1, 3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 16},
    {{1, 1, 5, 5}, {1, 1, 5, 5}},
    {{3, 20, 10, 4}, {36, 20, 3, 3}, {2, 1}, {1, 1}, {0, 1, 1, 2}},
    {{1, 64, 14, 14}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
};

Attributes attributes_of(const ConvCase& c) {
  Attributes a;
  a.stride = c.stride;
  a.dilation = c.dilation;
  a.pad = c.pad;
  a.groups = c.groups;
  return a;
}

TensorType result_of(const ConvCase& c) {
  const std::vector<TensorType> in = {TensorType{c.image}, TensorType{c.filter}};
  return kConvOp.infer(in, attributes_of(c)).value()[0];
}

TEST(Dnn, Conv) {
  std::vector<DnnCase> cases;
  for (const auto& c : kConvCases) {
    const Shape each{c.filter[1], c.filter[2], c.filter[3]};
    cases.push_back({&kConvOp,
                     {TensorType{c.image}, TensorType{c.filter}},
                     attributes_of(c),
                     static_cast<double>(each.elements())});
  }
  check_all(cases, 2);
}

TEST(Dnn, ConvBackwardData) {
  std::vector<DnnCase> cases;
  for (const auto& c : kConvCases) {
    auto a = attributes_of(c);
    a.shape = c.image;
    const Shape each{c.filter[0], c.filter[2], c.filter[3]};
    cases.push_back({&kConvBackwardDataOp,
                     {result_of(c), TensorType{c.filter}},
                     a,
                     static_cast<double>(each.elements())});
  }
  check_all(cases, 2);
}

TEST(Dnn, ConvBackwardFilter) {
  std::vector<DnnCase> cases;
  for (const auto& c : kConvCases) {
    auto a = attributes_of(c);
    a.shape = c.filter;
    const auto dy = result_of(c);
    const Shape each{dy.shape[0], dy.shape[2], dy.shape[3]};
    cases.push_back({&kConvBackwardFilterOp,
                     {TensorType{c.image}, dy},
                     a,
                     static_cast<double>(each.elements())});
  }
  check_all(cases, 2);
}

TEST(Dnn, MatMul) {
  std::vector<DnnCase> cases;
  for (const double scale : {1.0, 0.125, 0.3}) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        Attributes a;
        a.transpose_a = ta;
        a.transpose_b = tb;
        a.scale = scale;
        const auto left = ta ? f32({33, 17}) : f32({17, 33});
        const auto right = tb ? f32({40, 33}) : f32({33, 40});
        cases.push_back({&kMatMulOp, {left, right}, a, 34});
        const auto lefts = ta ? f32({2, 3, 8, 5}) : f32({2, 3, 5, 8});
        const auto rights = tb ? f32({2, 3, 7, 8}) : f32({2, 3, 8, 7});
        cases.push_back({&kMatMulOp, {lefts, rights}, a, 9});
        if (!ta) cases.push_back({&kMatMulOp, {f32({4, 3, 33}), right}, a, 34});
      }
    }
  }
  cases.push_back({&kMatMulOp, {f32({1, 1}), f32({1, 1})}, {}, 1});
  cases.push_back({&kMatMulOp, {f32({1, 100}), f32({100, 1})}, {}, 100});
  cases.push_back({&kMatMulOp, {f32({100, 1}), f32({1, 100})}, {}, 1});
  cases.push_back({&kMatMulOp, {f32({16, 300}), f32({300, 129})}, {}, 300});
  check_all(cases);
}

TEST(Dnn, BatchNorm) {
  std::vector<DnnCase> cases;
  for (const auto& x :
       {f32({2, 16, 5, 5}), f32({3, 7, 4, 3}), f32({8, 12}), f32({1, 32, 1, 7}), f32({4, 6, 5})}) {
    const auto channels = TensorType{Shape{x.shape[1]}};
    const double n = static_cast<double>(x.shape.elements()) / static_cast<double>(x.shape[1]);
    cases.push_back({&kBatchNormOp, {x, channels, channels}, {}, 8 * n});
    cases.push_back({&kBatchNormBackwardOp, {x, x, channels, channels, channels}, {}, 32 * n});
  }
  check_all(cases);
}

TEST(Dnn, LayerNorm) {
  std::vector<DnnCase> cases;
  for (const auto& x : {f32({5, 33}), f32({2, 3, 64}), f32({7})}) {
    const auto width = TensorType{Shape{x.shape.from_end(0)}};
    auto rows = x;
    rows.shape[rows.shape.rank() - 1] = 1;
    cases.push_back({&kLayerNormOp, {x, width, width}, {}, 16});
    cases.push_back({&kLayerNormBackwardOp, {x, x, width, rows, rows}, {}, 64});
  }
  check_all(cases);
}

TEST(Dnn, Pools) {
  std::vector<DnnCase> cases;
  const auto pool = [&](const TensorType& x, std::array<std::int64_t, 2> kernel,
                        std::array<std::int64_t, 2> stride, std::array<std::int64_t, 4> pad,
                        std::array<std::int64_t, 2> dilation, bool count) {
    Attributes a;
    a.kernel = kernel;
    a.stride = stride;
    a.pad = pad;
    a.dilation = dilation;
    a.count_padding = count;
    const auto y = kMaxPoolOp.infer(std::vector<TensorType>{x}, a).value()[0];
    cases.push_back({&kMaxPoolOp, {x}, a, 0});
    cases.push_back({&kAveragePoolOp, {x}, a, 9});
    a.shape = x.shape;
    cases.push_back({&kMaxPoolBackwardOp, {x, y}, a, 9});
    cases.push_back({&kAveragePoolBackwardOp, {y}, a, 18});
  };
  pool(f32({2, 16, 8, 8}), {2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, false);
  pool(f32({1, 3, 9, 7}), {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, false);
  pool(f32({1, 32, 9, 7}), {3, 2}, {1, 2}, {1, 0, 2, 1}, {1, 1}, true);
  pool(f32({3, 48, 7, 7}), {7, 7}, {1, 1}, {0, 0, 0, 0}, {1, 1}, false);
  pool(f32({1, 16, 11, 11}), {3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, false);
  pool(f32({2, 300, 5, 5}), {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, true);
  pool(f32({2, 5, 1, 1}), {2, 2}, {1, 1}, {1, 1, 1, 1}, {1, 1}, false);
  // A dilated window that meets nothing but padding.
  pool(f32({1, 16, 1, 1}), {2, 2}, {1, 1}, {1, 1, 1, 1}, {2, 2}, false);
  check_all(cases);
}

TEST(Dnn, ElementByElement) {
  std::vector<DnnCase> cases;
  Attributes rate;
  rate.scale = 0.05;
  for (const auto& x :
       {f32({2, 16, 5, 5}), f32({3, 7, 4, 3}), f32({1}), f32({9001}), f32({5, 33})}) {
    for (const Op* op : {&kAddOp, &kMultiplyOp, &kReluBackwardOp}) {
      cases.push_back({op, {x, x}, {}, 1});
    }
    cases.push_back({&kReluOp, {x}, {}, 0});
    cases.push_back({&kSgdOp, {x, x}, rate, 1});
    // Polynomials of the error function: oneDNN's differ by some units in the last place of 1.
    cases.push_back({&kGeluOp, {x}, {}, 8});
    cases.push_back({&kGeluBackwardOp, {x, x}, {}, 16});
  }
  check_all(cases);
}

TEST(Dnn, Bias) {
  std::vector<DnnCase> cases;
  for (const auto& x : {f32({2, 16, 5, 5}), f32({3, 7, 4, 3}), f32({33, 40}), f32({4, 5, 6})}) {
    for (std::size_t axis = 0; axis < x.shape.rank(); ++axis) {
      Attributes a;
      a.axis = axis;
      cases.push_back({&kBiasOp, {x, TensorType{Shape{x.shape[axis]}}}, a, 1});
      cases.push_back({&kBiasBackwardOp, {x}, a, 1});
    }
  }
  check_all(cases);
}

TEST(Dnn, SoftmaxAndLosses) {
  std::vector<DnnCase> cases;
  for (const auto& x : {f32({5, 33}), f32({2, 3, 64}), f32({1, 1000}), f32({3, 1})}) {
    cases.push_back({&kSoftmaxOp, {x}, {}, 8});
    cases.push_back(
        {&kSoftmaxBackwardOp, {x, x}, {}, 2.0 * static_cast<double>(x.shape.from_end(0))});
    cases.push_back({&kLogisticLossOp, {x, x}, {}, 8});
    cases.push_back({&kLogisticLossBackwardOp, {x, x}, {}, 3});
    if (x.shape.rank() != 2) continue;
    const auto labels = i64({x.shape[0]});
    cases.push_back({&kCrossEntropyOp, {x, labels}, {}, 8});
    cases.push_back({&kCrossEntropyBackwardOp, {x, labels}, {}, 3});
  }
  check_all(cases);
}

TEST(Dnn, Embedding) {
  Attributes rate;
  rate.scale = 0.05;
  std::vector<DnnCase> cases = {
      {&kEmbeddingOp, {f32({7, 5}), i64({3, 4})}, {}, 0},
      {&kEmbeddingOp, {f32({1000, 64}), i64({500})}, {}, 0},
      // Rows that are met more than once.
      {&kEmbeddingSgdOp, {f32({3, 16}), f32({20, 16}), i64({20})}, rate, 20},
      {&kEmbeddingSgdOp, {f32({100, 5}), f32({4, 6, 5}), i64({4, 6})}, rate, 24},
  };
  check_all(cases);
}

TEST(Dnn, Rearranging) {
  std::vector<DnnCase> cases;
  for (std::size_t axis = 0; axis < 4; ++axis) {
    Attributes a;
    a.axis = axis;
    auto other = f32({2, 32, 5, 6});
    other.shape[axis] = axis == 1 ? 16 : 3;
    cases.push_back({&kConcatOp, {f32({2, 32, 5, 6}), other, f32({2, 32, 5, 6})}, a, 0});
    auto odd = f32({2, 3, 5, 6});
    odd.shape[axis] = 4;
    cases.push_back({&kConcatOp, {f32({2, 3, 5, 6}), odd}, a, 0});
    for (const auto& x : {f32({3, 64, 5, 6}), f32({3, 7, 5, 6})}) {
      a.begin = axis == 1 && x.shape[1] == 64 ? 16 : 1;
      a.end = axis == 1 && x.shape[1] == 64 ? 48 : 3;
      cases.push_back({&kSliceOp, {x}, a, 0});
      auto part = x;
      part.shape[axis] = a.end - a.begin;
      Attributes back = a;
      back.shape = x.shape;
      cases.push_back({&kSliceBackwardOp, {part}, back, 0});
    }
  }
  for (const auto& order : {std::vector<std::size_t>{3, 1, 0, 2}, {0, 2, 1, 3}, {0, 1, 3, 2}}) {
    Attributes a;
    a.order = order;
    cases.push_back({&kTransposeOp, {f32({2, 3, 5, 7})}, a, 0});
  }
  Attributes a;
  a.order = {1, 0};
  cases.push_back({&kTransposeOp, {f32({33, 70})}, a, 0});
  Attributes shape;
  shape.shape = Shape{2, 480};
  cases.push_back({&kReshapeOp, {f32({2, 32, 5, 3})}, shape, 0});
  shape.shape = Shape{2, 32, 5, 3};
  cases.push_back({&kReshapeOp, {f32({2, 480})}, shape, 0});
  cases.push_back({&kReshapeOp, {f32({2, 32, 5, 3})}, shape, 0});
  check_all(cases);
}

TEST(Dnn, RefusesInWords) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  const auto refused = [&](const KernelJob& job, const std::string& word) {
    const auto kernel = library->make(job);
    ASSERT_FALSE(kernel) << describe(job);
    EXPECT_EQ(kernel.error().code, Errc::unsupported);
    EXPECT_NE(kernel.error().what.find(word), std::string::npos) << kernel.error().what;
  };
  DnnCase add{&kAddOp, {f32({2, 16, 4, 4}), f32({2, 16, 4, 4})}, {}, 1};
  KernelJob job = job_of_case(add);
  job.inputs[1].layout = Layout::channels_last;
  refused(job, "one layout only");
  job = job_of_case(add);
  job.inputs[0].type.type = DataType::i64;
  refused(job, "elements of");
  job = job_of_case(add);
  job.outputs[0].type.shape = Shape{2, 16, 4, 5};
  refused(job, "do not fit");
  job = job_of_case(add);
  job.threads = 0;
  refused(job, "threads");
  job = job_of_case({&kAddOp, {f32({2, 5, 4, 4}), f32({2, 5, 4, 4})}, {}, 1});
  job.inputs[0].layout = Layout::blocked;
  refused(job, "cannot have that layout");
  // A gradient whose shapes are not those of its forward op.
  Attributes a;
  a.shape = Shape{2, 16, 9, 9};
  refused(job_of_case({&kConvBackwardDataOp, {f32({2, 8, 9, 9}), f32({8, 16, 3, 3})}, a, 1}),
          "do not fit");
  refused(job_of_case({&kMaxPoolBackwardOp, {f32({2, 8, 9, 9}), f32({2, 8, 5, 5})}, a, 1}),
          "do not fit");
}

TEST(Dnn, WrongRowsAndLabelsAreToldNotRead) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  for (const DnnCase& c : {DnnCase{&kEmbeddingOp, {f32({7, 5}), i64({3})}, {}, 0},
                           DnnCase{&kEmbeddingSgdOp, {f32({7, 5}), f32({3, 5}), i64({3})}, {}, 0},
                           DnnCase{&kCrossEntropyOp, {f32({3, 5}), i64({3})}, {}, 0},
                           DnnCase{&kCrossEntropyBackwardOp, {f32({3, 5}), i64({3})}, {}, 0}}) {
    const auto kernel = library->make(job_of_case(c));
    ASSERT_TRUE(kernel) << kernel.error().what;
    for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{7}, std::int64_t{1} << 60U}) {
      const DnnBuffers inputs = fill(c, Rng(1));
      reinterpret_cast<std::int64_t*>(inputs.back().data())[1] = wrong;
      DnnBuffers made = results_of(job_of_case(c), 0);
      const auto ran = (*kernel)->run(inputs_of(inputs), outputs_of(made));
      ASSERT_FALSE(ran) << c.op->name;
      EXPECT_EQ(ran.error().code, Errc::invalid);
    }
  }
}

// In the layouts that a step has: what is refused would fall to the reference, and take hours.
TEST(Dnn, EveryNodeOfATrainingStepIsTaken) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  for (const auto* name : {"resnet50", "inception-v4", "transformer", "dlrm"}) {
    const auto model = find_zoo_model(name);
    ASSERT_TRUE(model) << model.error().what;
    const auto forward = build_zoo_model(**model, 1);
    ASSERT_TRUE(forward) << forward.error().what;
    const auto graph = training_step(*forward, 0.1);
    ASSERT_TRUE(graph) << graph.error().what;
    const auto layouts = blocked_layouts(*graph, assign_layouts(*graph));
    std::vector<std::string> seen;
    for (NodeId n = 0; n < graph->nodes.size(); ++n) {
      if (is_free_view(*graph, n, layouts)) continue;
      const auto job = job_of(*graph, n, layouts, 1);
      const auto what = describe(job);
      if (std::find(seen.begin(), seen.end(), what) != seen.end()) continue;
      seen.push_back(what);
      const auto kernel = library->make(job);
      EXPECT_TRUE(kernel) << name << ": " << what << ": " << kernel.error().what;
    }
  }
}

// The first result may lie on an input where the op says so.
TEST(Dnn, ResultsMayTakeAnInputsMemory) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  const auto x = f32({2, 16, 5, 5});
  const auto c = f32({16});
  const auto rows = f32({5, 33});
  const auto width = f32({33});
  const auto one = f32({5, 1});
  Attributes rate;
  rate.scale = 0.05;
  for (const DnnCase& each :
       {DnnCase{&kAddOp, {x, x}, {}}, DnnCase{&kMultiplyOp, {x, x}, {}}, DnnCase{&kReluOp, {x}, {}},
        DnnCase{&kReluBackwardOp, {x, x}, {}}, DnnCase{&kGeluOp, {x}, {}},
        DnnCase{&kGeluBackwardOp, {x, x}, {}}, DnnCase{&kBiasOp, {x, c}, {}},
        DnnCase{&kBatchNormBackwardOp, {x, x, c, c, c}, {}},
        DnnCase{&kLayerNormBackwardOp, {rows, rows, width, one, one}, {}},
        DnnCase{&kSoftmaxOp, {rows}, {}}, DnnCase{&kSoftmaxBackwardOp, {rows, rows}, {}},
        DnnCase{&kCrossEntropyBackwardOp, {rows, i64({5})}, {}},
        DnnCase{&kLogisticLossBackwardOp, {rows, rows}, {}}, DnnCase{&kSgdOp, {x, x}, rate}}) {
    ASSERT_NE(each.op->reuse, Reuse::none) << each.op->name;
    for (const Layout layout : {Layout::plain, Layout::channels_last, Layout::blocked}) {
      KernelJob job = job_of_case(each);
      lay_out(job, layout, Layout::plain);
      const auto kernel = library->make(job);
      ASSERT_TRUE(kernel) << kernel.error().what;
      const DnnBuffers inputs = fill(each, Rng(9));
      DnnBuffers apart = results_of(job, 0);
      ASSERT_TRUE((*kernel)->run(inputs_of(inputs), outputs_of(apart)));
      DnnBuffers together = results_of(job, 0);
      auto outputs = outputs_of(together);
      outputs[0] = inputs[each.op->reused].data();
      ASSERT_TRUE((*kernel)->run(inputs_of(inputs), outputs));
      for (std::size_t o = 0; o < apart.size(); ++o) {
        EXPECT_EQ(std::memcmp(apart[o].data(), outputs[o], apart[o].bytes()), 0) << describe(job);
      }
    }
  }
}

TEST(BlockedLayout, FiltersChangeWithTheirUpdatesAndImagesWithTheirChannels) {
  GraphBuilder b("test");
  const auto x = b.input("x", {2, 3, 8, 8});
  const auto first = b.parameter("first", {16, 3, 3, 3});
  const auto second = b.parameter("second", {32, 16, 3, 3});
  const auto other = b.parameter("other", {32, 16, 3, 3});
  const auto y = b.add(kConvOp, {x, first});
  const auto z = b.add(kConvOp, {y, second});
  const auto shifted = b.add(kReluOp, {other});  // a filter that something else reads too
  const auto w = b.add(kConvOp, {y, other});
  b.add_result(b.add(kAddOp, {z, w}));
  const auto graph = b.finish();
  ASSERT_TRUE(graph) << graph.error().what;
  const auto layouts = blocked_layouts(*graph, assign_layouts(*graph));
  EXPECT_EQ(layouts[first], Layout::plain);
  EXPECT_EQ(layouts[second], Layout::filter_blocked);
  EXPECT_EQ(layouts[other], Layout::plain);
  EXPECT_EQ(layouts[shifted], Layout::plain);
  EXPECT_EQ(layouts[x], Layout::plain);
  EXPECT_EQ(layouts[y], Layout::blocked);
  EXPECT_EQ(layouts[z], Layout::blocked);
}

}  // namespace
}  // namespace mete
