// Losses of logits, averaged over the batch: cross-entropy against class numbers, and logistic loss
// against targets from 0 to 1. Both keep the probabilities: the gradient is (probability - target)
// / batch. SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer_classes(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_rank(in[0], 2, "logits"));
  METE_TRY_VOID(expect_vector(in[1], in[0].shape[0], "labels"));
  if (in[1].type != DataType::i64) return fail(Errc::invalid, "labels: expected whole numbers");
  return std::vector<TensorType>{TensorType{Shape{1}}, in[0]};
}

Result<std::vector<TensorType>> infer_logistic(Types in, const Attributes& /*a*/) {
  METE_TRY_VOID(expect_equal(in[0], in[1]));
  return std::vector<TensorType>{TensorType{Shape{1}}, in[0]};
}

// A loss is where gradients begin: it takes none from above.
void class_gradient(GradientScope& scope) {
  scope.input_gradients[0] =
      scope.builder.add(kCrossEntropyBackwardOp, {scope.out(1), scope.in(1)});
}

void logistic_gradient(GradientScope& scope) {
  scope.input_gradients[0] =
      scope.builder.add(kLogisticLossBackwardOp, {scope.out(1), scope.in(1)});
}

}  // namespace

const Op kCrossEntropyOp = {.name = "cross-entropy",
                            .inputs = 2,
                            .infer = infer_classes,
                            .work = per_element<5>,
                            .gradient = class_gradient};
const Op kCrossEntropyBackwardOp = {.name = "cross-entropy-backward",
                                    .inputs = 2,
                                    .infer = same_as_first,
                                    .work = per_element<2>,
                                    .reuse = Reuse::may};
const Op kLogisticLossOp = {.name = "logistic-loss",
                            .inputs = 2,
                            .infer = infer_logistic,
                            .work = per_element<8>,
                            .gradient = logistic_gradient};
const Op kLogisticLossBackwardOp = {.name = "logistic-loss-backward",
                                    .inputs = 2,
                                    .infer = same_as_both,
                                    .work = per_element<2>,
                                    .reuse = Reuse::may};

}  // namespace mete
