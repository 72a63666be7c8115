// Ops that treat each element alone. An element is read before its result is written, so the result
// may lie on an input. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <numbers>

#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// y = f(x)
template <class F>
Result<void> each(const ReferenceRun& run, F f) {
  const auto x = run.input(0);
  const auto y = run.output(0);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = rounded(f(double{x[i]}));
  return {};
}

/// y = f(a, b)
template <class F>
Result<void> each_pair(const ReferenceRun& run, F f) {
  const auto a = run.input(0);
  const auto b = run.input(1);
  const auto y = run.output(0);
  for (std::size_t i = 0; i < a.size(); ++i) y[i] = rounded(f(double{a[i]}, double{b[i]}));
  return {};
}

double normal_density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

}  // namespace

// Not-a-number stays what it is, so that a training that went wrong is seen.
Result<void> reference_relu(const ReferenceRun& run) {
  return each(run, [](double x) { return x < 0 ? 0 : x; });
}
Result<void> reference_relu_backward(const ReferenceRun& run) {
  return each_pair(run, [](double dy, double y) { return y > 0 ? dy : 0; });
}
Result<void> reference_gelu(const ReferenceRun& run) {
  return each(run, [](double x) { return x * normal_distribution(x); });
}
Result<void> reference_gelu_backward(const ReferenceRun& run) {
  return each_pair(run, [](double dy, double x) {
    return dy * (normal_distribution(x) + x * normal_density(x));
  });
}
Result<void> reference_sigmoid(const ReferenceRun& run) {
  return each(run, [](double x) { return 1 / (1 + std::exp(-x)); });
}
Result<void> reference_sigmoid_backward(const ReferenceRun& run) {
  return each_pair(run, [](double dy, double y) { return dy * y * (1 - y); });
}
Result<void> reference_tanh(const ReferenceRun& run) {
  return each(run, [](double x) { return std::tanh(x); });
}
Result<void> reference_tanh_backward(const ReferenceRun& run) {
  return each_pair(run, [](double dy, double y) { return dy * (1 - y * y); });
}
Result<void> reference_clip(const ReferenceRun& run) {
  const Attributes& a = run.attributes();
  return each(run, [&a](double x) { return std::clamp(x, a.low, a.high); });
}
Result<void> reference_clip_backward(const ReferenceRun& run) {
  const Attributes& a = run.attributes();
  return each_pair(run, [&a](double dy, double x) { return x >= a.low && x <= a.high ? dy : 0; });
}
Result<void> reference_affine(const ReferenceRun& run) {
  const Attributes& a = run.attributes();
  return each(run, [&a](double x) { return a.scale * x + a.offset; });
}
Result<void> reference_add(const ReferenceRun& run) {
  return each_pair(run, [](double a, double b) { return a + b; });
}
Result<void> reference_multiply(const ReferenceRun& run) {
  return each_pair(run, [](double a, double b) { return a * b; });
}
Result<void> reference_sgd(const ReferenceRun& run) {
  const double rate = run.attributes().scale;
  return each_pair(run, [rate](double value, double gradient) { return value - rate * gradient; });
}

}  // namespace mete
