// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/attributes.h"

namespace mete {

std::int64_t integer_of(const OnnxNode& node, std::string_view attribute, std::int64_t fallback) {
  const auto* found = node.find(attribute);
  return found != nullptr && found->kind == OnnxAttribute::Kind::integer ? found->integers[0]
                                                                         : fallback;
}

double real_of(const OnnxNode& node, std::string_view attribute, double fallback) {
  const auto* found = node.find(attribute);
  return found != nullptr && found->kind == OnnxAttribute::Kind::real
             ? static_cast<double>(found->reals[0])
             : fallback;
}

std::string text_of(const OnnxNode& node, std::string_view attribute, std::string_view fallback) {
  const auto* found = node.find(attribute);
  return std::string(found != nullptr && found->kind == OnnxAttribute::Kind::text ? found->texts[0]
                                                                                  : fallback);
}

std::optional<Sizes> integers_of(const OnnxNode& node, std::string_view attribute,
                                 std::size_t input, std::span<const OnnxConstant* const> inputs) {
  if (input < inputs.size() && inputs[input] != nullptr) {
    const OnnxConstant& known = *inputs[input];
    if (known.is_real() || known.shape.rank() > 1 || known.size() > kMostAxes) return std::nullopt;
    return known.integers;
  }
  const auto* found = node.find(attribute);
  if (found == nullptr || found->kind != OnnxAttribute::Kind::integers ||
      found->integers.size() > kMostAxes) {
    return std::nullopt;
  }
  return found->integers;
}

}  // namespace mete
