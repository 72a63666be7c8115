// Which factory makes an op's kernel, and what is refused before any is asked.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <limits>

#include <dnnl.hpp>

#include "mete/graph/ops.h"
#include "mete/kernel/blas/blas_backend.h"
#include "mete/kernel/blas/dnn.h"
#include "mete/kernel/blocked_layout.h"

namespace mete::blas {
namespace {

constexpr std::size_t kNoIndices = std::numeric_limits<std::size_t>::max();

struct Factory {
  const Op* op;
  MadeKernel (*make)(const KernelJob& job);
  std::size_t indices = kNoIndices;  ///< the input that holds whole numbers
};
constexpr std::array kFactories = {
    Factory{&kConvOp, make_conv},
    Factory{&kConvBackwardDataOp, make_conv_backward_data},
    Factory{&kConvBackwardFilterOp, make_conv_backward_filter},
    Factory{&kMatMulOp, make_matmul},
    Factory{&kBiasOp, make_bias},
    Factory{&kBiasBackwardOp, make_bias_backward},
    Factory{&kBatchNormOp, make_batch_norm},
    Factory{&kBatchNormBackwardOp, make_batch_norm_backward},
    Factory{&kReluOp, make_elementwise},
    Factory{&kReluBackwardOp, make_elementwise},
    Factory{&kGeluOp, make_gelu},
    Factory{&kGeluBackwardOp, make_gelu_backward},
    Factory{&kMaxPoolOp, make_pool},
    Factory{&kMaxPoolBackwardOp, make_pool},
    Factory{&kAveragePoolOp, make_pool},
    Factory{&kAveragePoolBackwardOp, make_pool},
    Factory{&kConcatOp, make_concat},
    Factory{&kSliceOp, make_slice},
    Factory{&kSliceBackwardOp, make_slice_backward},
    Factory{&kAddOp, make_elementwise},
    Factory{&kMultiplyOp, make_elementwise},
    Factory{&kReshapeOp, make_reshape},
    Factory{&kTransposeOp, make_transpose},
    Factory{&kSoftmaxOp, make_softmax},
    Factory{&kSoftmaxBackwardOp, make_softmax_backward},
    Factory{&kCrossEntropyOp, make_loss, 1},
    Factory{&kCrossEntropyBackwardOp, make_loss_backward, 1},
    Factory{&kLogisticLossOp, make_loss},
    Factory{&kLogisticLossBackwardOp, make_loss_backward},
    Factory{&kLayerNormOp, make_layer_norm},
    Factory{&kLayerNormBackwardOp, make_layer_norm_backward},
    Factory{&kEmbeddingOp, make_embedding, 1},
    Factory{&kSgdOp, make_elementwise},
    Factory{&kEmbeddingSgdOp, make_embedding_sgd, 2},
};

std::vector<TensorType> types_of(const std::vector<KernelOperand>& operands) {
  std::vector<TensorType> types;
  for (const auto& operand : operands) types.push_back(operand.type);
  return types;
}

Error misfit(const KernelJob& job) {
  return fail(Errc::unsupported, "{}: the tensors' shapes do not fit together", job.op->name);
}

/// What the gradient of a forward op reads and writes must be what that op makes of the same.
Result<void> check_forward(const KernelJob& job, const Op& forward, std::vector<TensorType> in,
                           const std::vector<TensorType>& expected) {
  const auto made = forward.infer(in, job.attributes);
  if (!made || *made != expected) return misfit(job);
  return {};
}

Result<void> check_gradient(const KernelJob& job) {
  const auto in = types_of(job.inputs);
  const auto out = types_of(job.outputs);
  const Op* op = job.op;
  if (op == &kConvBackwardDataOp) return check_forward(job, kConvOp, {out[0], in[1]}, {in[0]});
  if (op == &kConvBackwardFilterOp) return check_forward(job, kConvOp, {in[0], out[0]}, {in[1]});
  if (op == &kMaxPoolBackwardOp) {
    if (in[0] != out[0]) return misfit(job);
    return check_forward(job, kMaxPoolOp, {in[0]}, {in[1]});
  }
  if (op == &kAveragePoolBackwardOp) return check_forward(job, kAveragePoolOp, out, in);
  if (op == &kSliceBackwardOp) return check_forward(job, kSliceOp, out, in);
  if (op == &kBatchNormBackwardOp || op == &kLayerNormBackwardOp) {
    const Op& forward = op == &kBatchNormBackwardOp ? kBatchNormOp : kLayerNormOp;
    return check_forward(job, forward, {in[1], in[2], in[2]}, {in[1], in[3], in[4]});
  }
  if (op == &kCrossEntropyBackwardOp) {
    return check_forward(job, kCrossEntropyOp, in, {TensorType{Shape{1}}, in[0]});
  }
  return {};
}

Result<void> check_operands(const KernelJob& job, const std::vector<KernelOperand>& operands,
                            std::size_t indices) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& [type, layout] = operands[i];
    const auto wanted = i == indices ? DataType::i64 : DataType::f32;
    if (type.type != wanted) {
      return fail(Errc::unsupported, "{}: no kernel here for elements of {}", job.op->name,
                  data_type_name(type.type));
    }
    if (type.shape.elements() == 0 || !layout_fits(type.shape, layout)) {
      return fail(Errc::unsupported, "{}: a tensor of {} cannot have that layout", job.op->name,
                  type.shape.text());
    }
  }
  return {};
}

/// Filters in blocks are for convolutions, updates, and copies to other layouts.
Result<void> check_filters(const KernelJob& job) {
  constexpr std::array kTakes = {
      &kConvOp,     &kConvBackwardDataOp, &kConvBackwardFilterOp, &kSgdOp, &kAddOp,
      &kMultiplyOp, &kReshapeOp};
  if (std::find(kTakes.begin(), kTakes.end(), job.op) != kTakes.end()) return {};
  for (const auto* operands : {&job.inputs, &job.outputs}) {
    for (const auto& operand : *operands) {
      if (operand.layout != Layout::filter_blocked) continue;
      return fail(Errc::unsupported, "{}: takes no filters in blocks", job.op->name);
    }
  }
  return {};
}

class DnnLibrary final : public KernelLibrary {
 public:
  [[nodiscard]] std::string_view name() const override { return "oneDNN"; }
  [[nodiscard]] std::string version() const override { return onednn_version(); }
  [[nodiscard]] bool prefers_blocks() const override {
    return dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  }
  Result<std::unique_ptr<Kernel>> make(const KernelJob& asked) override {
    const auto* factory =
        std::find_if(kFactories.begin(), kFactories.end(),
                     [&](const Factory& each) { return each.op->name == asked.op->name; });
    if (factory == kFactories.end()) {
      return fail(Errc::unsupported, "{}: no kernel here for this op", asked.op->name);
    }
    // By name: the program that opened this plugin has ops of its own.
    KernelJob job = asked;
    job.op = factory->op;
    const bool enough =
        job.op->inputs == 0 ? !job.inputs.empty() : job.inputs.size() == job.op->inputs;
    if (!enough || job.threads < 1) {
      return fail(Errc::unsupported, "{}: {} inputs and {} threads given", job.op->name,
                  job.inputs.size(), job.threads);
    }
    METE_TRY_VOID(check_operands(job, job.inputs, factory->indices));
    METE_TRY_VOID(check_operands(job, job.outputs, kNoIndices));
    const auto made = job.op->infer(types_of(job.inputs), job.attributes);
    if (!made || *made != types_of(job.outputs)) return misfit(job);
    METE_TRY_VOID(check_gradient(job));
    METE_TRY_VOID(check_filters(job));
    return factory->make(job);
  }
};

}  // namespace

KernelLibrary* dnn_library() {
  // Made when first asked for and kept: the program may hold kernels to its end.
  static DnnLibrary library;
  return &library;
}

}  // namespace mete::blas

extern "C" __attribute__((visibility("default"))) mete::KernelLibrary* mete_dnn_library(
    int abi, const char* version) {
  if (abi != mete::kDnnPluginAbi || std::string_view(version) != METE_VERSION) return nullptr;
  return mete::blas::dnn_library();
}
