// The ops, registered: one line each. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops.h"

namespace mete {
namespace {

constexpr const Op* kOps[] = {
    &kConvOp,
    &kConvBackwardDataOp,
    &kConvBackwardFilterOp,
    &kMatMulOp,
    &kBiasOp,
    &kBiasBackwardOp,
    &kBatchNormOp,
    &kBatchNormBackwardOp,
    &kReluOp,
    &kReluBackwardOp,
    &kGeluOp,
    &kGeluBackwardOp,
    &kMaxPoolOp,
    &kMaxPoolBackwardOp,
    &kAveragePoolOp,
    &kAveragePoolBackwardOp,
    &kConcatOp,
    &kSliceOp,
    &kSliceBackwardOp,
    &kAddOp,
    &kMultiplyOp,
    &kReshapeOp,
    &kTransposeOp,
    &kSoftmaxOp,
    &kSoftmaxBackwardOp,
    &kCrossEntropyOp,
    &kCrossEntropyBackwardOp,
    &kLogisticLossOp,
    &kLogisticLossBackwardOp,
    &kLayerNormOp,
    &kLayerNormBackwardOp,
    &kEmbeddingOp,
    &kSigmoidOp,
    &kSigmoidBackwardOp,
    &kTanhOp,
    &kTanhBackwardOp,
    &kClipOp,
    &kClipBackwardOp,
    &kAffineOp,
    &kScaleOp,
    &kBroadcastOp,
    &kReduceSumOp,
    &kFixedNormOp,
    &kFixedNormBackwardOp,
    &kSgdOp,
    &kEmbeddingSgdOp,
};

}  // namespace

std::span<const Op* const> builtin_ops() { return kOps; }

const Op* find_op(std::string_view name) {
  for (const Op* op : kOps) {
    if (op->name == name) return op;
  }
  return nullptr;
}

}  // namespace mete
