// A number for all elements that share an index along one axis: added, multiplied by, and the sum
// that is the former's gradient. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// Calls f(element, index along the axis) for all elements of the first input.
template <class F>
void for_each_along(const ReferenceRun& run, F f) {
  const AlongAxis view = along(run.in_shape(0), run.attributes().axis);
  std::size_t i = 0;
  for (std::size_t outer = 0; outer < view.outer; ++outer) {
    for (std::size_t along_it = 0; along_it < view.size; ++along_it) {
      for (std::size_t inner = 0; inner < view.inner; ++inner) f(i++, along_it);
    }
  }
}

}  // namespace

Result<void> reference_bias(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto bias = run.input(1);
  const auto y = run.output(0);
  for_each_along(run, [&](std::size_t i, std::size_t c) { y[i] = x[i] + bias[c]; });
  return {};
}

Result<void> reference_scale(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto factor = run.input(1);
  const auto y = run.output(0);
  for_each_along(run, [&](std::size_t i, std::size_t c) { y[i] = x[i] * factor[c]; });
  return {};
}

Result<void> reference_bias_backward(const ReferenceRun& run) {
  const auto dy = run.input(0);
  const auto db = run.output(0);
  std::vector<double> sums(db.size(), 0);
  for_each_along(run, [&](std::size_t i, std::size_t c) { sums[c] += double{dy[i]}; });
  for (std::size_t c = 0; c < db.size(); ++c) db[c] = rounded(sums[c]);
  return {};
}

}  // namespace mete
