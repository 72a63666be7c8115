// The ops by name. Each lives in mete/graph/ops/; a new one is declared here and listed in ops.cc.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "mete/graph/op.h"

namespace mete {

extern const Op kConvOp;                  // x[N,C,H,W], filter[O,C/groups,h,w]
extern const Op kConvBackwardDataOp;      // dy, filter
extern const Op kConvBackwardFilterOp;    // x, dy
extern const Op kMatMulOp;                // a[..,M,K], b[..,K,N] or b[K,N]
extern const Op kBiasOp;                  // x, bias[size of axis]
extern const Op kBiasBackwardOp;          // dy
extern const Op kBatchNormOp;             // x, gamma[C], beta[C] -> y, mean, inverse deviation
extern const Op kBatchNormBackwardOp;     // dy, x, gamma, mean, inverse deviation
extern const Op kReluOp;                  // x
extern const Op kReluBackwardOp;          // dy, y
extern const Op kGeluOp;                  // x
extern const Op kGeluBackwardOp;          // dy, x
extern const Op kMaxPoolOp;               // x[N,C,H,W]
extern const Op kMaxPoolBackwardOp;       // x, dy
extern const Op kAveragePoolOp;           // x[N,C,H,W]
extern const Op kAveragePoolBackwardOp;   // dy
extern const Op kConcatOp;                // two or more, equal but along the axis
extern const Op kSliceOp;                 // x
extern const Op kSliceBackwardOp;         // dy
extern const Op kAddOp;                   // a, b of one shape
extern const Op kMultiplyOp;              // a, b of one shape
extern const Op kReshapeOp;               // x
extern const Op kTransposeOp;             // x
extern const Op kSoftmaxOp;               // x, along the last axis
extern const Op kSoftmaxBackwardOp;       // dy, y
extern const Op kCrossEntropyOp;          // logits[N,C], labels[N] -> loss, probabilities
extern const Op kCrossEntropyBackwardOp;  // probabilities, labels
extern const Op kLogisticLossOp;          // logits, targets -> loss, probabilities
extern const Op kLogisticLossBackwardOp;  // probabilities, targets
extern const Op kLayerNormOp;             // x, gamma, beta -> y, mean, inverse deviation
extern const Op kLayerNormBackwardOp;     // dy, x, gamma, mean, inverse deviation
extern const Op kEmbeddingOp;             // table[R,D], indices
extern const Op kSigmoidOp;               // x
extern const Op kSigmoidBackwardOp;       // dy, y
extern const Op kTanhOp;                  // x
extern const Op kTanhBackwardOp;          // dy, y
extern const Op kClipOp;                  // x, to [low, high]
extern const Op kClipBackwardOp;          // dy, x
extern const Op kAffineOp;                // x -> scale * x + offset
extern const Op kScaleOp;                 // x, factor[size of axis]
extern const Op kBroadcastOp;             // x -> the shape given, repeated where x has size 1
extern const Op kReduceSumOp;             // x -> the shape given, summed where that has size 1
extern const Op kFixedNormOp;             // x, gamma[C], beta[C], mean[C], variance[C]
extern const Op kFixedNormBackwardOp;     // dy, x, gamma, mean, variance
extern const Op kSgdOp;                   // parameter, gradient
extern const Op kEmbeddingSgdOp;          // table, dy, indices: updates only the rows used

}  // namespace mete
