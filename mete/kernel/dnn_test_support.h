// Holds a kernel of oneDNN's library against the reference: in every layout that is taken, at
// several addresses, to a bound on rounding. SPDX-License-Identifier: BSD-3-Clause
#pragma once

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

namespace mete::dnn_testing {

/// nullptr only where the plugin was not built: one that was built must load.
inline KernelLibrary* library_or_none() {
  auto library = open_dnn_library();
#ifdef METE_HAVE_BLAS
  EXPECT_TRUE(library) << library.error().what;
#endif
  return library ? *library : nullptr;
}

/// Memory that begins 64 bytes after a page, or `shift` lines further.
class DnnBuffer {
 public:
  DnnBuffer(std::uint64_t bytes, std::size_t shift)
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

using DnnBuffers = std::vector<DnnBuffer>;

inline std::vector<const void*> inputs_of(const DnnBuffers& buffers) {
  std::vector<const void*> all;
  for (const auto& b : buffers) all.push_back(b.data());
  return all;
}
inline std::vector<void*> outputs_of(const DnnBuffers& buffers) {
  std::vector<void*> all;
  for (const auto& b : buffers) all.push_back(b.data());
  return all;
}

struct DnnCase {
  const Op* op;
  std::vector<TensorType> inputs;
  Attributes attributes;
  /// How many roundings may meet in one result, of numbers as large as `scale`: see Tolerance.
  double roundings = 1;
};

/// Numbers of both signs that are exact in few bits would hide errors of order: full mantissas.
inline DnnBuffers fill(const DnnCase& c, Rng rng) {
  DnnBuffers buffers;
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

inline DnnBuffers results_of(const KernelJob& job, std::size_t shift) {
  DnnBuffers buffers;
  for (const auto& output : job.outputs) buffers.emplace_back(output.type.bytes(), shift);
  return buffers;
}

inline KernelJob job_of_case(const DnnCase& c) {
  KernelJob job{c.op, c.attributes, {}, {}, 2};
  for (const auto& type : c.inputs) job.inputs.push_back({type, Layout::plain});
  auto outputs = c.op->infer(c.inputs, c.attributes);
  EXPECT_TRUE(outputs) << c.op->name << ": " << (outputs ? "" : outputs.error().what);
  if (!outputs) return job;
  for (const auto& type : *outputs) job.outputs.push_back({type, Layout::plain});
  return job;
}

/// Images in `image`, filters in `filter`, where that fits: what is neither stays plain.
inline void lay_out(KernelJob& job, Layout image, Layout filter) {
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
inline DnnBuffers converted(const DnnBuffers& from, const std::vector<KernelOperand>& operands,
                            std::size_t shift, bool back) {
  DnnBuffers buffers;
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto& to = buffers.emplace_back(from[i].bytes(), shift);
    const Layout layout = operands[i].layout;
    convert_layout(operands[i].type, from[i].data(), back ? layout : Layout::plain, to.data(),
                   back ? Layout::plain : layout);
  }
  return buffers;
}

inline std::string describe(const KernelJob& job) {
  std::string text(job.op->name);
  for (const auto& operand : job.inputs) {
    text += " " + operand.type.shape.text() + ":" + std::string(layout_name(operand.layout));
  }
  return text + " -> " + job.outputs[0].type.shape.text();
}

/// Sums of the magnitudes of what each result adds up: the reference with all inputs positive.
/// Results of a sum of n products differ by at most n roundings of that, whatever the order.
inline std::vector<double> magnitudes(const DnnCase& c, const KernelJob& plain,
                                      const DnnBuffers& inputs, const DnnBuffers& expected,
                                      std::size_t output) {
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
  DnnBuffers positive;
  for (const auto& input : inputs) {
    auto& copy = positive.emplace_back(input.bytes(), 0);
    for (std::size_t i = 0; i < input.bytes() / 4; ++i) {
      copy.floats()[i] = std::abs(input.floats()[i]);
    }
  }
  const auto reference = make_reference_library();
  const auto kernel = reference->make(plain);
  DnnBuffers made = results_of(plain, 0);
  if (!kernel || !(*kernel)->run(inputs_of(positive), outputs_of(made))) return sizes;
  for (std::size_t i = 0; i < n; ++i) {
    sizes[i] = std::abs(static_cast<double>(made[output].floats()[i]));
  }
  return sizes;
}

inline void expect_near(const DnnCase& c, const KernelJob& job, const DnnBuffers& expected,
                        const DnnBuffers& got, const std::vector<std::vector<double>>& sizes) {
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
inline int check(KernelLibrary& library, const DnnCase& c, std::uint64_t seed) {
  const KernelJob plain = job_of_case(c);
  if (plain.outputs.empty()) return 0;
  const DnnBuffers inputs = fill(c, Rng(seed));
  const auto reference = make_reference_library();
  const auto judge = reference->make(plain);
  EXPECT_TRUE(judge) << c.op->name << ": " << (judge ? "" : judge.error().what);
  if (!judge) return 0;
  DnnBuffers expected = results_of(plain, 0);
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
      const DnnBuffers given = converted(inputs, job.inputs, 0, false);
      DnnBuffers made = results_of(job, 0);
      const auto ran = (*kernel)->run(inputs_of(given), outputs_of(made));
      EXPECT_TRUE(ran) << describe(job) << ": " << (ran ? "" : ran.error().what);
      expect_near(c, job, expected, converted(made, job.outputs, 0, true), sizes);
      // The same bytes wherever they lie, and again by a kernel of the same job.
      const auto again = library.make(job);
      EXPECT_TRUE(again);
      if (!again) continue;
      for (const std::size_t shift : {std::size_t{1}, std::size_t{37}}) {
        const DnnBuffers moved = converted(inputs, job.inputs, shift, false);
        DnnBuffers other = results_of(job, shift + 3);
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

inline void check_all(const std::vector<DnnCase>& cases, int least_taken = 1) {
  auto* library = library_or_none();
  if (library == nullptr) GTEST_SKIP() << "built without OpenBLAS and oneDNN";
  std::uint64_t seed = 1;
  for (const auto& c : cases) EXPECT_GE(check(*library, c, seed++), least_taken) << c.op->name;
}

inline TensorType f32(std::initializer_list<std::int64_t> dims) { return TensorType{Shape(dims)}; }
inline TensorType i64(std::initializer_list<std::int64_t> dims) {
  return TensorType{Shape(dims), DataType::i64};
}

}  // namespace mete::dnn_testing
