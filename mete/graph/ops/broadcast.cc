// A tensor repeated along the axes where it has size 1, and the sum that undoes it: each is the
// other's gradient. And a factor for all elements that share an index along one axis.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/common.h"

namespace mete {
namespace {

/// True if each size of `small` is that of `large`, or 1.
bool repeats(const Shape& small, const Shape& large) {
  if (small.rank() != large.rank()) return false;
  for (std::size_t i = 0; i < small.rank(); ++i) {
    if (small[i] != large[i] && small[i] != 1) return false;
  }
  return true;
}

Result<std::vector<TensorType>> infer_broadcast(Types in, const Attributes& a) {
  if (!repeats(in[0].shape, a.shape)) {
    return fail(Errc::invalid, "{} repeated to {}: expected equal sizes, or 1", in[0].shape.text(),
                a.shape.text());
  }
  return std::vector<TensorType>{TensorType{a.shape, in[0].type}};
}

Result<std::vector<TensorType>> infer_sum(Types in, const Attributes& a) {
  if (!repeats(a.shape, in[0].shape)) {
    return fail(Errc::invalid, "{} summed to {}: expected equal sizes, or 1", in[0].shape.text(),
                a.shape.text());
  }
  return std::vector<TensorType>{TensorType{a.shape, in[0].type}};
}

Result<std::vector<TensorType>> infer_scale(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_axis(in[0], a.axis));
  METE_TRY_VOID(expect_vector(in[1], in[0].shape[a.axis], "scale"));
  return std::vector<TensorType>{in[0]};
}

template <const Op& kInverse>
void gradient(GradientScope& scope) {
  Attributes a;
  a.shape = scope.builder.shape(scope.in(0));
  scope.input_gradients[0] = scope.builder.add(kInverse, {scope.dy()}, a);
}

void scale_gradient(GradientScope& scope) {
  const Attributes& a = scope.node.attributes;
  if (scope.wanted[1]) {
    const TensorId product = scope.builder.add(kMultiplyOp, {scope.dy(), scope.in(0)});
    scope.input_gradients[1] = scope.builder.add(kBiasBackwardOp, {product}, a);
  }
  if (scope.wanted[0]) {
    scope.input_gradients[0] = scope.builder.add(kScaleOp, {scope.dy(), scope.in(1)}, a);
  }
}

}  // namespace

const Op kBroadcastOp = {.name = "broadcast",
                         .inputs = 1,
                         .infer = infer_broadcast,
                         .work = no_work,
                         .gradient = gradient<kReduceSumOp>};
const Op kReduceSumOp = {.name = "reduce-sum",
                         .inputs = 1,
                         .infer = infer_sum,
                         .work = per_element<1>,
                         .gradient = gradient<kBroadcastOp>};
const Op kScaleOp = {.name = "scale",
                     .inputs = 2,
                     .infer = infer_scale,
                     .work = per_element<1>,
                     .gradient = scale_gradient,
                     .reuse = Reuse::may};

}  // namespace mete
