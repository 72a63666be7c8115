// SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/reference/backward_shapes.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "mete/graph/ops.h"

namespace mete {
namespace {

/// Stands for the backward op's first result among the operands of a row.
constexpr int kFirstResult = -1;
constexpr int kNone = -2;

/// The forward op of these operands must give those operands: numbers are the backward op's inputs.
struct BackwardRow {
  const Op* backward;
  const Op* forward;
  std::array<int, 5> inputs;
  std::array<int, 3> outputs;
};

constexpr BackwardRow row(const Op& backward, const Op& forward, std::initializer_list<int> inputs,
                          std::initializer_list<int> outputs) {
  BackwardRow made{&backward, &forward, {}, {}};
  made.inputs.fill(kNone);
  made.outputs.fill(kNone);
  std::copy(inputs.begin(), inputs.end(), made.inputs.begin());
  std::copy(outputs.begin(), outputs.end(), made.outputs.begin());
  return made;
}

constexpr std::array kRows = {
    row(kConvBackwardDataOp, kConvOp, {kFirstResult, 1}, {0}),
    row(kConvBackwardFilterOp, kConvOp, {0, kFirstResult}, {1}),
    row(kMaxPoolBackwardOp, kMaxPoolOp, {kFirstResult}, {1}),
    row(kMaxPoolBackwardOp, kReluOp, {0}, {kFirstResult}),
    row(kAveragePoolBackwardOp, kAveragePoolOp, {kFirstResult}, {0}),
    row(kBatchNormBackwardOp, kBatchNormOp, {1, 2, 2}, {0, 3, 4}),
    row(kLayerNormBackwardOp, kLayerNormOp, {1, 2, 2}, {0, 3, 4}),
    row(kFixedNormBackwardOp, kFixedNormOp, {1, 2, 2, 3, 4}, {0}),
    row(kCrossEntropyBackwardOp, kCrossEntropyOp, {0, 1}, {kNone, 0}),
};

}  // namespace

Result<void> check_backward_shapes(const Op& op, Types in, Types out, const Attributes& a) {
  const auto operand = [&](int i) -> const TensorType& {
    return i == kFirstResult ? out[0] : in[static_cast<std::size_t>(i)];
  };
  for (const auto& row : kRows) {
    if (row.backward->name != op.name) continue;
    std::vector<TensorType> inputs;
    for (const int i : row.inputs) {
      if (i != kNone) inputs.push_back(operand(i));
    }
    METE_TRY(const auto outputs, row.forward->infer(inputs, a));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (row.outputs[i] == kNone || outputs[i] == operand(row.outputs[i])) continue;
      return fail(Errc::invalid, "a gradient of {} does not fit a result of {}",
                  operand(row.outputs[i]).shape.text(), outputs[i].shape.text());
    }
  }
  return {};
}

}  // namespace mete
