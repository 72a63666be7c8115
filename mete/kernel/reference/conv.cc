// Convolution and its two gradients. All three walk over the same products
//   y[n,o,p,q] += x[n,c,i,j] * filter[o,c',u,v]
// where (i,j) is what tap (u,v) of the window at (p,q) meets, and c the c'-th channel of o's group;
// they differ in which of the three is the unknown. SPDX-License-Identifier: BSD-3-Clause
#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

struct ConvShapes {
  const Shape& x;
  const Shape& filter;
  const Shape& y;
};

/// Calls f(index in x, index in filter, index in y) for each product.
template <class F>
void for_each_product(const ConvShapes& s, const Attributes& a, F f) {
  const std::int64_t channels = s.filter[1];
  const std::int64_t filters_in_group = s.filter[0] / a.groups;
  for (std::int64_t n = 0; n < s.y[0]; ++n) {
    for (std::int64_t o = 0; o < s.y[1]; ++o) {
      const std::int64_t first_channel = o / filters_in_group * channels;
      for (std::int64_t p = 0; p < s.y[2]; ++p) {
        for (std::int64_t q = 0; q < s.y[3]; ++q) {
          const std::size_t in_y = at(s.y, n, o, p, q);
          for (std::int64_t c = 0; c < channels; ++c) {
            for (std::int64_t u = 0; u < s.filter[2]; ++u) {
              const std::int64_t i = met_by(a, 0, p, u);
              if (i < 0 || i >= s.x[2]) continue;
              for (std::int64_t v = 0; v < s.filter[3]; ++v) {
                const std::int64_t j = met_by(a, 1, q, v);
                if (j < 0 || j >= s.x[3]) continue;
                f(at(s.x, n, first_channel + c, i, j), at(s.filter, o, c, u, v), in_y);
              }
            }
          }
        }
      }
    }
  }
}

void store(const std::vector<double>& sums, std::span<float> result) {
  for (std::size_t i = 0; i < sums.size(); ++i) result[i] = rounded(sums[i]);
}

}  // namespace

Result<void> reference_conv(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto filter = run.input(1);
  std::vector<double> y(run.output(0).size(), 0);
  for_each_product({run.in_shape(0), run.in_shape(1), run.out_shape(0)}, run.attributes(),
                   [&](std::size_t i, std::size_t w, std::size_t o) {
                     y[o] += double{x[i]} * double{filter[w]};
                   });
  store(y, run.output(0));
  return {};
}

Result<void> reference_conv_backward_data(const ReferenceRun& run) {
  const auto dy = run.input(0);
  const auto filter = run.input(1);
  std::vector<double> dx(run.output(0).size(), 0);
  for_each_product({run.out_shape(0), run.in_shape(1), run.in_shape(0)}, run.attributes(),
                   [&](std::size_t i, std::size_t w, std::size_t o) {
                     dx[i] += double{dy[o]} * double{filter[w]};
                   });
  store(dx, run.output(0));
  return {};
}

Result<void> reference_conv_backward_filter(const ReferenceRun& run) {
  const auto x = run.input(0);
  const auto dy = run.input(1);
  std::vector<double> filter(run.output(0).size(), 0);
  for_each_product({run.in_shape(0), run.out_shape(0), run.in_shape(1)}, run.attributes(),
                   [&](std::size_t i, std::size_t w, std::size_t o) {
                     filter[w] += double{x[i]} * double{dy[o]};
                   });
  store(filter, run.output(0));
  return {};
}

}  // namespace mete
