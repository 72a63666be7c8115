// oneDNN's kernels and our loops against the naive ones: every op, in each layout that is taken,
// over shapes that fit no block of channels too. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/rng.h"
#include "mete/graph/ops.h"
#include "mete/kernel/blocked_layout.h"
#include "mete/kernel/kernel.h"

namespace mete {
namespace {

/// nullptr only where the plugin was not built: one that was built must load.
KernelLibrary* library_or_none() {
  auto library = open_dnn_library();
#ifdef METE_HAVE_BLAS
  EXPECT_TRUE(library) << library.error().what;
#endif
  return library ? *library : nullptr;
}

/// Memory that begins 64 bytes after a page, or `shift` lines further.
class Buffer {
 public:
  Buffer(std::uint64_t bytes, std::size_t shift)
      : memory_(
            static_cast<std::byte*>(std::aligned_alloc(4096, (bytes + 8192) / 4096 * 4096 + 4096)),
            &std::free),
        data_(memory_.get() + 64 * shift),
        bytes_(bytes) {
    std::memset(memory_.get(), 0x7f, bytes + 64 * shift);  // floats of 3e38
  }
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] float* floats() const { return reinterpret_cast<float*>(data_); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::unique_ptr<std::byte, decltype(&std::free)> memory_;
  std::byte* data_;
  std::uint64_t bytes_;
};

using Buffers = std::vector<Buffer>;

std::vector<const void*> inputs_of(const Buffers& buffers) {
  std::vector<const void*> all;
  for (const auto& b : buffers) all.push_back(b.data());
  return all;
}
std::vector<void*> outputs_of(const Buffers& buffers) {
  std::vector<void*> all;
  for (const auto& b : buffers) all.push_back(b.data());
  return all;
}

struct Case {
  const Op* op;
  std::vector<TensorType> inputs;
  Attributes attributes;
  /// How many roundings may meet in one result, of numbers as large as `scale`: see Tolerance.
  double roundings = 1;
};

/// Numbers of both signs that are exact in few bits would hide errors of order: full mantissas.
Buffers fill(const Case& c, Rng rng) {
  Buffers buffers;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const auto& type = c.inputs[i];
    auto& buffer = buffers.emplace_back(type.bytes(), i);
    const std::size_t n = type.shape.elements();
    if (type.type == DataType::i64) {
      const auto most = static_cast<std::size_t>(
          c.op == &kCrossEntropyOp || c.op == &kCrossEntropyBackwardOp ? c.inputs[0].shape[1]
                                                                       : c.inputs[0].shape[0]);
      auto* numbers = reinterpret_cast<std::int64_t*>(buffer.data());
      for (std::size_t k = 0; k < n; ++k) numbers[k] = static_cast<std::int64_t>(rng.below(most));
      continue;
    }
    for (std::size_t k = 0; k < n; ++k) {
      const double value = 2 * rng.uniform() - 1;
      // Inverse deviations are above zero.
      const bool deviation =
          i == 4 && (c.op == &kBatchNormBackwardOp || c.op == &kLayerNormBackwardOp);
      buffer.floats()[k] = static_cast<float>(deviation ? 0.1 + std::abs(value) : value);
    }
  }
  return buffers;
}

Buffers results_of(const KernelJob& job, std::size_t shift) {
  Buffers buffers;
  for (const auto& output : job.outputs) buffers.emplace_back(output.type.bytes(), shift);
  return buffers;
}

KernelJob job_of_case(const Case& c) {
  KernelJob job{c.op, c.attributes, {}, {}, 2};
  for (const auto& type : c.inputs) job.inputs.push_back({type, Layout::plain});
  auto outputs = c.op->infer(c.inputs, c.attributes);
  EXPECT_TRUE(outputs) << c.op->name << ": " << (outputs ? "" : outputs.error().what);
  if (!outputs) return job;
  for (const auto& type : *outputs) job.outputs.push_back({type, Layout::plain});
  return job;
}

/// Images in `image`, filters in `filter`, where that fits: what is neither stays plain.
void lay_out(KernelJob& job, Layout image, Layout filter) {
  const bool conv = job.op == &kConvOp || job.op == &kConvBackwardDataOp;
  const auto lay = [&](KernelOperand& operand, bool is_filter) {
    const Layout layout = is_filter ? filter : image;
    if (operand.type.type == DataType::f32 && layout_fits(operand.type.shape, layout)) {
      operand.layout = layout;
    }
  };
  for (std::size_t i = 0; i < job.inputs.size(); ++i) lay(job.inputs[i], conv && i == 1);
  for (auto& output : job.outputs) lay(output, job.op == &kConvBackwardFilterOp);
}

/// The same elements, laid out as `operands` want them; and back.
Buffers converted(const Buffers& from, const std::vector<KernelOperand>& operands,
                  std::size_t shift, bool back) {
  Buffers buffers;
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto& to = buffers.emplace_back(from[i].bytes(), shift);
    const Layout layout = operands[i].layout;
    convert_layout(operands[i].type, from[i].data(), back ? layout : Layout::plain, to.data(),
                   back ? Layout::plain : layout);
  }
  return buffers;
}

std::string describe(const KernelJob& job) {
  std::string text(job.op->name);
  for (const auto& operand : job.inputs) {
    text += " " + operand.type.shape.text() + ":" + std::string(layout_name(operand.layout));
  }
  return text + " -> " + job.outputs[0].type.shape.text();
}

/// Sums of the magnitudes of what each result adds up: the reference with all inputs positive.
/// Results of a sum of n products differ by at most n roundings of that, whatever the order.
std::vector<double> magnitudes(const Case& c, const KernelJob& plain, const Buffers& inputs,
                               const Buffers& expected, std::size_t output) {
  const std::size_t n = plain.outputs[output].type.shape.elements();
  std::vector<double> sizes(n, 1);
  const bool sums = c.op == &kConvOp || c.op == &kConvBackwardDataOp ||
                    c.op == &kConvBackwardFilterOp || c.op == &kMatMulOp ||
                    c.op == &kBiasBackwardOp || c.op == &kMaxPoolBackwardOp;
  if (!sums) {
    for (std::size_t i = 0; i < n; ++i) {
      sizes[i] += std::abs(static_cast<double>(expected[output].floats()[i]));
    }
    return sizes;
  }
  if (c.op == &kMaxPoolBackwardOp) return std::vector<double>(n, 9.0);
  Buffers positive;
  for (const auto& input : inputs) {
    auto& copy = positive.emplace_back(input.bytes(), 0);
    for (std::size_t i = 0; i < input.bytes() / 4; ++i) {
      copy.floats()[i] = std::abs(input.floats()[i]);
    }
  }
  const auto reference = make_reference_library();
  const auto kernel = reference->make(plain);
  Buffers made = results_of(plain, 0);
  if (!kernel || !(*kernel)->run(inputs_of(positive), outputs_of(made))) return sizes;
  for (std::size_t i = 0; i < n; ++i) {
    sizes[i] = std::abs(static_cast<double>(made[output].floats()[i]));
  }
  return sizes;
}

void expect_near(const Case& c, const KernelJob& job, const Buffers& expected, const Buffers& got,
                 const std::vector<std::vector<double>>& sizes) {
  constexpr double kRounding = 0x1p-24;
  for (std::size_t o = 0; o < expected.size(); ++o) {
    double worst = 0;
    for (std::size_t i = 0; i < sizes[o].size(); ++i) {
      const double difference = std::abs(static_cast<double>(expected[o].floats()[i]) -
                                         static_cast<double>(got[o].floats()[i]));
      const double allowed = (c.roundings + 2) * kRounding * sizes[o][i];
      // A NaN must not pass.
      const bool near = difference <= allowed || expected[o].floats()[i] == got[o].floats()[i];
      worst = near ? worst : std::max(worst, difference / std::max(sizes[o][i], 1e-30));
      if (!near && worst == 0) worst = HUGE_VAL;
      if (!near && !(difference >= 0)) worst = HUGE_VAL;
    }
    EXPECT_EQ(worst, 0) << describe(job) << ", result " << o << ": off by " << worst
                        << " of the magnitudes, " << c.roundings << " roundings allowed";
  }
}

/// Runs the case in all layouts; how many of them were taken.
int check(KernelLibrary& library, const Case& c, std::uint64_t seed) {
  const KernelJob plain = job_of_case(c);
  if (plain.outputs.empty()) return 0;
  const Buffers inputs = fill(c, Rng(seed));
  const auto reference = make_reference_library();
  const auto judge = reference->make(plain);
  EXPECT_TRUE(judge) << c.op->name << ": " << (judge ? "" : judge.error().what);
  if (!judge) return 0;
  Buffers expected = results_of(plain, 0);
  EXPECT_TRUE((*judge)->run(inputs_of(inputs), outputs_of(expected)));
  std::vector<std::vector<double>> sizes;
  for (std::size_t o = 0; o < expected.size(); ++o) {
    sizes.push_back(magnitudes(c, plain, inputs, expected, o));
  }
  int taken = 0;
  std::vector<KernelJob> done;
  for (const Layout image : {Layout::plain, Layout::channels_last, Layout::blocked}) {
    for (const Layout filter : {Layout::plain, Layout::filter_blocked}) {
      KernelJob job = plain;
      if (filter != Layout::filter_blocked || c.attributes.groups == 1) lay_out(job, image, filter);
      const auto same = [&](const KernelJob& other) {
        return other.inputs == job.inputs && other.outputs == job.outputs;
      };
      if (std::any_of(done.begin(), done.end(), same)) continue;
      done.push_back(job);
      const auto kernel = library.make(job);
      if (!kernel) {
        EXPECT_EQ(kernel.error().code, Errc::unsupported) << kernel.error().what;
        EXPECT_FALSE(image == Layout::plain && filter == Layout::plain)
            << describe(job) << ": " << kernel.error().what;
        continue;
      }
      ++taken;
      const Buffers given = converted(inputs, job.inputs, 0, false);
      Buffers made = results_of(job, 0);
      const auto ran = (*kernel)->run(inputs_of(given), outputs_of(made));
      EXPECT_TRUE(ran) << describe(job) << ": " << (ran ? "" : ran.error().what);
      expect_near(c, job, expected, converted(made, job.outputs, 0, true), sizes);
      // The same bytes wherever they lie, and again by a kernel of the same job.
      const auto again = library.make(job);
      EXPECT_TRUE(again);
      if (!again) continue;
      for (const std::size_t shift : {std::size_t{1}, std::size_t{37}}) {
        const Buffers moved = converted(inputs, job.inputs, shift, false);
        Buffers other = results_of(job, shift + 3);
        EXPECT_TRUE((*again)->run(inputs_of(moved), outputs_of(other)));
        for (std::size_t o = 0; o < made.size(); ++o) {
          EXPECT_EQ(std::memcmp(made[o].data(), other[o].data(), made[o].bytes()), 0)
              << describe(job) << ": other bytes at another address";
        }
      }
    }
  }
  return taken;
}

void check_all(const std::vector<Case>& cases, int least_taken = 1) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  std::uint64_t seed = 1;
  for (const auto& c : cases) EXPECT_GE(check(*library, c, seed++), least_taken) << c.op->name;
}

TensorType f32(std::initializer_list<std::int64_t> dims) { return TensorType{Shape(dims)}; }
TensorType i64(std::initializer_list<std::int64_t> dims) {
  return TensorType{Shape(dims), DataType::i64};
}

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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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

// What a norm divides by is as exact as the sum of squares; here x is of order 1, so that a result
// has a few times the roundings of its sums.
TEST(Dnn, BatchNorm) {
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases;
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
  std::vector<Case> cases = {
      {&kEmbeddingOp, {f32({7, 5}), i64({3, 4})}, {}, 0},
      {&kEmbeddingOp, {f32({1000, 64}), i64({500})}, {}, 0},
      // Rows that are met more than once.
      {&kEmbeddingSgdOp, {f32({3, 16}), f32({20, 16}), i64({20})}, rate, 20},
      {&kEmbeddingSgdOp, {f32({100, 5}), f32({4, 6, 5}), i64({4, 6})}, rate, 24},
  };
  check_all(cases);
}

TEST(Dnn, Rearranging) {
  std::vector<Case> cases;
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
  Case add{&kAddOp, {f32({2, 16, 4, 4}), f32({2, 16, 4, 4})}, {}, 1};
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
  for (const Case& c : {Case{&kEmbeddingOp, {f32({7, 5}), i64({3})}, {}, 0},
                        Case{&kEmbeddingSgdOp, {f32({7, 5}), f32({3, 5}), i64({3})}, {}, 0},
                        Case{&kCrossEntropyOp, {f32({3, 5}), i64({3})}, {}, 0},
                        Case{&kCrossEntropyBackwardOp, {f32({3, 5}), i64({3})}, {}, 0}}) {
    const auto kernel = library->make(job_of_case(c));
    ASSERT_TRUE(kernel) << kernel.error().what;
    for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{7}, std::int64_t{1} << 60U}) {
      const Buffers inputs = fill(c, Rng(1));
      reinterpret_cast<std::int64_t*>(inputs.back().data())[1] = wrong;
      Buffers made = results_of(job_of_case(c), 0);
      const auto ran = (*kernel)->run(inputs_of(inputs), outputs_of(made));
      ASSERT_FALSE(ran) << c.op->name;
      EXPECT_EQ(ran.error().code, Errc::invalid);
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
  for (const Case& each :
       {Case{&kAddOp, {x, x}, {}}, Case{&kMultiplyOp, {x, x}, {}}, Case{&kReluOp, {x}, {}},
        Case{&kReluBackwardOp, {x, x}, {}}, Case{&kGeluOp, {x}, {}},
        Case{&kGeluBackwardOp, {x, x}, {}}, Case{&kBiasOp, {x, c}, {}},
        Case{&kBatchNormBackwardOp, {x, x, c, c, c}, {}},
        Case{&kLayerNormBackwardOp, {rows, rows, width, one, one}, {}},
        Case{&kSoftmaxOp, {rows}, {}}, Case{&kSoftmaxBackwardOp, {rows, rows}, {}},
        Case{&kCrossEntropyBackwardOp, {rows, i64({5})}, {}},
        Case{&kLogisticLossBackwardOp, {rows, rows}, {}}, Case{&kSgdOp, {x, x}, rate}}) {
    ASSERT_NE(each.op->reuse, Reuse::none) << each.op->name;
    for (const Layout layout : {Layout::plain, Layout::channels_last, Layout::blocked}) {
      KernelJob job = job_of_case(each);
      lay_out(job, layout, Layout::plain);
      const auto kernel = library->make(job);
      ASSERT_TRUE(kernel) << kernel.error().what;
      const Buffers inputs = fill(each, Rng(9));
      Buffers apart = results_of(job, 0);
      ASSERT_TRUE((*kernel)->run(inputs_of(inputs), outputs_of(apart)));
      Buffers together = results_of(job, 0);
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
