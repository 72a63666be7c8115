// Rows of a table by their numbers, and the update of the rows that were used.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

METE_VECTOR_LOOP void descend(const float* gradient, float rate, float* row, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) row[i] = row[i] - rate * gradient[i];
}

struct TableShape {
  std::int64_t rows = 0;
  std::size_t width = 0;
  std::size_t count = 0;  ///< of the indices

  [[nodiscard]] Result<void> check(const std::int64_t* indices) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (indices[i] >= 0 && indices[i] < rows) continue;
      return fail(Errc::invalid, "row {} (index {}) of a table: expected 0 to {}", indices[i], i,
                  rows - 1);
    }
    return {};
  }
};

Error mixed(const KernelJob& job) {
  return fail(Errc::unsupported, "{}: takes tensors in the plain layout only", job.op->name);
}

bool all_plain(const KernelJob& job) {
  const auto plain = [](const KernelOperand& o) { return o.layout == Layout::plain; };
  return std::all_of(job.inputs.begin(), job.inputs.end(), plain) && plain(job.outputs[0]);
}

}  // namespace

MadeKernel make_embedding(const KernelJob& job) {
  if (!all_plain(job)) return mixed(job);
  const Shape& table = job.inputs[0].type.shape;
  const TableShape s{table[0], static_cast<std::size_t>(table[1]),
                     job.inputs[1].type.shape.elements()};
  return loop_kernel([s, threads = job.threads](const RunTensors& t) -> Result<void> {
    METE_TRY_VOID(s.check(t.indices(1)));
    const std::size_t grain = std::max<std::size_t>(1, kGrain / s.width);
    in_parts(threads, s.count, grain, [&](std::size_t, std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const auto row = static_cast<std::size_t>(t.indices(1)[i]);
        std::memcpy(t.out() + i * s.width, t.in(0) + row * s.width, s.width * sizeof(float));
      }
    });
    return {};
  });
}

MadeKernel make_embedding_sgd(const KernelJob& job) {
  if (!all_plain(job)) return mixed(job);
  const Shape& table = job.inputs[0].type.shape;
  const TableShape s{table[0], static_cast<std::size_t>(table[1]),
                     job.inputs[2].type.shape.elements()};
  const auto rate = static_cast<float>(job.attributes.scale);
  const int threads = job.threads;
  return loop_kernel([=](const RunTensors& t) -> Result<void> {
    METE_TRY_VOID(s.check(t.indices(2)));
    if (t.outputs[0] != t.inputs[0]) {
      std::memcpy(t.outputs[0], t.inputs[0],
                  static_cast<std::size_t>(s.rows) * s.width * sizeof(float));
    }
    // Every thread looks at all rows and updates those of its own numbers: one that was used twice
    // is updated twice in order.
    const auto parts = static_cast<std::size_t>(threads);
    in_parts(threads, parts, 1, [&](std::size_t part, std::size_t begin, std::size_t end) {
      if (begin == end) return;
      for (std::size_t i = 0; i < s.count; ++i) {
        const auto row = static_cast<std::size_t>(t.indices(2)[i]);
        if (row % parts != part) continue;
        descend(t.in(1) + i * s.width, rate, t.out() + row * s.width, s.width);
      }
    });
    return {};
  });
}

}  // namespace mete::blas
