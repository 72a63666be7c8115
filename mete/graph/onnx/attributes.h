// A node's settings, which ONNX has moved from attributes to inputs over the years.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mete/graph/onnx/constant.h"

namespace mete {

inline constexpr std::size_t kNoInput = std::numeric_limits<std::size_t>::max();

std::int64_t integer_of(const OnnxNode& node, std::string_view attribute, std::int64_t fallback);
double real_of(const OnnxNode& node, std::string_view attribute, double fallback);
std::string text_of(const OnnxNode& node, std::string_view attribute, std::string_view fallback);
/// The attribute, or the known whole numbers of that input (at most kMostAxes of either). Nothing
/// if there is neither.
std::optional<Sizes> integers_of(const OnnxNode& node, std::string_view attribute,
                                 std::size_t input, std::span<const OnnxConstant* const> inputs);

}  // namespace mete
