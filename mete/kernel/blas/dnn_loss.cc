// The two losses and their gradients. Sums are in double. The exponential is our own, because
// libm's is not vectorised. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>

#include "mete/graph/ops.h"
#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

/// exp(x) for x <= 0, to two units in the last place: 2^n times the Taylor polynomial of what is
/// left, at most ln(2)/2 either way, where the eighth power's term is below 1e-8. Below -87 (where
/// floats turn subnormal) it is 0.
inline __attribute__((always_inline)) float exponential(float x) {
  const float low = x < -87.0F ? -87.0F : x;
  // Adding and taking off 1.5 * 2^23 rounds to a whole number.
  const float shifted = low * 1.44269504F + 12582912.0F;
  const float whole = shifted - 12582912.0F;
  // ln(2) in two parts, the first with bits to spare.
  const float r = (low - whole * 0.693359375F) + whole * 2.12194440e-4F;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r * r + r + 1.0F;
  const auto bits = (static_cast<std::int32_t>(whole) + 127) << 23;
  const float scaled = p * __builtin_bit_cast(float, bits);
  return x < -87.0F ? 0.0F : scaled;
}

METE_VECTOR_LOOP float largest_of(const float* x, std::size_t n) {
  float most = x[0];
#pragma omp simd reduction(max : most)
  for (std::size_t i = 0; i < n; ++i) most = x[i] > most ? x[i] : most;
  return most;
}
METE_VECTOR_LOOP double exponentials(const float* x, float most, float* y, std::size_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) {
    // Written so that a NaN stays one.
    const float d = x[i] - most;
    y[i] = d == d ? exponential(d) : d;
    sum += static_cast<double>(y[i]);
  }
  return sum;
}
METE_VECTOR_LOOP void scale(float* y, float by, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] *= by;
}
METE_VECTOR_LOOP void logistic(const float* x, float* p, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) {
    const float e = exponential(x[i] < 0.0F ? x[i] : -x[i]);
    const float some = (x[i] < 0.0F ? e : 1.0F) / (1.0F + e);
    p[i] = x[i] == x[i] ? some : x[i];
  }
}
METE_VECTOR_LOOP void differences(const float* p, const float* target, float by, float* dx,
                                  std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) dx[i] = (p[i] - target[i]) * by;
}
METE_VECTOR_LOOP void scaled(const float* p, float by, float* dx, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) dx[i] = p[i] * by;
}

struct Rows {
  std::size_t count = 0;
  std::size_t width = 0;
  double batch = 1;
  int threads = 1;
};

Result<void> check_labels(const std::int64_t* labels, const Rows& rows) {
  for (std::size_t i = 0; i < rows.count; ++i) {
    if (labels[i] >= 0 && static_cast<std::size_t>(labels[i]) < rows.width) continue;
    return fail(Errc::invalid, "label {} of example {}: expected 0 to {}", labels[i], i,
                rows.width - 1);
  }
  return {};
}

/// Each thread's sum, in order.
void store_mean(const RunTensors& t, const Rows& rows) {
  const auto* sums = reinterpret_cast<const double*>(t.scratch);
  double sum = 0;
  for (std::size_t p = 0; p < static_cast<std::size_t>(rows.threads); ++p) sum += sums[p];
  t.out(0)[0] = static_cast<float>(sum / rows.batch);
}

Result<void> cross_entropy(const RunTensors& t, const Rows& rows) {
  METE_TRY_VOID(check_labels(t.indices(1), rows));
  in_parts(rows.threads, rows.count, 1, [&](std::size_t part, std::size_t begin, std::size_t end) {
    double loss = 0;
    for (std::size_t r = begin; r < end; ++r) {
      const float* x = t.in(0) + r * rows.width;
      float* p = t.out(1) + r * rows.width;
      const float most = largest_of(x, rows.width);
      const double sum = exponentials(x, most, p, rows.width);
      const auto label = static_cast<std::size_t>(t.indices(1)[r]);
      loss += std::log(sum) + static_cast<double>(most) - static_cast<double>(x[label]);
      scale(p, static_cast<float>(1 / sum), rows.width);
    }
    reinterpret_cast<double*>(t.scratch)[part] = loss;
  });
  store_mean(t, rows);
  return {};
}

Result<void> logistic_loss(const RunTensors& t, const Rows& rows) {
  const std::size_t n = rows.count * rows.width;
  in_parts(rows.threads, n, 64, [&](std::size_t part, std::size_t begin, std::size_t end) {
    logistic(t.in(0) + begin, t.out(1) + begin, end - begin);
    double loss = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const auto x = static_cast<double>(t.in(0)[i]);
      loss += std::max(x, 0.0) - x * static_cast<double>(t.in(1)[i]) +
              std::log1p(std::exp(-std::abs(x)));
    }
    reinterpret_cast<double*>(t.scratch)[part] = loss;
  });
  store_mean(t, rows);
  return {};
}

Result<void> cross_entropy_backward(const RunTensors& t, const Rows& rows) {
  METE_TRY_VOID(check_labels(t.indices(1), rows));
  const auto by = static_cast<float>(1 / rows.batch);
  in_parts(rows.threads, rows.count, 1, [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      const float* p = t.in(0) + r * rows.width;
      float* dx = t.out() + r * rows.width;
      const auto label = static_cast<std::size_t>(t.indices(1)[r]);
      const float right = (p[label] - 1.0F) * by;
      scaled(p, by, dx, rows.width);
      dx[label] = right;
    }
  });
  return {};
}

Result<void> logistic_backward(const RunTensors& t, const Rows& rows) {
  const auto by = static_cast<float>(1 / rows.batch);
  in_parts(rows.threads, rows.count * rows.width, kGrain,
           [&](std::size_t, std::size_t begin, std::size_t end) {
             differences(t.in(0) + begin, t.in(1) + begin, by, t.out() + begin, end - begin);
           });
  return {};
}

Result<Rows> rows_of(const KernelJob& job) {
  const KernelOperand& result = job.outputs.back();
  for (const auto& operand : job.inputs) {
    if (operand.type.type == DataType::i64 || operand.layout == result.layout) continue;
    return fail(Errc::unsupported, "{}: takes tensors of one layout only, not a mix", job.op->name);
  }
  const Shape& x = job.inputs[0].type.shape;
  const auto width = x.rank() == 0 ? 1 : static_cast<std::size_t>(x.from_end(0));
  return Rows{x.elements() / width, width, x.rank() == 0 ? 1 : static_cast<double>(x[0]),
              job.threads};
}

}  // namespace

MadeKernel make_loss(const KernelJob& job) {
  METE_TRY(const auto rows, rows_of(job));
  const std::size_t scratch = static_cast<std::size_t>(job.threads) * sizeof(double);
  if (job.op == &kCrossEntropyOp) {
    return loop_kernel([rows](const RunTensors& t) { return cross_entropy(t, rows); }, scratch);
  }
  return loop_kernel([rows](const RunTensors& t) { return logistic_loss(t, rows); }, scratch);
}

MadeKernel make_loss_backward(const KernelJob& job) {
  METE_TRY(const auto rows, rows_of(job));
  if (job.op == &kCrossEntropyBackwardOp) {
    return loop_kernel([rows](const RunTensors& t) { return cross_entropy_backward(t, rows); });
  }
  return loop_kernel([rows](const RunTensors& t) { return logistic_backward(t, rows); });
}

}  // namespace mete::blas
