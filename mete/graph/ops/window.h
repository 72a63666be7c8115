// Windows that slide over images: what convolution and pooling share.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstdint>

#include "mete/graph/ops/common.h"

namespace mete {

/// Largest kernel, stride, dilation or padding that is believed.
inline constexpr std::int64_t kMostWindow = 1 << 20;

/// How many positions a window takes along each image axis (ONNX's formula, rounding down).
inline Result<std::array<std::int64_t, 2>> window_positions(const Shape& image,
                                                            std::array<std::int64_t, 2> kernel,
                                                            const Attributes& a) {
  std::array<std::int64_t, 2> positions{};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t before = a.pad[i];
    const std::int64_t after = a.pad[i + 2];
    if (kernel[i] < 1 || a.stride[i] < 1 || a.dilation[i] < 1 || before < 0 || after < 0 ||
        kernel[i] > kMostWindow || a.stride[i] > kMostWindow || a.dilation[i] > kMostWindow ||
        before > kMostWindow || after > kMostWindow) {
      return fail(Errc::invalid,
                  "kernel {}, stride {}, dilation {}, padding {} and {}: expected 1 or more "
                  "(padding: 0 or more)",
                  kernel[i], a.stride[i], a.dilation[i], before, after);
    }
    const std::int64_t reach = a.dilation[i] * (kernel[i] - 1) + 1;
    const std::int64_t room = image[2 + i] + before + after - reach;
    if (room < 0) {
      return fail(Errc::invalid, "a window that reaches over {} does not fit an image of {}", reach,
                  image.text());
    }
    positions[i] = room / a.stride[i] + 1;
  }
  return positions;
}

}  // namespace mete
