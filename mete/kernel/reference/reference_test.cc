// Forward kernels against sums done by hand or written another way. SPDX-License-Identifier:
// BSD-3-Clause
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "mete/graph/training.h"
#include "mete/graph/zoo.h"
#include "mete/kernel/reference/reference_test_support.h"

namespace mete {
namespace {

void expect_near(const std::vector<float>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(double{found[i]}, expected[i], 1e-5 * std::max(1.0, std::abs(expected[i]))) << i;
  }
}

/// Images with a border of zeros, so that no window ever leaves them.
struct Padded {
  std::int64_t height;
  std::int64_t width;
  std::vector<double> values;
};
Padded padded(const TestOperand& x, const Attributes& a) {
  const Shape& s = x.type.shape;
  Padded result{s[2] + a.pad[0] + a.pad[2], s[3] + a.pad[1] + a.pad[3], {}};
  result.values.assign(static_cast<std::size_t>(s[0] * s[1] * result.height * result.width), 0);
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const std::int64_t column = index % s[3];
    const std::int64_t row = index / s[3] % s[2];
    const std::int64_t plane = index / s[3] / s[2];
    const std::int64_t to =
        (plane * result.height + row + a.pad[0]) * result.width + column + a.pad[1];
    result.values[static_cast<std::size_t>(to)] = double{x.values[i]};
  }
  return result;
}

/// For each result the inner product of two lists: what the window meets, and the filter.
std::vector<double> conv_by_windows(const TestOperand& x, const TestOperand& filter,
                                    const Attributes& a, const Shape& result) {
  const Padded image = padded(x, a);
  const Shape& w = filter.type.shape;
  const std::int64_t each_group = x.type.shape[1] / a.groups;
  std::vector<double> y;
  for (std::size_t i = 0; i < result.elements(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const std::int64_t left = index % result[3] * a.stride[1];
    const std::int64_t top = index / result[3] % result[2] * a.stride[0];
    const std::int64_t o = index / result[3] / result[2] % result[1];
    const std::int64_t n = index / result[3] / result[2] / result[1];
    std::vector<double> window;
    for (std::int64_t c = 0; c < w[1]; ++c) {
      const std::int64_t channel = o * a.groups / w[0] * each_group + c;
      for (std::int64_t k = 0; k < w[2] * w[3]; ++k) {
        const std::int64_t row = top + k / w[3] * a.dilation[0];
        const std::int64_t column = left + k % w[3] * a.dilation[1];
        const std::int64_t plane = n * x.type.shape[1] + channel;
        window.push_back(image.values[static_cast<std::size_t>(
            (plane * image.height + row) * image.width + column)]);
      }
    }
    const auto first = filter.values.begin() +
                       static_cast<std::ptrdiff_t>(o) * static_cast<std::ptrdiff_t>(window.size());
    y.push_back(std::inner_product(window.begin(), window.end(), first, 0.0));
  }
  return y;
}

TEST(Reference, convolution_is_an_inner_product_of_windows) {
  Rng rng(3);
  for (int trial = 0; trial < 40; ++trial) {
    const auto pick = [&rng](std::int64_t from, std::size_t count) {
      return from + static_cast<std::int64_t>(rng.below(count));
    };
    Attributes a;
    a.stride = {pick(1, 3), pick(1, 3)};
    a.dilation = {pick(1, 2), pick(1, 2)};
    a.pad = {pick(0, 3), pick(0, 3), pick(0, 3), pick(0, 3)};
    a.groups = pick(1, 3);
    const Shape image{pick(1, 2), a.groups * pick(1, 2), pick(5, 4), pick(5, 4)};
    const Shape filter{a.groups * pick(1, 3), image[1] / a.groups, pick(1, 3), pick(1, 3)};
    const TestOperand x = random(image, rng.next());
    const TestOperand w = random(filter, rng.next());
    const auto types = kConvOp.infer(std::vector<TensorType>{x.type, w.type}, a);
    ASSERT_TRUE(types) << types.error().what;
    expect_near(run_op(kConvOp, {x, w}, a)[0], conv_by_windows(x, w, a, (*types)[0].shape));
  }
}

TEST(Reference, pooling_by_hand) {
  // 1 2 3
  // 4 5 6   a window of 2 x 2 that moves by 2, one row and column of padding before
  // 7 8 9
  const TestOperand x = floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Attributes a;
  a.kernel = {2, 2};
  a.stride = {2, 2};
  a.pad = {1, 1, 0, 0};
  expect_near(run_op(kMaxPoolOp, {x}, a)[0], {1, 3, 7, 9});
  expect_near(run_op(kAveragePoolOp, {x}, a)[0], {1, 2.5, 5.5, 7});
  a.shape = x.type.shape;
  const TestOperand dy = floats({1, 1, 2, 2}, {8, 16, 32, 64});
  expect_near(run_op(kMaxPoolBackwardOp, {x, dy}, a)[0], {8, 0, 16, 0, 0, 0, 32, 0, 64});
  expect_near(run_op(kAveragePoolBackwardOp, {dy}, a)[0], {8, 8, 8, 16, 16, 16, 16, 16, 16});
  a.count_padding = true;
  expect_near(run_op(kAveragePoolOp, {x}, a)[0], {0.25, 1.25, 2.75, 7});
  expect_near(run_op(kAveragePoolBackwardOp, {dy}, a)[0], {2, 4, 4, 8, 16, 16, 8, 16, 16});
}

TEST(Reference, of_equal_elements_the_first_takes_the_gradient_of_a_max_pool) {
  Attributes a;
  a.kernel = {1, 3};
  a.shape = Shape{1, 1, 1, 4};
  const TestOperand x = floats(a.shape, {2, 5, 5, 5});
  expect_near(run_op(kMaxPoolBackwardOp, {x, floats({1, 1, 1, 2}, {1, 10})}, a)[0], {0, 11, 0, 0});
}

TEST(Reference, a_window_that_meets_only_padding) {
  Attributes a;
  a.kernel = {1, 2};
  a.dilation = {1, 4};
  a.pad = {0, 1, 0, 1};
  const TestOperand x = floats({1, 1, 1, 3}, {1, 2, 3});
  EXPECT_EQ(run_op(kMaxPoolOp, {x}, a)[0][0], -INFINITY);
  EXPECT_EQ(run_op(kAveragePoolOp, {x}, a)[0][0], 0.0F);
}

/// Both factors written out as multiplied, then row by column.
TEST(Reference, matrix_products_of_all_kinds) {
  for (int kind = 0; kind < 8; ++kind) {
    const bool ta = (kind & 1) != 0;
    const bool tb = (kind & 2) != 0;
    const bool shared = (kind & 4) != 0;
    if (ta && shared) continue;
    Attributes a;
    a.transpose_a = ta;
    a.transpose_b = tb;
    a.scale = 0.5;
    const TestOperand left = random(ta ? Shape{2, 4, 3} : Shape{2, 3, 4}, 1);
    const Shape b = tb ? Shape{5, 4} : Shape{4, 5};
    const TestOperand right = random(shared ? b : Shape{2, b[0], b[1]}, 2);
    std::vector<double> expected;
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 5; ++j) {
          double sum = 0;
          for (std::size_t k = 0; k < 4; ++k) {
            const std::size_t of_a = ta ? k * 3 + i : i * 4 + k;
            const std::size_t of_b = (tb ? j * 4 + k : k * 5 + j) + (shared ? 0 : n * 20);
            sum += double{left.values[n * 12 + of_a]} * double{right.values[of_b]};
          }
          expected.push_back(sum / 2);
        }
      }
    }
    expect_near(run_op(kMatMulOp, {left, right}, a)[0], expected);
  }
}

TEST(Reference, elementwise_by_hand) {
  const TestOperand x = floats({1, 3}, {-2, 0, 1});
  const TestOperand y = floats({1, 3}, {3, 4, 5});
  Attributes a;
  a.scale = 2;
  a.offset = 10;
  a.low = -1;
  a.high = 0.5;
  expect_near(run_op(kReluOp, {x})[0], {0, 0, 1});
  expect_near(run_op(kAddOp, {x, y})[0], {1, 4, 6});
  expect_near(run_op(kMultiplyOp, {x, y})[0], {-6, 0, 5});
  expect_near(run_op(kClipOp, {x}, a)[0], {-1, 0, 0.5});
  expect_near(run_op(kAffineOp, {x}, a)[0], {6, 10, 12});
  expect_near(run_op(kSgdOp, {x, y}, a)[0], {-8, -8, -9});
  expect_near(run_op(kBiasOp, {x, floats({3}, {1, 2, 3})}, a)[0], {-1, 2, 4});
  expect_near(run_op(kScaleOp, {x, floats({3}, {1, 2, 3})}, a)[0], {-2, 0, 3});
  expect_near(run_op(kSigmoidOp, {x})[0], {0.1192029, 0.5, 0.7310586});
  expect_near(run_op(kTanhOp, {x})[0], {-0.9640276, 0, 0.7615942});
  // x times the normal distribution of x, by its table: 0.0227501 at -2, 0.8413447 at 1.
  expect_near(run_op(kGeluOp, {x})[0], {-0.0455003, 0, 0.8413447});
  a.epsilon = 0;
  expect_near(run_op(kFixedNormOp,
                     {x, floats({3}, {1, 2, 3}), floats({3}, {0, 1, 0}), floats({3}, {-1, 2, 0}),
                      floats({3}, {4, 1, 0.25})},
                     a)[0],
              {-0.5, -3, 6});
}

TEST(Reference, softmax_sums_to_1_and_does_not_see_what_is_added_to_all) {
  for (const float shift : {0.0F, 500.0F, -3e4F}) {
    const TestOperand x = floats({2, 3}, {shift, shift + 1, shift + 2, shift, shift, shift});
    const auto y = run_op(kSoftmaxOp, {x})[0];
    EXPECT_NEAR(double{y[0]} + double{y[1]} + double{y[2]}, 1, 1e-6);
    EXPECT_NEAR(double{y[2]} / double{y[1]}, std::exp(1.0), 1e-5);
    EXPECT_NEAR(double{y[3]}, 1.0 / 3, 1e-6);
  }
}

TEST(Reference, losses_by_hand) {
  // Equal logits: log of the number of classes. A logit of 0: log 2, whatever the target.
  const auto even =
      run_op(kCrossEntropyOp, {floats({2, 4}, std::vector<float>(8, 7)), numbers({2}, {0, 3})});
  EXPECT_NEAR(double{even[0][0]}, std::log(4.0), 1e-6);
  const auto zero = run_op(kLogisticLossOp, {floats({2, 1}, {0, 0}), floats({2, 1}, {0, 1})});
  EXPECT_NEAR(double{zero[0][0]}, std::log(2.0), 1e-6);
  // What would overflow if it were written plainly.
  const auto far = run_op(kLogisticLossOp, {floats({2, 1}, {1000, -1000}), floats({2, 1}, {0, 0})});
  EXPECT_NEAR(double{far[0][0]}, 500, 1e-3);
  const auto sure = run_op(kCrossEntropyOp, {floats({1, 2}, {1000, -1000}), numbers({1}, {1})});
  EXPECT_NEAR(double{sure[0][0]}, 2000, 1e-3);
}

TEST(Reference, norms_have_the_moments_they_promise) {
  const TestOperand x = random({4, 3, 5}, 11);
  const TestOperand gamma3 = floats({3}, {1, 1, 1});
  const TestOperand zero3 = floats({3}, {0, 0, 0});
  Attributes a;
  a.epsilon = 1e-9;
  const auto batch = run_op(kBatchNormOp, {x, gamma3, zero3}, a);
  const auto layer =
      run_op(kLayerNormOp, {x, floats({5}, {2, 2, 2, 2, 2}), floats({5}, {1, 1, 1, 1, 1})}, a);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      if (i / 5 % 3 != c) continue;
      sum += double{batch[0][i]};
      squares += double{batch[0][i]} * double{batch[0][i]};
    }
    EXPECT_NEAR(sum / 20, 0, 1e-6);
    EXPECT_NEAR(squares / 20, 1, 1e-5);
  }
  for (std::size_t row = 0; row < 12; ++row) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = row * 5; i < row * 5 + 5; ++i) {
      sum += double{layer[0][i]} - 1;
      squares += std::pow(double{layer[0][i]} - 1, 2);
    }
    EXPECT_NEAR(sum / 5, 0, 1e-6);
    EXPECT_NEAR(squares / 5, 4, 1e-4);
  }
  // What is kept for the gradient undoes the norm.
  EXPECT_NEAR(double{batch[0][0]} / double{batch[2][0]} + double{batch[1][0]}, double{x.values[0]},
              1e-5);
}

TEST(Reference, rearranging_by_hand) {
  Attributes a;
  a.order = {1, 0, 2};
  const TestOperand x = floats({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  expect_near(run_op(kTransposeOp, {x}, a)[0], {0, 1, 4, 5, 2, 3, 6, 7});
  a.order = {2, 0, 1};
  expect_near(run_op(kTransposeOp, {x}, a)[0], {0, 2, 4, 6, 1, 3, 5, 7});
  a.axis = 1;
  a.begin = 1;
  a.end = 2;
  expect_near(run_op(kSliceOp, {x}, a)[0], {2, 3, 6, 7});
  a.shape = Shape{2, 3, 2};
  expect_near(run_op(kSliceBackwardOp, {floats({2, 1, 2}, {1, 2, 3, 4})}, a)[0],
              {0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0});
  expect_near(run_op(kConcatOp, {x, floats({2, 1, 2}, {10, 11, 12, 13})}, a)[0],
              {0, 1, 2, 3, 10, 11, 4, 5, 6, 7, 12, 13});
  a.shape = Shape{2, 2, 2};
  expect_near(run_op(kBroadcastOp, {floats({1, 2, 1}, {3, 4})}, a)[0], {3, 3, 4, 4, 3, 3, 4, 4});
  a.shape = Shape{1, 2, 1};
  expect_near(run_op(kReduceSumOp, {x}, a)[0], {0 + 1 + 4 + 5, 2 + 3 + 6 + 7});
}

TEST(Reference, rows_of_a_table_and_their_update) {
  const TestOperand table = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  const TestOperand rows = numbers({3}, {2, 0, 2});
  expect_near(run_op(kEmbeddingOp, {table, rows})[0], {5, 6, 1, 2, 5, 6});
  Attributes a;
  a.scale = 0.5;
  const TestOperand dy = floats({3, 2}, {2, 0, 4, 4, 2, 2});
  expect_near(run_op(kEmbeddingSgdOp, {table, dy, rows}, a)[0], {-1, 0, 3, 4, 3, 5});
}

TEST(Reference, not_a_number_is_not_hidden) {
  EXPECT_TRUE(std::isnan(run_op(kReluOp, {floats({1}, {NAN})})[0][0]));
}

TEST(Reference, runs_every_node_of_every_model_of_the_zoo) {
  const auto reference = make_reference_library();
  for (const auto& model : zoo_models()) {
    const auto forward = build_zoo_model(model, 2);
    ASSERT_TRUE(forward);
    const auto step = training_step(*forward, 0.1);
    ASSERT_TRUE(step);
    const std::vector<Layout> plain(step->tensors.size(), Layout::plain);
    for (NodeId n = 0; n < step->nodes.size(); ++n) {
      const auto made = reference->make(job_of(*step, n, plain, 1));
      ASSERT_TRUE(made) << model.name << ": " << made.error().what;
    }
  }
}

}  // namespace
}  // namespace mete
