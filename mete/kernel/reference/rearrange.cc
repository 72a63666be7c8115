// Ops that put elements elsewhere, of either type; and the sum that undoes a repetition.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

std::size_t element_bytes(const ReferenceRun& run) {
  return bytes_of(run.job.outputs[0].type.type);
}

/// Copies `rows` rows of `size` bytes, which lie `from_step` and `to_step` bytes apart.
void copy_rows(const std::byte* from, std::size_t from_step, std::byte* to, std::size_t to_step,
               std::size_t rows, std::size_t size) {
  for (std::size_t i = 0; i < rows; ++i) {
    std::memcpy(to + i * to_step, from + i * from_step, size);
  }
}

const std::byte* bytes_in(const ReferenceRun& run, std::size_t i) {
  return static_cast<const std::byte*>(run.in[i]);
}
std::byte* bytes_out(const ReferenceRun& run) { return static_cast<std::byte*>(run.out[0]); }

/// How far apart neighbours along each axis lie.
std::vector<std::size_t> strides_of(const Shape& shape) {
  std::vector<std::size_t> strides(shape.rank(), 1);
  for (std::size_t i = shape.rank(); i > 1; --i) {
    strides[i - 2] = strides[i - 1] * static_cast<std::size_t>(shape[i - 1]);
  }
  return strides;
}

/// Calls f(i, j) for each element i of `shape`, where j is where the same index lies with other
/// strides.
template <class F>
void for_each_strided(const Shape& shape, const std::vector<std::size_t>& other, F f) {
  const auto strides = strides_of(shape);
  const std::size_t count = shape.elements();
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t j = 0;
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      j += i / strides[axis] % static_cast<std::size_t>(shape[axis]) * other[axis];
    }
    f(i, j);
  }
}

/// Strides of `small`, 0 where it has one element for all.
std::vector<std::size_t> repeated_strides(const Shape& small) {
  auto strides = strides_of(small);
  for (std::size_t i = 0; i < small.rank(); ++i) {
    if (small[i] == 1) strides[i] = 0;
  }
  return strides;
}

}  // namespace

Result<void> reference_concat(const ReferenceRun& run) {
  const std::size_t axis = run.attributes().axis;
  const AlongAxis whole = along(run.out_shape(0), axis);
  const std::size_t unit = whole.inner * element_bytes(run);
  std::byte* to = bytes_out(run);
  for (std::size_t i = 0; i < run.in.size(); ++i) {
    const std::size_t part = along(run.in_shape(i), axis).size * unit;
    copy_rows(bytes_in(run, i), part, to, whole.size * unit, whole.outer, part);
    to += part;
  }
  return {};
}

Result<void> reference_slice(const ReferenceRun& run) {
  const AlongAxis whole = along(run.in_shape(0), run.attributes().axis);
  const std::size_t unit = whole.inner * element_bytes(run);
  const std::size_t begin = static_cast<std::size_t>(run.attributes().begin) * unit;
  const std::size_t part = along(run.out_shape(0), run.attributes().axis).size * unit;
  copy_rows(bytes_in(run, 0) + begin, whole.size * unit, bytes_out(run), part, whole.outer, part);
  return {};
}

Result<void> reference_slice_backward(const ReferenceRun& run) {
  const AlongAxis whole = along(run.out_shape(0), run.attributes().axis);
  const std::size_t unit = whole.inner * element_bytes(run);
  const std::size_t begin = static_cast<std::size_t>(run.attributes().begin) * unit;
  const std::size_t part = along(run.in_shape(0), run.attributes().axis).size * unit;
  std::memset(run.out[0], 0, run.job.outputs[0].type.bytes());
  copy_rows(bytes_in(run, 0), part, bytes_out(run) + begin, whole.size * unit, whole.outer, part);
  return {};
}

Result<void> reference_reshape(const ReferenceRun& run) {
  std::memmove(run.out[0], run.in[0], run.job.outputs[0].type.bytes());
  return {};
}

Result<void> reference_transpose(const ReferenceRun& run) {
  const auto strides = strides_of(run.in_shape(0));
  std::vector<std::size_t> moved;
  for (const auto axis : run.attributes().order) moved.push_back(strides[axis]);
  const std::size_t size = element_bytes(run);
  for_each_strided(run.out_shape(0), moved, [&](std::size_t i, std::size_t j) {
    std::memcpy(bytes_out(run) + i * size, bytes_in(run, 0) + j * size, size);
  });
  return {};
}

Result<void> reference_broadcast(const ReferenceRun& run) {
  const std::size_t size = element_bytes(run);
  for_each_strided(run.out_shape(0), repeated_strides(run.in_shape(0)),
                   [&](std::size_t i, std::size_t j) {
                     std::memcpy(bytes_out(run) + i * size, bytes_in(run, 0) + j * size, size);
                   });
  return {};
}

Result<void> reference_reduce_sum(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto y = run.output(0);
  std::vector<double> sums(y.size(), 0);
  for_each_strided(run.in_shape(0), repeated_strides(run.out_shape(0)),
                   [&](std::size_t i, std::size_t j) { sums[j] += double{x[i]}; });
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = rounded(sums[i]);
  return {};
}

}  // namespace mete
