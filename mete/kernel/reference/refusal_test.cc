// Numbers and jobs that the reference must refuse: what else would be read or written past the end.
// SPDX-License-Identifier: BSD-3-Clause
#include <string>

#include <gtest/gtest.h>

#include "mete/kernel/reference/reference_test_support.h"

namespace mete {
namespace {

TEST(Reference, row_and_class_numbers_that_do_not_exist_are_named) {
  const TestOperand table = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  const TestOperand dy = floats({1, 2}, {0, 0});
  const TestOperand logits = floats({1, 3}, {0, 0, 0});
  for (const std::int64_t bad : {std::int64_t{-1}, std::int64_t{3}, INT64_MAX, INT64_MIN}) {
    const TestOperand number = numbers({1}, {bad});
    for (const auto& done :
         {try_op(kEmbeddingOp, {table, number}), try_op(kEmbeddingSgdOp, {table, dy, number}),
          try_op(kCrossEntropyOp, {logits, number}),
          try_op(kCrossEntropyBackwardOp, {logits, number})}) {
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code, Errc::invalid);
      EXPECT_NE(done.error().what.find(std::to_string(bad)), std::string::npos)
          << done.error().what;
    }
  }
}

/// The message that a job is refused with; "" if it is not.
std::string refusal(const Op& op, const std::vector<TensorType>& in,
                    const std::vector<TensorType>& out, const Attributes& a = {}) {
  KernelJob job{&op, a, {}, {}, 1};
  for (const auto& each : in) job.inputs.push_back({each});
  for (const auto& each : out) job.outputs.push_back({each});
  const auto made = make_reference_library()->make(job);
  return made ? "" : made.error().what;
}

TEST(Reference, jobs_whose_operands_do_not_fit_are_refused) {
  const TensorType image{Shape{1, 2, 4, 4}};
  const TensorType filter{Shape{3, 2, 3, 3}};
  const TensorType small{Shape{1, 3, 2, 2}};
  const TensorType whole{Shape{1, 2, 4, 4}, DataType::i64};
  Attributes a;
  EXPECT_EQ(refusal(kConvOp, {image, filter}, {small}), "");
  EXPECT_NE(refusal(kConvOp, {image, filter}, {image}), "");
  EXPECT_NE(refusal(kConvOp, {image}, {small}), "");
  EXPECT_NE(refusal(kConvOp, {whole, filter}, {small}), "");
  a.shape = image.shape;
  EXPECT_EQ(refusal(kConvBackwardDataOp, {small, filter}, {image}, a), "");
  EXPECT_NE(refusal(kConvBackwardDataOp, {image, filter}, {image}, a), "");
  a.shape = Shape{1, 2, 400, 400};
  EXPECT_NE(refusal(kConvBackwardDataOp, {small, filter}, {TensorType{a.shape}}, a), "");
  a.kernel = {2, 2};
  EXPECT_NE(refusal(kMaxPoolBackwardOp, {image, image}, {TensorType{a.shape}}, a), "");
  EXPECT_NE(refusal(kAveragePoolBackwardOp, {image}, {TensorType{a.shape}}, a), "");
  a.shape = Shape{3, 2, 9, 9};
  EXPECT_NE(refusal(kConvBackwardFilterOp, {image, small}, {TensorType{a.shape}}, a), "");
  const TensorType two{Shape{2}};
  const TensorType three{Shape{3}};
  EXPECT_EQ(refusal(kBatchNormBackwardOp, {image, image, two, two, two}, {image, two, two}), "");
  EXPECT_NE(refusal(kBatchNormBackwardOp, {image, image, three, two, two}, {image, three, three}),
            "");
  EXPECT_NE(refusal(kBatchNormBackwardOp, {image, image, two, two, three}, {image, two, two}), "");
  EXPECT_NE(refusal(kAddOp, {whole, whole}, {whole}), "");
  const TensorType negative{Shape{-2, 3}};
  EXPECT_NE(refusal(kBiasOp, {negative, three}, {negative}), "");
  const TensorType huge{Shape{INT64_MAX, INT64_MAX}};
  EXPECT_NE(refusal(kReluOp, {huge}, {huge}), "");
  EXPECT_EQ(refusal(kReshapeOp, {whole}, {TensorType{Shape{32}, DataType::i64}},
                    [] {
                      Attributes to;
                      to.shape = Shape{32};
                      return to;
                    }()),
            "");
}

}  // namespace
}  // namespace mete
