// Shapes of ops against plain counting, and inputs that do not fit. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/graph/ops.h"

#include <set>

#include <gtest/gtest.h>

#include "mete/graph/graph.h"

namespace mete {
namespace {

using Many = std::vector<TensorType>;

TensorType f32(Shape shape) { return TensorType{std::move(shape)}; }

/// Where a window may begin so that it ends within the padded image, counted one by one.
std::int64_t positions(std::int64_t size, std::int64_t kernel, const Attributes& a) {
  std::int64_t count = 0;
  for (std::int64_t at = 0; at + a.dilation[0] * (kernel - 1) < size + 2 * a.pad[0];
       at += a.stride[0]) {
    ++count;
  }
  return count;
}

TEST(Ops, each_has_a_name_of_its_own_and_what_it_needs) {
  std::set<std::string_view> names;
  for (const Op* op : builtin_ops()) {
    EXPECT_TRUE(names.insert(op->name).second) << op->name;
    EXPECT_NE(op->infer, nullptr) << op->name;
    EXPECT_NE(op->work, nullptr) << op->name;
    EXPECT_EQ(find_op(op->name), op);
  }
  EXPECT_EQ(find_op("none"), nullptr);
}

TEST(Ops, convolution_and_pooling_have_as_many_results_as_the_window_has_positions) {
  Attributes a;
  for (const std::int64_t size : {5, 8, 13}) {
    for (const std::int64_t kernel : {1, 2, 3}) {
      for (const std::int64_t stride : {1, 2, 3}) {
        for (const std::int64_t dilation : {1, 2}) {
          for (const std::int64_t pad : {0, 1}) {
            a.stride = {stride, stride};
            a.dilation = {dilation, dilation};
            a.pad = {pad, pad, pad, pad};
            a.groups = 2;
            const std::int64_t n = positions(size, kernel, a);
            const Many in = {f32({2, 4, size, size}), f32({6, 2, kernel, kernel})};
            const auto out = kConvOp.infer(in, a);
            ASSERT_TRUE(out) << out.error().what;
            EXPECT_EQ((*out)[0].shape, (Shape{2, 6, n, n}));
            EXPECT_EQ(kConvOp.work(in, *out, a).macs,
                      static_cast<std::uint64_t>(2 * 6 * n * n * 2 * kernel * kernel));
            if (pad >= kernel) continue;
            a.kernel = {kernel, kernel};
            const auto pooled = kMaxPoolOp.infer(Many{in[0]}, a);
            ASSERT_TRUE(pooled) << pooled.error().what;
            EXPECT_EQ((*pooled)[0].shape, (Shape{2, 4, n, n}));
          }
        }
      }
    }
  }
}

TEST(Ops, refuse_what_does_not_fit) {
  Attributes a;
  EXPECT_FALSE(kConvOp.infer(Many{f32({1, 3, 8, 8}), f32({4, 2, 3, 3})}, a));
  EXPECT_FALSE(kConvOp.infer(Many{f32({1, 3, 2, 2}), f32({4, 3, 3, 3})}, a));
  EXPECT_FALSE(kConvOp.infer(Many{f32({3, 8, 8}), f32({4, 3, 3, 3})}, a));
  Attributes still;
  still.stride = {0, 1};
  EXPECT_FALSE(kConvOp.infer(Many{f32({1, 3, 8, 8}), f32({4, 3, 3, 3})}, still));
  Attributes none;
  none.groups = 0;
  EXPECT_FALSE(kConvOp.infer(Many{f32({1, 3, 8, 8}), f32({4, 3, 3, 3})}, none));
  EXPECT_FALSE(kMatMulOp.infer(Many{f32({2, 3}), f32({4, 5})}, a));
  EXPECT_FALSE(kMatMulOp.infer(Many{f32({3}), f32({3})}, a));
  EXPECT_FALSE(kMatMulOp.infer(Many{f32({2, 2, 3}), f32({3, 3, 4})}, a));
  EXPECT_FALSE(kAddOp.infer(Many{f32({2, 3}), f32({3, 2})}, a));
  EXPECT_FALSE(kConcatOp.infer(Many{f32({2, 3}), f32({3, 3})}, a));
  EXPECT_FALSE(kConcatOp.infer(Many{f32({2, 3}), f32({2})}, a));
  EXPECT_FALSE(kSliceOp.infer(Many{f32({2, 3})}, a));
  EXPECT_FALSE(kSoftmaxOp.infer(Many{f32({})}, a));
  EXPECT_FALSE(kBiasOp.infer(Many{f32({2, 3}), f32({2})}, a));
  EXPECT_FALSE(kReshapeOp.infer(Many{f32({2, 3})}, a));
  EXPECT_FALSE(kCrossEntropyOp.infer(Many{f32({2, 3}), f32({2})}, a));
  a.order = {0, 0};
  EXPECT_FALSE(kTransposeOp.infer(Many{f32({2, 3})}, a));
}

TEST(Ops, products_of_transposed_matrices) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      Attributes a;
      a.transpose_a = ta;
      a.transpose_b = tb;
      const Many in = {f32(ta ? Shape{7, 3, 2} : Shape{7, 2, 3}),
                       f32(tb ? Shape{7, 5, 3} : Shape{7, 3, 5})};
      const auto out = kMatMulOp.infer(in, a);
      ASSERT_TRUE(out) << out.error().what;
      EXPECT_EQ((*out)[0].shape, (Shape{7, 2, 5}));
      EXPECT_EQ(kMatMulOp.work(in, *out, a).macs, 7U * 2 * 3 * 5);
    }
  }
}

TEST(Ops, what_is_repeated_sums_back_and_what_is_cut_pads_back) {
  Attributes a;
  a.shape = {4, 2, 3};
  const auto wide = kBroadcastOp.infer(Many{f32({4, 1, 3})}, a);
  ASSERT_TRUE(wide) << wide.error().what;
  EXPECT_EQ((*wide)[0].shape, a.shape);
  EXPECT_FALSE(kBroadcastOp.infer(Many{f32({4, 2})}, a));
  EXPECT_FALSE(kBroadcastOp.infer(Many{f32({2, 2, 3})}, a));
  a.shape = {4, 1, 3};
  EXPECT_EQ((*kReduceSumOp.infer(*wide, a))[0].shape, a.shape);
  EXPECT_FALSE(kReduceSumOp.infer(Many{f32({4, 2, 1})}, a));
  a.axis = 1;
  a.begin = 1;
  a.end = 3;
  a.shape = {4, 5, 3};
  EXPECT_EQ((*kSliceBackwardOp.infer(Many{f32({4, 2, 3})}, a))[0].shape, a.shape);
  EXPECT_FALSE(kSliceBackwardOp.infer(Many{f32({4, 3, 3})}, a));
  EXPECT_FALSE(kScaleOp.infer(Many{f32({4, 5}), f32({4})}, a));
  a.low = 2;
  a.high = 1;
  EXPECT_FALSE(kClipOp.infer(Many{f32({4})}, a));
  EXPECT_FALSE(kFixedNormOp.infer(Many{f32({4, 2}), f32({2}), f32({2}), f32({2}), f32({3})}, a));
}

TEST(Ops, a_builder_keeps_its_first_error) {
  GraphBuilder builder("bad");
  const TensorId x = builder.input("x", {2, 3});
  const TensorId bad = builder.add(kAddOp, {x});
  EXPECT_EQ(bad, kNoTensor);
  builder.add(kReluOp, {bad});
  const auto graph = builder.finish();
  ASSERT_FALSE(graph);
  EXPECT_NE(graph.error().what.find("2 expected"), std::string::npos) << graph.error().what;
}

}  // namespace
}  // namespace mete
