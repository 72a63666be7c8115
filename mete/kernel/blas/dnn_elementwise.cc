// Loops over elements that lie in one order: their speed is the memory's.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops.h"
#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

METE_VECTOR_LOOP void add(const float* a, const float* b, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}
METE_VECTOR_LOOP void multiply(const float* a, const float* b, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
}
// A NaN stays one: it is not below zero.
METE_VECTOR_LOOP void relu(const float* x, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] < 0.0F ? 0.0F : x[i];
}
METE_VECTOR_LOOP void relu_backward(const float* dy, const float* y, float* dx, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) dx[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}
METE_VECTOR_LOOP void descend(const float* x, const float* gradient, float rate, float* y,
                              std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] - rate * gradient[i];
}

METE_VECTOR_LOOP void add_each(const float* x, const float* bias, float* y, std::size_t rows,
                               std::size_t lanes) {
  for (std::size_t r = 0; r < rows; ++r) {
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) y[r * lanes + l] = x[r * lanes + l] + bias[l];
  }
}
METE_VECTOR_LOOP void add_one(const float* x, float bias, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] + bias;
}

// In double, so that sums over a whole batch of images stay exact to float's rounding.
METE_VECTOR_LOOP void sum_each(const float* x, double* sums, std::size_t rows, std::size_t lanes) {
  for (std::size_t r = 0; r < rows; ++r) {
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) sums[l] += static_cast<double>(x[r * lanes + l]);
  }
}
METE_VECTOR_LOOP double sum_all(const float* x, std::size_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  return sum;
}

using Binary = void (*)(const float*, const float*, float*, std::size_t);

MadeKernel binary_kernel(Binary loop, std::size_t n, int threads) {
  return loop_kernel([=](const RunTensors& t) -> Result<void> {
    in_parts(threads, n, kGrain, [&](std::size_t, std::size_t begin, std::size_t end) {
      loop(t.in(0) + begin, t.in(1) + begin, t.out() + begin, end - begin);
    });
    return {};
  });
}

Error mixed(const KernelJob& job) {
  return fail(Errc::unsupported, "{}: takes tensors of one layout only, not a mix", job.op->name);
}

/// All of one channel's blocks by one thread: no sums to add up afterwards.
Result<void> sum_blocks(const RunTensors& t, const AxisView& v, int threads) {
  in_parts(threads, v.blocks, 1, [&](std::size_t, std::size_t begin, std::size_t end) {
    auto* sums = reinterpret_cast<double*>(t.scratch);
    for (std::size_t b = begin; b < end; ++b) {
      double* own = sums + b * v.lanes;
      std::fill_n(own, v.lanes, 0.0);
      for (std::size_t o = 0; o < v.outer; ++o) {
        const float* slab = t.in(0) + (o * v.blocks + b) * v.slab();
        if (v.lanes == 1) {
          own[0] += sum_all(slab, v.mid);
        } else {
          sum_each(slab, own, v.mid, v.lanes);
        }
      }
      for (std::size_t l = 0; l < v.lanes; ++l) {
        t.out()[b * v.lanes + l] = static_cast<float>(own[l]);
      }
    }
  });
  return {};
}

/// Each thread sums some of the rows; then their sums in order.
Result<void> sum_rows(const RunTensors& t, const AxisView& v, int threads) {
  auto* sums = reinterpret_cast<double*>(t.scratch);
  std::fill_n(sums, v.lanes * static_cast<std::size_t>(threads), 0.0);
  in_parts(threads, v.outer * v.mid, 16, [&](std::size_t part, std::size_t begin, std::size_t end) {
    sum_each(t.in(0) + begin * v.lanes, sums + part * v.lanes, end - begin, v.lanes);
  });
  for (std::size_t l = 0; l < v.lanes; ++l) {
    double sum = 0;
    for (std::size_t p = 0; p < static_cast<std::size_t>(threads); ++p)
      sum += sums[p * v.lanes + l];
    t.out()[l] = static_cast<float>(sum);
  }
  return {};
}

}  // namespace

MadeKernel make_elementwise(const KernelJob& job) {
  for (const auto& operand : job.inputs) {
    if (operand.layout != job.outputs[0].layout) return mixed(job);
  }
  const std::size_t n = job.outputs[0].type.shape.elements();
  const int threads = job.threads;
  if (job.op == &kAddOp) return binary_kernel(add, n, threads);
  if (job.op == &kMultiplyOp) return binary_kernel(multiply, n, threads);
  if (job.op == &kReluBackwardOp) return binary_kernel(relu_backward, n, threads);
  if (job.op == &kSgdOp) {
    const auto rate = static_cast<float>(job.attributes.scale);
    return loop_kernel([=](const RunTensors& t) -> Result<void> {
      in_parts(threads, n, kGrain, [&](std::size_t, std::size_t begin, std::size_t end) {
        descend(t.in(0) + begin, t.in(1) + begin, rate, t.out() + begin, end - begin);
      });
      return {};
    });
  }
  return loop_kernel([=](const RunTensors& t) -> Result<void> {
    in_parts(threads, n, kGrain, [&](std::size_t, std::size_t begin, std::size_t end) {
      relu(t.in(0) + begin, t.out() + begin, end - begin);
    });
    return {};
  });
}

MadeKernel make_bias(const KernelJob& job) {
  if (job.inputs[0].layout != job.outputs[0].layout) return mixed(job);
  const AxisView v = view_along(job.inputs[0], job.attributes.axis);
  return loop_kernel([v, threads = job.threads](const RunTensors& t) -> Result<void> {
    if (v.blocks == 1) {
      in_parts(threads, v.outer * v.mid, 16, [&](std::size_t, std::size_t begin, std::size_t end) {
        const std::size_t at = begin * v.lanes;
        add_each(t.in(0) + at, t.in(1), t.out() + at, end - begin, v.lanes);
      });
      return {};
    }
    in_parts(threads, v.outer * v.blocks, 1, [&](std::size_t, std::size_t begin, std::size_t end) {
      for (std::size_t slab = begin; slab < end; ++slab) {
        const float* bias = t.in(1) + slab % v.blocks * v.lanes;
        const std::size_t at = slab * v.slab();
        if (v.lanes == 1) {
          add_one(t.in(0) + at, *bias, t.out() + at, v.mid);
        } else {
          add_each(t.in(0) + at, bias, t.out() + at, v.mid, v.lanes);
        }
      }
    });
    return {};
  });
}

MadeKernel make_bias_backward(const KernelJob& job) {
  const AxisView v = view_along(job.inputs[0], job.attributes.axis);
  const int threads = job.threads;
  if (v.blocks == 1) {
    return loop_kernel([=](const RunTensors& t) { return sum_rows(t, v, threads); },
                       v.lanes * static_cast<std::size_t>(threads) * sizeof(double));
  }
  return loop_kernel([=](const RunTensors& t) { return sum_blocks(t, v, threads); },
                     v.size() * sizeof(double));
}

}  // namespace mete::blas
