// Softmax, and the losses of logits that contain one. The largest logit is taken off before the
// exponential, so that it cannot overflow. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>

#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// Fills `y` with the softmax of `x`, which it may lie on. Returns the logarithm of the sum of the
/// exponentials.
double softmax_row(std::span<const float> x, std::span<float> y) {
  const double most = double{*std::max_element(x.begin(), x.end())};
  double sum = 0;
  for (const float each : x) sum += std::exp(double{each} - most);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = rounded(std::exp(double{x[i]} - most) / sum);
  return most + std::log(sum);
}

std::size_t row_size(const Shape& shape) { return static_cast<std::size_t>(shape.from_end(0)); }

/// What the mean of a loss divides by: the size of the first axis.
double batch_of(const Shape& shape) {
  return shape.rank() == 0 ? 1 : static_cast<double>(shape[0]);
}

Result<void> check_labels(std::span<const std::int64_t> labels, std::int64_t classes) {
  for (std::size_t n = 0; n < labels.size(); ++n) {
    if (labels[n] >= 0 && labels[n] < classes) continue;
    return fail(Errc::invalid, "label {} of example {}: expected 0 to {}", labels[n], n,
                classes - 1);
  }
  return {};
}

}  // namespace

Result<void> reference_softmax(const ReferenceRun& run) {
  const std::size_t size = row_size(run.in_shape(0));
  const auto x = run.input(0);
  for (std::size_t first = 0; first < x.size(); first += size) {
    softmax_row(x.subspan(first, size), run.output(0).subspan(first, size));
  }
  return {};
}

// dx = y (dy - sum of dy y)
Result<void> reference_softmax_backward(const ReferenceRun& run) {
  const std::size_t size = row_size(run.in_shape(0));
  const auto dy = run.input(0);
  const auto y = run.input(1);
  const auto dx = run.output(0);
  for (std::size_t first = 0; first < dy.size(); first += size) {
    double sum = 0;
    for (std::size_t i = first; i < first + size; ++i) sum += double{dy[i]} * double{y[i]};
    for (std::size_t i = first; i < first + size; ++i) {
      dx[i] = rounded(double{y[i]} * (double{dy[i]} - sum));
    }
  }
  return {};
}

// The mean over the batch of log(sum of exp x) - x[label].
Result<void> reference_cross_entropy(const ReferenceRun& run) {
  const auto labels = run.numbers(1);
  const std::size_t classes = row_size(run.in_shape(0));
  METE_TRY_VOID(check_labels(labels, run.in_shape(0)[1]));
  const auto x = run.input(0);
  double loss = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto row = x.subspan(n * classes, classes);
    const double chosen = double{row[static_cast<std::size_t>(labels[n])]};
    loss += softmax_row(row, run.output(1).subspan(n * classes, classes)) - chosen;
  }
  run.output(0)[0] = rounded(loss / batch_of(run.in_shape(0)));
  return {};
}

Result<void> reference_cross_entropy_backward(const ReferenceRun& run) {
  const auto p = run.input(0);
  const auto labels = run.numbers(1);
  const std::size_t classes = row_size(run.in_shape(0));
  METE_TRY_VOID(check_labels(labels, run.in_shape(0)[1]));
  const auto dx = run.output(0);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const bool right = static_cast<std::size_t>(labels[i / classes]) == i % classes;
    dx[i] = rounded((double{p[i]} - (right ? 1 : 0)) / batch_of(run.in_shape(0)));
  }
  return {};
}

// -t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-x)), written so that no exponential
// overflows; summed, and divided by the batch.
Result<void> reference_logistic_loss(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto targets = run.input(1);
  const auto p = run.output(1);
  double loss = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double logit = double{x[i]};
    loss +=
        std::max(logit, 0.0) - logit * double{targets[i]} + std::log1p(std::exp(-std::abs(logit)));
    p[i] = rounded(1 / (1 + std::exp(-logit)));
  }
  run.output(0)[0] = rounded(loss / batch_of(run.in_shape(0)));
  return {};
}

Result<void> reference_logistic_loss_backward(const ReferenceRun& run) {
  const auto p = run.input(0);
  const auto targets = run.input(1);
  const auto dx = run.output(0);
  for (std::size_t i = 0; i < p.size(); ++i) {
    dx[i] = rounded((double{p[i]} - double{targets[i]}) / batch_of(run.in_shape(0)));
  }
  return {};
}

}  // namespace mete
