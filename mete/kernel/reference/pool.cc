// Max and average pooling. Padding is never the largest, and counts in an average only if the
// attributes say so. A window that meets nothing but padding (dilation can make one) has the
// largest element -infinity and the average 0. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>

#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

/// Calls f(index in the result, indices in the image that its window meets) for each window.
template <class F>
void for_each_window(const Shape& image, const Shape& result, const Attributes& a, F f) {
  std::vector<std::size_t> met;
  for (std::int64_t n = 0; n < result[0]; ++n) {
    for (std::int64_t c = 0; c < result[1]; ++c) {
      for (std::int64_t p = 0; p < result[2]; ++p) {
        for (std::int64_t q = 0; q < result[3]; ++q) {
          met.clear();
          for (std::int64_t u = 0; u < a.kernel[0]; ++u) {
            const std::int64_t i = met_by(a, 0, p, u);
            if (i < 0 || i >= image[2]) continue;
            for (std::int64_t v = 0; v < a.kernel[1]; ++v) {
              const std::int64_t j = met_by(a, 1, q, v);
              if (j >= 0 && j < image[3]) met.push_back(at(image, n, c, i, j));
            }
          }
          f(at(result, n, c, p, q), met);
        }
      }
    }
  }
}

/// The first of the largest.
std::size_t largest(std::span<const float> x, const std::vector<std::size_t>& met) {
  return *std::max_element(met.begin(), met.end(),
                           [x](std::size_t a, std::size_t b) { return x[a] < x[b]; });
}

double divisor(const Attributes& a, const std::vector<std::size_t>& met) {
  if (a.count_padding) return static_cast<double>(a.kernel[0]) * static_cast<double>(a.kernel[1]);
  return static_cast<double>(std::max<std::size_t>(met.size(), 1));
}

}  // namespace

Result<void> reference_max_pool(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto y = run.output(0);
  for_each_window(run.in_shape(0), run.out_shape(0), run.attributes(),
                  [&](std::size_t o, const std::vector<std::size_t>& met) {
                    y[o] =
                        met.empty() ? -std::numeric_limits<float>::infinity() : x[largest(x, met)];
                  });
  return {};
}

Result<void> reference_max_pool_backward(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto dy = run.input(1);
  const auto dx = run.output(0);
  std::vector<double> sums(dx.size(), 0);
  for_each_window(run.in_shape(0), run.in_shape(1), run.attributes(),
                  [&](std::size_t o, const std::vector<std::size_t>& met) {
                    if (!met.empty()) sums[largest(x, met)] += double{dy[o]};
                  });
  std::transform(sums.begin(), sums.end(), dx.begin(), rounded);
  return {};
}

Result<void> reference_average_pool(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto y = run.output(0);
  for_each_window(run.in_shape(0), run.out_shape(0), run.attributes(),
                  [&](std::size_t o, const std::vector<std::size_t>& met) {
                    double sum = 0;
                    for (const auto i : met) sum += double{x[i]};
                    y[o] = rounded(sum / divisor(run.attributes(), met));
                  });
  return {};
}

Result<void> reference_average_pool_backward(const ReferenceRun& run) {
  const auto dy = run.input(0);
  const auto dx = run.output(0);
  std::vector<double> sums(dx.size(), 0);
  for_each_window(run.out_shape(0), run.in_shape(0), run.attributes(),
                  [&](std::size_t o, const std::vector<std::size_t>& met) {
                    for (const auto i : met) {
                      sums[i] += double{dy[o]} / divisor(run.attributes(), met);
                    }
                  });
  std::transform(sums.begin(), sums.end(), dx.begin(), rounded);
  return {};
}

}  // namespace mete
