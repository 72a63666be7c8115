// Norms. What is normalised together is a set of elements with one mean and one inverse deviation:
// a channel of all images (batch norm), or a row (layer norm). With x' = (x - mean) * inverse:
//   y = gamma x' + beta;  dgamma = sum dy x';  dbeta = sum dy
//   dx = inverse * (g - mean of g - x' * mean of (g x')), where g = gamma dy
// (Ioffe and Szegedy 2015, section 3; Ba et al. 2016). The variance is that of the set itself:
// divided by the count. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// Which set an element belongs to, and which gamma and beta it has.
struct NormSets {
  AlongAxis view;
  bool rows;  ///< layer norm

  NormSets(const Shape& x, bool layer) : view(along(x, layer ? x.rank() - 1 : 1)), rows(layer) {}

  [[nodiscard]] std::size_t count() const { return rows ? view.outer : view.size; }
  [[nodiscard]] std::size_t parameter(std::size_t i) const { return i / view.inner % view.size; }
  [[nodiscard]] std::size_t set(std::size_t i) const { return rows ? i / view.size : parameter(i); }
  [[nodiscard]] double each() const {
    return static_cast<double>(rows ? view.size : view.outer * view.inner);
  }
};

Result<void> normalise(const ReferenceRun& run, bool layer) {
  const auto x = run.input(0);
  const auto gamma = run.input(1);
  const auto beta = run.input(2);
  const NormSets sets(run.in_shape(0), layer);
  std::vector<double> mean(sets.count(), 0);
  std::vector<double> inverse(sets.count(), 0);
  for (std::size_t i = 0; i < x.size(); ++i) mean[sets.set(i)] += double{x[i]} / sets.each();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = double{x[i]} - mean[sets.set(i)];
    inverse[sets.set(i)] += off * off / sets.each();
  }
  for (std::size_t s = 0; s < sets.count(); ++s) {
    inverse[s] = 1 / std::sqrt(inverse[s] + run.attributes().epsilon);
    run.output(1)[s] = rounded(mean[s]);
    run.output(2)[s] = rounded(inverse[s]);
  }
  const auto y = run.output(0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t p = sets.parameter(i);
    const double normal = (double{x[i]} - mean[sets.set(i)]) * inverse[sets.set(i)];
    y[i] = rounded(double{gamma[p]} * normal + double{beta[p]});
  }
  return {};
}

/// `fixed`: mean and inverse deviation do not depend on x.
Result<void> differentiate(const ReferenceRun& run, const NormSets& sets,
                           std::span<const float> mean, const std::vector<double>& inverse,
                           bool fixed) {
  const auto dy = run.input(0);
  const auto x = run.input(1);
  const auto gamma = run.input(2);
  std::vector<double> dgamma(gamma.size(), 0);
  std::vector<double> dbeta(gamma.size(), 0);
  std::vector<double> mean_g(sets.count(), 0);
  std::vector<double> mean_gx(sets.count(), 0);
  const auto normal = [&](std::size_t i) {
    return (double{x[i]} - double{mean[sets.set(i)]}) * inverse[sets.set(i)];
  };
  for (std::size_t i = 0; i < dy.size(); ++i) {
    const std::size_t p = sets.parameter(i);
    const double g = double{gamma[p]} * double{dy[i]};
    dgamma[p] += double{dy[i]} * normal(i);
    dbeta[p] += double{dy[i]};
    mean_g[sets.set(i)] += g / sets.each();
    mean_gx[sets.set(i)] += g * normal(i) / sets.each();
  }
  const auto dx = run.output(0);
  for (std::size_t i = 0; i < dy.size(); ++i) {
    const std::size_t s = sets.set(i);
    const double g = double{gamma[sets.parameter(i)]} * double{dy[i]};
    dx[i] = rounded(inverse[s] * (fixed ? g : g - mean_g[s] - normal(i) * mean_gx[s]));
  }
  for (std::size_t p = 0; p < gamma.size(); ++p) {
    run.output(1)[p] = rounded(dgamma[p]);
    run.output(2)[p] = rounded(dbeta[p]);
  }
  return {};
}

Result<void> norm_backward(const ReferenceRun& run, bool layer) {
  const auto inverse = run.input(4);
  return differentiate(run, NormSets(run.in_shape(0), layer), run.input(3),
                       {inverse.begin(), inverse.end()}, false);
}

std::vector<double> inverse_deviations(std::span<const float> variance, double epsilon) {
  std::vector<double> inverse;
  for (const float each : variance) inverse.push_back(1 / std::sqrt(double{each} + epsilon));
  return inverse;
}

}  // namespace

Result<void> reference_batch_norm(const ReferenceRun& run) { return normalise(run, false); }
Result<void> reference_batch_norm_backward(const ReferenceRun& run) {
  return norm_backward(run, false);
}
Result<void> reference_layer_norm(const ReferenceRun& run) { return normalise(run, true); }
Result<void> reference_layer_norm_backward(const ReferenceRun& run) {
  return norm_backward(run, true);
}

Result<void> reference_fixed_norm(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto y = run.output(0);
  const NormSets sets(run.in_shape(0), false);
  const auto inverse = inverse_deviations(run.input(4), run.attributes().epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = sets.set(i);
    const double normal = (double{x[i]} - double{run.input(3)[c]}) * inverse[c];
    y[i] = rounded(double{run.input(1)[c]} * normal + double{run.input(2)[c]});
  }
  return {};
}

Result<void> reference_fixed_norm_backward(const ReferenceRun& run) {
  return differentiate(run, NormSets(run.in_shape(0), false), run.input(3),
                       inverse_deviations(run.input(4), run.attributes().epsilon), true);
}

}  // namespace mete
