// Layer norm: each row of the last axis to mean 0 and deviation 1, scaled and shifted. Sums are in
// double. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

METE_VECTOR_LOOP double row_sum(const float* x, std::size_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  return sum;
}
METE_VECTOR_LOOP double row_squares(const float* x, double mean, std::size_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i]) - mean;
    sum += d * d;
  }
  return sum;
}
METE_VECTOR_LOOP void normalise(const float* x, const float* gamma, const float* beta, float mean,
                                float inverse, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * gamma[i] + beta[i];
}

struct RowSums {
  double dy = 0;    ///< of dy gamma
  double dy_x = 0;  ///< of dy gamma x', x' the normalised input
};
METE_VECTOR_LOOP RowSums gradient_sums(const float* dy, const float* x, const float* gamma,
                                       float mean, float inverse, double* d_gamma, double* d_beta,
                                       std::size_t n) {
  double sum = 0;
  double sum_x = 0;
#pragma omp simd reduction(+ : sum, sum_x)
  for (std::size_t i = 0; i < n; ++i) {
    const float normal = (x[i] - mean) * inverse;
    const auto scaled = static_cast<double>(dy[i] * gamma[i]);
    sum += scaled;
    sum_x += scaled * static_cast<double>(normal);
    d_gamma[i] += static_cast<double>(dy[i]) * static_cast<double>(normal);
    d_beta[i] += static_cast<double>(dy[i]);
  }
  return {sum, sum_x};
}
METE_VECTOR_LOOP void gradient_row(const float* dy, const float* x, const float* gamma, float mean,
                                   float inverse, float mean_dy, float mean_dy_x, float* dx,
                                   std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) {
    const float normal = (x[i] - mean) * inverse;
    dx[i] = (dy[i] * gamma[i] - mean_dy - normal * mean_dy_x) * inverse;
  }
}

}  // namespace

MadeKernel make_layer_norm(const KernelJob& job) {
  if (job.inputs[0].layout != Layout::plain || job.outputs[0].layout != Layout::plain) {
    return fail(Errc::unsupported, "layer-norm: takes tensors in the plain layout only");
  }
  const auto width = static_cast<std::size_t>(job.inputs[0].type.shape.from_end(0));
  const std::size_t rows = job.inputs[0].type.shape.elements() / width;
  return loop_kernel([=, threads = job.threads,
                      epsilon = job.attributes.epsilon](const RunTensors& t) -> Result<void> {
    const auto n = static_cast<double>(width);
    in_parts(threads, rows, 1, [&](std::size_t, std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r) {
        const float* x = t.in(0) + r * width;
        const double mean = row_sum(x, width) / n;
        const double inverse = 1 / std::sqrt(row_squares(x, mean, width) / n + epsilon);
        t.out(1)[r] = static_cast<float>(mean);
        t.out(2)[r] = static_cast<float>(inverse);
        normalise(x, t.in(1), t.in(2), t.out(1)[r], t.out(2)[r], t.out(0) + r * width, width);
      }
    });
    return {};
  });
}

MadeKernel make_layer_norm_backward(const KernelJob& job) {
  if (job.inputs[0].layout != Layout::plain || job.inputs[1].layout != Layout::plain ||
      job.outputs[0].layout != Layout::plain) {
    return fail(Errc::unsupported, "layer-norm-backward: takes tensors in the plain layout only");
  }
  const auto width = static_cast<std::size_t>(job.inputs[0].type.shape.from_end(0));
  const std::size_t rows = job.inputs[0].type.shape.elements() / width;
  const int threads = job.threads;
  const std::size_t parts = static_cast<std::size_t>(threads);
  const auto run = [=](const RunTensors& t) -> Result<void> {
    // Each thread adds up the rows of its own; then their sums in order.
    auto* sums = reinterpret_cast<double*>(t.scratch);
    std::fill_n(sums, 2 * width * parts, 0.0);
    const auto n = static_cast<double>(width);
    in_parts(threads, rows, 1, [&](std::size_t part, std::size_t begin, std::size_t end) {
      double* d_gamma = sums + 2 * width * part;
      for (std::size_t r = begin; r < end; ++r) {
        const float* dy = t.in(0) + r * width;
        const float* x = t.in(1) + r * width;
        const float mean = t.in(3)[r];
        const float inverse = t.in(4)[r];
        const auto s =
            gradient_sums(dy, x, t.in(2), mean, inverse, d_gamma, d_gamma + width, width);
        gradient_row(dy, x, t.in(2), mean, inverse, static_cast<float>(s.dy / n),
                     static_cast<float>(s.dy_x / n), t.out(0) + r * width, width);
      }
    });
    for (std::size_t i = 0; i < 2 * width; ++i) {
      double sum = 0;
      for (std::size_t p = 0; p < parts; ++p) sum += sums[2 * width * p + i];
      t.out(i < width ? 1 : 2)[i % width] = static_cast<float>(sum);
    }
    return {};
  };
  return loop_kernel(run, 2 * width * parts * sizeof(double));
}

}  // namespace mete::blas
