// Two-dimensional convolution (stride, padding, dilation, groups) and its two gradients.
// MACs: one for each result element and filter weight that it meets, border and interior alike.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/ops/window.h"

namespace mete {
namespace {

Result<std::vector<TensorType>> infer(Types in, const Attributes& a) {
  METE_TRY_VOID(expect_rank(in[0], 4, "images"));
  METE_TRY_VOID(expect_rank(in[1], 4, "filters"));
  const Shape& x = in[0].shape;
  const Shape& filter = in[1].shape;
  if (a.groups < 1 || x[1] % a.groups != 0 || filter[0] % a.groups != 0 ||
      filter[1] != x[1] / a.groups) {
    return fail(Errc::invalid, "images of {} with filters of {} in {} groups do not fit", x.text(),
                filter.text(), a.groups);
  }
  METE_TRY(const auto at, window_positions(x, {filter[2], filter[3]}, a));
  return std::vector<TensorType>{TensorType{Shape{x[0], filter[0], at[0], at[1]}}};
}

/// All three compute the same number of products.
std::uint64_t macs(const Shape& result, const Shape& filter) {
  const Shape each{filter[1], filter[2], filter[3]};
  return times(result.elements(), each.elements());
}

OpWork work(Types in, Types out, const Attributes& /*a*/) {
  return {macs(out[0].shape, in[1].shape), 0};
}

OpWork data_work(Types in, Types /*out*/, const Attributes& /*a*/) {
  return {macs(in[0].shape, in[1].shape), 0};
}

OpWork filter_work(Types in, Types /*out*/, const Attributes& a) {
  return {macs(in[1].shape, a.shape), 0};
}

void gradient(GradientScope& scope) {
  for (const std::size_t i : {std::size_t{1}, std::size_t{0}}) {
    if (!scope.wanted[i]) continue;
    Attributes a = scope.node.attributes;
    a.shape = scope.builder.shape(scope.in(i));
    scope.input_gradients[i] =
        i == 0 ? scope.builder.add(kConvBackwardDataOp, {scope.dy(), scope.in(1)}, a)
               : scope.builder.add(kConvBackwardFilterOp, {scope.in(0), scope.dy()}, a);
  }
}

}  // namespace

const Op kConvOp = {
    .name = "conv", .inputs = 2, .infer = infer, .work = work, .gradient = gradient};
const Op kConvBackwardDataOp = {
    .name = "conv-backward-data", .inputs = 2, .infer = shape_given, .work = data_work};
const Op kConvBackwardFilterOp = {
    .name = "conv-backward-filter", .inputs = 2, .infer = shape_given, .work = filter_work};

}  // namespace mete
