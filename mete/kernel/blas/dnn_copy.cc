// Concat, slice and a slice's gradient as copies of contiguous pieces.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "mete/kernel/blas/dnn_loops.h"

namespace mete::blas {
namespace {

/// A part of an axis, in pieces that are contiguous: `count` pieces of `length` elements, `step`
/// apart, from `begin` on.
struct Pieces {
  std::size_t count = 0;
  std::size_t length = 0;
  std::size_t step = 0;
  std::size_t begin = 0;
};

/// Positions [from, from + size) of the axis; of channels in blocks only whole blocks.
bool whole_blocks(const KernelOperand& operand, std::size_t axis, std::int64_t from,
                  std::int64_t size) {
  return operand.layout != Layout::blocked || axis != 1 ||
         (from % kLayoutBlock == 0 && size % kLayoutBlock == 0);
}

Pieces pieces_of(const KernelOperand& operand, std::size_t axis, std::int64_t from,
                 std::int64_t size) {
  AxisView v = view_along(operand, axis);
  const Shape& shape = operand.type.shape;
  // An axis of size 1 has one block too, wherever it lies.
  const bool innermost =
      operand.layout == Layout::channels_last
          ? axis == 1
          : operand.layout == Layout::plain && product(shape, axis + 1, shape.rank()) == 1;
  if (innermost) {
    // Each row holds one piece.
    v = {v.outer * v.mid, v.lanes, 1, 1};
  }
  const auto per_block = static_cast<std::int64_t>(v.lanes);
  const auto blocks = static_cast<std::size_t>(size / per_block);
  const auto first = static_cast<std::size_t>(from / per_block);
  return {v.outer, blocks * v.slab(), v.blocks * v.slab(), first * v.slab()};
}

void copy_pieces(int threads, const float* from, const Pieces& a, float* to, const Pieces& b) {
  const std::size_t bytes = a.length * sizeof(float);
  // Few long pieces are cut, so that every thread has some.
  if (a.count < 4 * static_cast<std::size_t>(threads)) {
    in_parts(threads, a.length, kGrain, [&](std::size_t, std::size_t begin, std::size_t end) {
      for (std::size_t i = 0; i < a.count; ++i) {
        std::memcpy(to + b.begin + i * b.step + begin, from + a.begin + i * a.step + begin,
                    (end - begin) * sizeof(float));
      }
    });
    return;
  }
  const std::size_t grain = std::max<std::size_t>(1, kGrain / std::max<std::size_t>(1, a.length));
  in_parts(threads, a.count, grain, [&](std::size_t, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::memcpy(to + b.begin + i * b.step, from + a.begin + i * a.step, bytes);
    }
  });
}

/// The layouts are one, and nothing cuts a block of channels.
bool plain_pieces(const KernelOperand& part, const KernelOperand& whole, std::size_t axis,
                  std::int64_t begin) {
  return part.layout == whole.layout && whole_blocks(whole, axis, begin, part.type.shape[axis]);
}

}  // namespace

MadeKernel make_concat(const KernelJob& job) {
  const std::size_t axis = job.attributes.axis;
  std::vector<std::pair<Pieces, Pieces>> copies;
  std::int64_t begin = 0;
  for (const auto& input : job.inputs) {
    if (!plain_pieces(input, job.outputs[0], axis, begin)) return make_reorder_concat(job);
    const std::int64_t size = input.type.shape[axis];
    copies.emplace_back(pieces_of(input, axis, 0, size),
                        pieces_of(job.outputs[0], axis, begin, size));
    begin += size;
  }
  return loop_kernel([copies, threads = job.threads](const RunTensors& t) -> Result<void> {
    for (std::size_t i = 0; i < copies.size(); ++i) {
      copy_pieces(threads, t.in(i), copies[i].first, t.out(), copies[i].second);
    }
    return {};
  });
}

MadeKernel make_slice(const KernelJob& job) {
  const auto& a = job.attributes;
  if (!plain_pieces(job.outputs[0], job.inputs[0], a.axis, a.begin)) {
    return make_reorder_slice(job);
  }
  const auto from = pieces_of(job.inputs[0], a.axis, a.begin, a.end - a.begin);
  const auto to = pieces_of(job.outputs[0], a.axis, 0, a.end - a.begin);
  return loop_kernel([=, threads = job.threads](const RunTensors& t) -> Result<void> {
    copy_pieces(threads, t.in(0), from, t.out(), to);
    return {};
  });
}

MadeKernel make_slice_backward(const KernelJob& job) {
  const auto& a = job.attributes;
  if (!plain_pieces(job.inputs[0], job.outputs[0], a.axis, a.begin)) {
    return fail(Errc::unsupported,
                "slice-backward: takes one layout, and of channels in blocks whole blocks only");
  }
  const auto from = pieces_of(job.inputs[0], a.axis, 0, a.end - a.begin);
  const auto to = pieces_of(job.outputs[0], a.axis, a.begin, a.end - a.begin);
  const std::size_t n = job.outputs[0].type.shape.elements();
  return loop_kernel([=, threads = job.threads](const RunTensors& t) -> Result<void> {
    in_parts(threads, n, kGrain, [&](std::size_t, std::size_t begin, std::size_t end) {
      std::memset(t.out() + begin, 0, (end - begin) * sizeof(float));
    });
    copy_pieces(threads, t.in(0), from, t.out(), to);
    return {};
  });
}

}  // namespace mete::blas
