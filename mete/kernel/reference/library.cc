// The reference library: which function runs which op, and what is checked before it runs.
// SPDX-License-Identifier: BSD-3-Clause
#include <utility>
#include <vector>

#include "mete/graph/ops.h"
#include "mete/kernel/blocked_layout.h"
#include "mete/kernel/reference/backward_shapes.h"
#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// What elements the inputs have.
enum class Elements : std::uint8_t {
  floats,
  floats_then_numbers,  ///< the last input holds row or class numbers
  any,                  ///< only moved
};

struct ReferenceRow {
  const Op* op;
  ReferenceFunction function;
  Elements elements = Elements::floats;
};

constexpr ReferenceRow kReferences[] = {
    {&kConvOp, reference_conv},
    {&kConvBackwardDataOp, reference_conv_backward_data},
    {&kConvBackwardFilterOp, reference_conv_backward_filter},
    {&kMatMulOp, reference_matmul},
    {&kBiasOp, reference_bias},
    {&kBiasBackwardOp, reference_bias_backward},
    {&kBatchNormOp, reference_batch_norm},
    {&kBatchNormBackwardOp, reference_batch_norm_backward},
    {&kReluOp, reference_relu},
    {&kReluBackwardOp, reference_relu_backward},
    {&kGeluOp, reference_gelu},
    {&kGeluBackwardOp, reference_gelu_backward},
    {&kMaxPoolOp, reference_max_pool},
    {&kMaxPoolBackwardOp, reference_max_pool_backward},
    {&kAveragePoolOp, reference_average_pool},
    {&kAveragePoolBackwardOp, reference_average_pool_backward},
    {&kConcatOp, reference_concat, Elements::any},
    {&kSliceOp, reference_slice, Elements::any},
    {&kSliceBackwardOp, reference_slice_backward, Elements::any},
    {&kAddOp, reference_add},
    {&kMultiplyOp, reference_multiply},
    {&kReshapeOp, reference_reshape, Elements::any},
    {&kTransposeOp, reference_transpose, Elements::any},
    {&kSoftmaxOp, reference_softmax},
    {&kSoftmaxBackwardOp, reference_softmax_backward},
    {&kCrossEntropyOp, reference_cross_entropy, Elements::floats_then_numbers},
    {&kCrossEntropyBackwardOp, reference_cross_entropy_backward, Elements::floats_then_numbers},
    {&kLogisticLossOp, reference_logistic_loss},
    {&kLogisticLossBackwardOp, reference_logistic_loss_backward},
    {&kLayerNormOp, reference_layer_norm},
    {&kLayerNormBackwardOp, reference_layer_norm_backward},
    {&kEmbeddingOp, reference_embedding, Elements::floats_then_numbers},
    {&kSigmoidOp, reference_sigmoid},
    {&kSigmoidBackwardOp, reference_sigmoid_backward},
    {&kTanhOp, reference_tanh},
    {&kTanhBackwardOp, reference_tanh_backward},
    {&kClipOp, reference_clip},
    {&kClipBackwardOp, reference_clip_backward},
    {&kAffineOp, reference_affine},
    {&kScaleOp, reference_scale},
    {&kBroadcastOp, reference_broadcast, Elements::any},
    {&kReduceSumOp, reference_reduce_sum},
    {&kFixedNormOp, reference_fixed_norm},
    {&kFixedNormBackwardOp, reference_fixed_norm_backward},
    {&kSgdOp, reference_sgd},
    {&kEmbeddingSgdOp, reference_embedding_sgd, Elements::floats_then_numbers},
};

/// By name: a job that a plugin's graph gives has that plugin's copies of the ops.
const ReferenceRow* row_of(const Op& op) {
  for (const auto& row : kReferences) {
    if (row.op->name == op.name) return &row;
  }
  return nullptr;
}

Result<void> check_elements(const KernelJob& job, Elements elements) {
  if (elements == Elements::any) return {};
  for (std::size_t i = 0; i < job.inputs.size(); ++i) {
    const bool numbers = elements == Elements::floats_then_numbers && i + 1 == job.inputs.size();
    const DataType expected = numbers ? DataType::i64 : DataType::f32;
    const DataType found = job.inputs[i].type.type;
    if (found == expected) continue;
    return fail(Errc::unsupported, "input {} of {} elements: expected {}", i, data_type_name(found),
                data_type_name(expected));
  }
  return {};
}

Result<void> check_sizes(const KernelJob& job) {
  for (const auto* operands : {&job.inputs, &job.outputs}) {
    for (const auto& each : *operands) {
      const Shape& shape = each.type.shape;
      if (each.type.bytes() == 0 || each.type.bytes() > kMostGraphTensorBytes) {
        return fail(Errc::invalid, "a tensor of {}: expected 1 byte to 64 TiB", shape.text());
      }
      if (layout_fits(shape, each.layout)) continue;
      return fail(Errc::invalid, "a tensor of {} cannot have the layout {}", shape.text(),
                  layout_name(each.layout));
    }
  }
  return {};
}

/// Shapes that do not fit each other must never reach the loops: they would read past the end.
Result<void> check_job(const KernelJob& job, Elements elements) {
  const std::size_t expected = job.op->inputs;
  if (job.inputs.empty() || (expected != 0 && job.inputs.size() != expected)) {
    return fail(Errc::invalid, "{} inputs given, {} expected", job.inputs.size(), expected);
  }
  METE_TRY_VOID(check_elements(job, elements));
  METE_TRY_VOID(check_sizes(job));
  std::vector<TensorType> inputs;
  std::vector<TensorType> outputs;
  for (const auto& each : job.inputs) inputs.push_back(each.type);
  for (const auto& each : job.outputs) outputs.push_back(each.type);
  METE_TRY(const auto inferred, job.op->infer(inputs, job.attributes));
  if (inferred != outputs) return fail(Errc::invalid, "the results are not of the types it gives");
  METE_TRY_VOID(check_backward_shapes(*job.op, inputs, outputs, job.attributes));
  return {};
}

/// Memory for a tensor in the plain layout, of either kind of element; none if it lies so already.
std::vector<std::int64_t> plain_memory(const KernelOperand& operand) {
  if (operand.layout == Layout::plain) return {};
  return std::vector<std::int64_t>((operand.type.bytes() + 7) / 8);
}

/// Tensors in other layouts are brought into plain memory and back: slow, but there is always a
/// kernel.
class ReferenceKernel final : public Kernel {
 public:
  ReferenceKernel(KernelJob job, ReferenceFunction function)
      : job_(std::move(job)), function_(function) {}

  Result<void> run(std::span<const void* const> inputs, std::span<void* const> outputs) override {
    std::vector<const void*> in(inputs.begin(), inputs.end());
    std::vector<void*> out(outputs.begin(), outputs.end());
    std::vector<std::vector<std::int64_t>> plain;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const KernelOperand& of = job_.inputs[i];
      auto& memory = plain.emplace_back(plain_memory(of));
      if (memory.empty()) continue;
      convert_layout(of.type, in[i], of.layout, memory.data(), Layout::plain);
      in[i] = memory.data();
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      auto& memory = plain.emplace_back(plain_memory(job_.outputs[i]));
      if (!memory.empty()) out[i] = memory.data();
    }
    METE_TRY_VOID(function_({job_, in, out}));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const KernelOperand& of = job_.outputs[i];
      if (out[i] != outputs[i]) {
        convert_layout(of.type, out[i], Layout::plain, outputs[i], of.layout);
      }
    }
    return {};
  }

  [[nodiscard]] std::string implementation() const override { return "reference"; }
  [[nodiscard]] std::uint64_t scratch_bytes() const override {
    std::uint64_t sum = 0;
    for (const auto* operands : {&job_.inputs, &job_.outputs}) {
      for (const auto& each : *operands) {
        if (each.layout != Layout::plain) sum += each.type.bytes();
      }
    }
    return sum;
  }

 private:
  KernelJob job_;
  ReferenceFunction function_;
};

class ReferenceLibrary final : public KernelLibrary {
 public:
  [[nodiscard]] std::string_view name() const override { return "reference"; }
  [[nodiscard]] std::string version() const override { return "reference " METE_VERSION; }

  Result<std::unique_ptr<Kernel>> make(const KernelJob& job) override {
    const ReferenceRow* row = row_of(*job.op);
    if (row == nullptr) return fail(Errc::unsupported, "{}: there is no such op", job.op->name);
    if (auto checked = check_job(job, row->elements); !checked) {
      return checked.error().within(job.op->name);
    }
    return std::make_unique<ReferenceKernel>(job, row->function);
  }
};

}  // namespace

std::unique_ptr<KernelLibrary> make_reference_library() {
  return std::make_unique<ReferenceLibrary>();
}

}  // namespace mete
