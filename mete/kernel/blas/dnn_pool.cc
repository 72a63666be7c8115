// Pooling and its gradients, over as many channels at once as lie side by side. Max pooling's
// gradient looks for the largest again: the first one, row by row, as the forward pass takes it.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>
#include <limits>

#include "mete/graph/ops.h"
#include "mete/kernel/blas/dnn_loops.h"

// Inlined into the loops over a row's windows, which are made for each generation of vector units.
#define METE_INLINE_LOOP inline __attribute__((always_inline))

namespace mete::blas {
namespace {

struct Window {
  // A plane is an image of `lanes` channels side by side.
  std::size_t planes = 1;
  std::size_t lanes = 1;
  std::int64_t height = 1;  ///< of the image
  std::int64_t width = 1;
  std::int64_t rows = 1;  ///< of the result
  std::int64_t columns = 1;
  Attributes a;
  int threads = 1;

  [[nodiscard]] std::size_t image() const {
    return static_cast<std::size_t>(height * width) * lanes;
  }
  [[nodiscard]] std::size_t result() const {
    return static_cast<std::size_t>(rows * columns) * lanes;
  }
};

// Channels in a piece of work: they stay in the nearest cache.
constexpr std::size_t kMostLanes = 256;

METE_INLINE_LOOP void largest(const float* x, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}
METE_INLINE_LOOP void largest_at(const float* x, std::int32_t at, float* most, std::int32_t* where,
                                 std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) {
    const bool more = x[i] > most[i];
    where[i] = more ? at : where[i];
    most[i] = more ? x[i] : most[i];
  }
}
METE_INLINE_LOOP void add_where(const float* dy, const std::int32_t* where, std::int32_t at,
                                float* dx, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) dx[i] += where[i] == at ? dy[i] : 0.0F;
}
METE_INLINE_LOOP void accumulate(const float* x, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] += x[i];
}
METE_INLINE_LOOP void accumulate_part(const float* x, float count, float* y, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] += x[i] / count;
}
METE_INLINE_LOOP void divide(float* y, float count, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) y[i] /= count;
}

/// Calls f(offset in the image, number) for the positions of one window that lie in the image.
/// How many there are.
template <class F>
METE_INLINE_LOOP std::int32_t each_position(const Window& w, std::int64_t row, std::int64_t column,
                                            F f) {
  std::int32_t number = 0;
  for (std::int64_t i = 0; i < w.a.kernel[0]; ++i) {
    const std::int64_t y = row * w.a.stride[0] - w.a.pad[0] + i * w.a.dilation[0];
    if (y < 0 || y >= w.height) continue;
    for (std::int64_t j = 0; j < w.a.kernel[1]; ++j) {
      const std::int64_t x = column * w.a.stride[1] - w.a.pad[1] + j * w.a.dilation[1];
      if (x < 0 || x >= w.width) continue;
      f(static_cast<std::size_t>(y * w.width + x) * w.lanes, number++);
    }
  }
  return number;
}

/// A window that meets nothing but padding has the average 0.
METE_INLINE_LOOP float divisor(const Window& w, std::int32_t met) {
  const std::int64_t whole = w.a.kernel[0] * w.a.kernel[1];
  return static_cast<float>(w.a.count_padding ? whole : std::max<std::int64_t>(met, 1));
}

/// Calls f(plane, first lane, lanes, row) for each piece of work: rows of the result in the forward
/// pass. Backward windows overlap, so there only planes and lanes are divided.
template <class F>
void in_pieces(const Window& w, bool by_rows, F f) {
  const auto rows = static_cast<std::size_t>(by_rows ? w.rows : 1);
  const std::size_t groups = (w.lanes + kMostLanes - 1) / kMostLanes;
  // Lanes are cut where the vectors end.
  const std::size_t each = (w.lanes / groups + 15) / 16 * 16;
  const std::size_t parts = (w.lanes + each - 1) / each;
  in_parts(
      w.threads, w.planes * rows * parts, 1, [&](std::size_t, std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const std::size_t lane = i % parts * each;
          const std::size_t row = i / parts % rows;
          f(i / parts / rows, lane, std::min(each, w.lanes - lane), static_cast<std::int64_t>(row));
        }
      });
}

// One row of a result, of `n` lanes: from and to point at the first of them in a plane.
METE_VECTOR_LOOP void max_row(const Window& w, const float* from, float* to, std::int64_t row,
                              std::size_t n) {
  for (std::int64_t column = 0; column < w.columns; ++column, to += w.lanes) {
    std::fill_n(to, n, -std::numeric_limits<float>::infinity());
    each_position(w, row, column, [=](std::size_t at, std::int32_t) { largest(from + at, to, n); });
  }
}
METE_VECTOR_LOOP void average_row(const Window& w, const float* from, float* to, std::int64_t row,
                                  std::size_t n) {
  for (std::int64_t column = 0; column < w.columns; ++column, to += w.lanes) {
    std::fill_n(to, n, 0.0F);
    const auto met = each_position(
        w, row, column, [=](std::size_t at, std::int32_t) { accumulate(from + at, to, n); });
    divide(to, divisor(w, met), n);
  }
}
METE_VECTOR_LOOP void max_row_backward(const Window& w, const float* x, const float* dy, float* dx,
                                       std::int64_t row, std::size_t n) {
  float most[kMostLanes];
  std::int32_t where[kMostLanes];
  for (std::int64_t column = 0; column < w.columns; ++column, dy += w.lanes) {
    each_position(w, row, column, [&](std::size_t at, std::int32_t number) {
      if (number == 0) {
        std::copy_n(x + at, n, most);
        std::fill_n(where, n, 0);
      } else {
        largest_at(x + at, number, most, where, n);
      }
    });
    each_position(w, row, column, [&](std::size_t at, std::int32_t number) {
      add_where(dy, where, number, dx + at, n);
    });
  }
}
METE_VECTOR_LOOP void average_row_backward(const Window& w, const float* dy, float* dx,
                                           std::int64_t row, std::size_t n) {
  for (std::int64_t column = 0; column < w.columns; ++column, dy += w.lanes) {
    const auto met = each_position(w, row, column, [](std::size_t, std::int32_t) {});
    const float count = divisor(w, met);
    each_position(w, row, column,
                  [=](std::size_t at, std::int32_t) { accumulate_part(dy, count, dx + at, n); });
  }
}

std::size_t row_at(const Window& w, std::int64_t row) {
  return static_cast<std::size_t>(row * w.columns) * w.lanes;
}

void pool(const Window& w, bool max, const float* x, float* y) {
  in_pieces(w, true, [&](std::size_t plane, std::size_t lane, std::size_t n, std::int64_t row) {
    const float* from = x + plane * w.image() + lane;
    float* to = y + plane * w.result() + row_at(w, row) + lane;
    (max ? max_row : average_row)(w, from, to, row, n);
  });
}

/// Zero in `n` lanes of a plane.
void clear(const Window& w, float* dx, std::size_t n) {
  if (n == w.lanes) {
    std::memset(dx, 0, w.image() * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < w.image(); i += w.lanes) std::memset(dx + i, 0, n * sizeof(float));
}

/// `x`: nullptr for average pooling.
void pool_backward(const Window& w, const float* x, const float* dy, float* dx) {
  in_pieces(w, false, [&](std::size_t plane, std::size_t lane, std::size_t n, std::int64_t) {
    const std::size_t at = plane * w.image() + lane;
    clear(w, dx + at, n);
    for (std::int64_t row = 0; row < w.rows; ++row) {
      const float* gradient = dy + plane * w.result() + row_at(w, row) + lane;
      if (x != nullptr) {
        max_row_backward(w, x + at, gradient, dx + at, row, n);
      } else {
        average_row_backward(w, gradient, dx + at, row, n);
      }
    }
  });
}

}  // namespace

MadeKernel make_pool(const KernelJob& job) {
  const bool backward = job.op == &kMaxPoolBackwardOp || job.op == &kAveragePoolBackwardOp;
  const KernelOperand& image = backward ? job.outputs[0] : job.inputs[0];
  const KernelOperand& result = backward ? job.inputs.back() : job.outputs[0];
  for (const auto& operand : job.inputs) {
    if (operand.layout == job.outputs[0].layout) continue;
    return fail(Errc::unsupported, "{}: takes tensors of one layout only, not a mix", job.op->name);
  }
  const Shape& x = image.type.shape;
  const bool plain = image.layout == Layout::plain;
  Window w;
  w.lanes = plain ? 1 : view_along(image, 1).lanes;
  w.planes = product(x, 0, 2) / w.lanes;
  w.height = x[2];
  w.width = x[3];
  w.rows = result.type.shape[2];
  w.columns = result.type.shape[3];
  w.a = job.attributes;
  w.threads = job.threads;
  if (w.a.kernel[0] * w.a.kernel[1] > (std::int64_t{1} << 30U)) {
    return fail(Errc::unsupported, "{}: windows of more than 2^30 positions", job.op->name);
  }
  return loop_kernel([w, op = job.op](const RunTensors& t) -> Result<void> {
    if (op == &kMaxPoolOp || op == &kAveragePoolOp) {
      pool(w, op == &kMaxPoolOp, t.in(0), t.out());
    } else if (op == &kMaxPoolBackwardOp) {
      pool_backward(w, t.in(0), t.in(1), t.out());
    } else {
      pool_backward(w, nullptr, t.in(0), t.out());
    }
    return {};
  });
}

}  // namespace mete::blas
