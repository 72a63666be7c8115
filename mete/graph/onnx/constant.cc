// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/onnx/constant.h"

#include <cstring>

namespace mete {
namespace {

template <class Element, class To>
std::vector<To> elements(const std::string& bytes) {
  std::vector<To> values(bytes.size() / sizeof(Element));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Element element{};
    std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
    values[i] = static_cast<To>(element);
  }
  return values;
}

}  // namespace

OnnxConstant OnnxConstant::of_integers(std::vector<std::int64_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {OnnxType::i64, Shape{count}, std::move(values), {}};
}

std::optional<OnnxConstant> constant_of(const OnnxTensor& tensor) {
  OnnxConstant constant{tensor.type, Shape{tensor.dims}, {}, {}};
  if (tensor.external || constant.shape.elements() > kMostFolded ||
      constant.shape.rank() > kMostAxes) {
    return std::nullopt;
  }
  const std::string& bytes = tensor.bytes;
  auto& integers = constant.integers;
  switch (tensor.type) {
    case OnnxType::f32:
      constant.reals = elements<float, double>(bytes);
      break;
    case OnnxType::f64:
      constant.reals = elements<double, double>(bytes);
      break;
    case OnnxType::u8:
    case OnnxType::boolean:
      integers = elements<std::uint8_t, std::int64_t>(bytes);
      break;
    case OnnxType::i8:
      integers = elements<std::int8_t, std::int64_t>(bytes);
      break;
    case OnnxType::u16:
      integers = elements<std::uint16_t, std::int64_t>(bytes);
      break;
    case OnnxType::i16:
      integers = elements<std::int16_t, std::int64_t>(bytes);
      break;
    case OnnxType::u32:
      integers = elements<std::uint32_t, std::int64_t>(bytes);
      break;
    case OnnxType::i32:
      integers = elements<std::int32_t, std::int64_t>(bytes);
      break;
    case OnnxType::u64:
    case OnnxType::i64:
      integers = elements<std::int64_t, std::int64_t>(bytes);
      break;
    default:
      return std::nullopt;
  }
  return constant;
}

std::string graph_bytes(const OnnxConstant& constant) {
  std::string bytes;
  if (constant.is_real()) {
    for (const double value : constant.reals) {
      const auto element = static_cast<float>(value);
      bytes.append(reinterpret_cast<const char*>(&element), sizeof element);
    }
  } else {
    bytes.assign(reinterpret_cast<const char*>(constant.integers.data()),
                 constant.integers.size() * sizeof(std::int64_t));
  }
  return bytes;
}

}  // namespace mete
