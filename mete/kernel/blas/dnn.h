// What the parts of the library of DNN kernels give each other: each factory makes kernels of one
// kind of op. All of them are asked only for jobs whose types and layouts fit together.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "mete/kernel/kernel.h"

namespace mete::blas {

using MadeKernel = Result<std::unique_ptr<Kernel>>;

KernelLibrary* dnn_library();

// By oneDNN.
MadeKernel make_conv(const KernelJob& job);
MadeKernel make_conv_backward_data(const KernelJob& job);
MadeKernel make_conv_backward_filter(const KernelJob& job);
MadeKernel make_matmul(const KernelJob& job);
MadeKernel make_batch_norm(const KernelJob& job);
MadeKernel make_batch_norm_backward(const KernelJob& job);
MadeKernel make_softmax(const KernelJob& job);
MadeKernel make_softmax_backward(const KernelJob& job);
MadeKernel make_gelu(const KernelJob& job);
MadeKernel make_gelu_backward(const KernelJob& job);
MadeKernel make_reorder_concat(const KernelJob& job);
MadeKernel make_reorder_slice(const KernelJob& job);
MadeKernel make_transpose(const KernelJob& job);
MadeKernel make_reshape(const KernelJob& job);

// By our own loops.
MadeKernel make_elementwise(const KernelJob& job);  // add, multiply, relu, relu-backward, sgd
MadeKernel make_bias(const KernelJob& job);
MadeKernel make_bias_backward(const KernelJob& job);
/// Whether a multiply of plain matrices, the first of few rows, is best done by make_few_rows().
bool suits_few_rows(std::size_t rows, std::size_t depth, std::size_t columns);
MadeKernel make_few_rows(std::size_t rows, std::size_t depth, std::size_t columns, float scale,
                         int threads);
/// The same where the second factor is stored transposed, as `results` rows of `columns`.
bool suits_few_rows_turned(std::size_t rows, std::size_t columns, std::size_t results);
MadeKernel make_few_rows_turned(std::size_t rows, std::size_t columns, std::size_t results,
                                float scale, int threads);
MadeKernel make_layer_norm(const KernelJob& job);
MadeKernel make_layer_norm_backward(const KernelJob& job);
MadeKernel make_pool(const KernelJob& job);  // max-pool, average-pool and their gradients
MadeKernel make_embedding(const KernelJob& job);
MadeKernel make_embedding_sgd(const KernelJob& job);
MadeKernel make_loss(const KernelJob& job);  // both losses
MadeKernel make_loss_backward(const KernelJob& job);
MadeKernel make_concat(const KernelJob& job);
MadeKernel make_slice(const KernelJob& job);
MadeKernel make_slice_backward(const KernelJob& job);

/// 64-byte aligned memory, each page of it touched.
class Scratch {
 public:
  Scratch() = default;
  /// `unavailable` if there is not that much.
  static Result<Scratch> of(std::uint64_t bytes);
  [[nodiscard]] std::byte* data() const { return data_.get(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  std::uint64_t bytes_ = 0;
};

/// The tensors of one run.
struct RunTensors {
  std::span<const void* const> inputs;
  std::span<void* const> outputs;
  std::byte* scratch = nullptr;

  [[nodiscard]] const float* in(std::size_t i) const {
    return static_cast<const float*>(inputs[i]);
  }
  [[nodiscard]] const std::int64_t* indices(std::size_t i) const {
    return static_cast<const std::int64_t*>(inputs[i]);
  }
  [[nodiscard]] float* out(std::size_t i = 0) const { return static_cast<float*>(outputs[i]); }
};
using RunLoops = std::function<Result<void>(const RunTensors&)>;

/// A kernel that is one function of ours.
MadeKernel loop_kernel(RunLoops run, std::uint64_t scratch_bytes = 0,
                       std::string what = "mete loops");

}  // namespace mete::blas
