// The naive kernels: what every other kernel is checked against. They are written to be read, not
// to be fast; sums are added up in double precision, results are stored as floats. A new one is
// declared here and listed in library.cc; docs/kernels.md has the rules. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mete/base/result.h"
#include "mete/kernel/kernel.h"

namespace mete {

/// One run: all tensors lie in the plain layout. The job was checked: types are what the op infers.
struct ReferenceRun {
  const KernelJob& job;
  std::span<const void* const> in;
  std::span<void* const> out;

  [[nodiscard]] const Attributes& attributes() const { return job.attributes; }
  [[nodiscard]] const Shape& in_shape(std::size_t i) const { return job.inputs[i].type.shape; }
  [[nodiscard]] const Shape& out_shape(std::size_t i) const { return job.outputs[i].type.shape; }
  [[nodiscard]] std::span<const float> input(std::size_t i) const {
    return {static_cast<const float*>(in[i]), in_shape(i).elements()};
  }
  [[nodiscard]] std::span<const std::int64_t> numbers(std::size_t i) const {
    return {static_cast<const std::int64_t*>(in[i]), in_shape(i).elements()};
  }
  [[nodiscard]] std::span<float> output(std::size_t i) const {
    return {static_cast<float*>(out[i]), out_shape(i).elements()};
  }
};
using ReferenceFunction = Result<void> (*)(const ReferenceRun& run);

/// A shape as seen along one axis: `outer` times `size` times `inner` elements.
struct AlongAxis {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;
};
inline AlongAxis along(const Shape& shape, std::size_t axis) {
  AlongAxis view;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    const auto size = static_cast<std::size_t>(shape[i]);
    (i < axis ? view.outer : i == axis ? view.size : view.inner) *= size;
  }
  return view;
}

/// Where element (n, c, y, x) of an image lies.
inline std::size_t at(const Shape& shape, std::int64_t n, std::int64_t c, std::int64_t y,
                      std::int64_t x) {
  return static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x);
}

/// Which image row or column element `tap` of a window at `position` meets; it may be outside.
inline std::int64_t met_by(const Attributes& a, std::size_t axis, std::int64_t position,
                           std::int64_t tap) {
  return position * a.stride[axis] + tap * a.dilation[axis] - a.pad[axis];
}

inline float rounded(double value) { return static_cast<float>(value); }

// elementwise.cc
Result<void> reference_relu(const ReferenceRun& run);
Result<void> reference_relu_backward(const ReferenceRun& run);
Result<void> reference_gelu(const ReferenceRun& run);
Result<void> reference_gelu_backward(const ReferenceRun& run);
Result<void> reference_sigmoid(const ReferenceRun& run);
Result<void> reference_sigmoid_backward(const ReferenceRun& run);
Result<void> reference_tanh(const ReferenceRun& run);
Result<void> reference_tanh_backward(const ReferenceRun& run);
Result<void> reference_clip(const ReferenceRun& run);
Result<void> reference_clip_backward(const ReferenceRun& run);
Result<void> reference_affine(const ReferenceRun& run);
Result<void> reference_add(const ReferenceRun& run);
Result<void> reference_multiply(const ReferenceRun& run);
Result<void> reference_sgd(const ReferenceRun& run);
// along_axis.cc
Result<void> reference_bias(const ReferenceRun& run);
Result<void> reference_bias_backward(const ReferenceRun& run);
Result<void> reference_scale(const ReferenceRun& run);
// conv.cc
Result<void> reference_conv(const ReferenceRun& run);
Result<void> reference_conv_backward_data(const ReferenceRun& run);
Result<void> reference_conv_backward_filter(const ReferenceRun& run);
// pool.cc
Result<void> reference_max_pool(const ReferenceRun& run);
Result<void> reference_max_pool_backward(const ReferenceRun& run);
Result<void> reference_average_pool(const ReferenceRun& run);
Result<void> reference_average_pool_backward(const ReferenceRun& run);
// matmul.cc
Result<void> reference_matmul(const ReferenceRun& run);
// norm.cc
Result<void> reference_batch_norm(const ReferenceRun& run);
Result<void> reference_batch_norm_backward(const ReferenceRun& run);
Result<void> reference_layer_norm(const ReferenceRun& run);
Result<void> reference_layer_norm_backward(const ReferenceRun& run);
Result<void> reference_fixed_norm(const ReferenceRun& run);
Result<void> reference_fixed_norm_backward(const ReferenceRun& run);
// softmax.cc
Result<void> reference_softmax(const ReferenceRun& run);
Result<void> reference_softmax_backward(const ReferenceRun& run);
Result<void> reference_cross_entropy(const ReferenceRun& run);
Result<void> reference_cross_entropy_backward(const ReferenceRun& run);
Result<void> reference_logistic_loss(const ReferenceRun& run);
Result<void> reference_logistic_loss_backward(const ReferenceRun& run);
// rearrange.cc
Result<void> reference_concat(const ReferenceRun& run);
Result<void> reference_slice(const ReferenceRun& run);
Result<void> reference_slice_backward(const ReferenceRun& run);
Result<void> reference_reshape(const ReferenceRun& run);
Result<void> reference_transpose(const ReferenceRun& run);
Result<void> reference_broadcast(const ReferenceRun& run);
Result<void> reference_reduce_sum(const ReferenceRun& run);
// embedding.cc
Result<void> reference_embedding(const ReferenceRun& run);
Result<void> reference_embedding_sgd(const ReferenceRun& run);

}  // namespace mete
