// Writes ONNX files byte by byte, as protobuf encodes them, so that tests can say things that no
// library would write. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace mete::onnx_bytes {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>((value & 0x7fU) | 0x80U);
  return bytes + static_cast<char>(value);
}
/// Field numbers are those of onnx.proto.
inline std::string number(unsigned field, std::int64_t value) {
  return varint(field << 3U) + varint(static_cast<std::uint64_t>(value));
}
inline std::string part(unsigned field, std::string_view bytes) {
  return varint((field << 3U) | 2U) + varint(bytes.size()) + std::string(bytes);
}

/// TensorProto. `type` 1: 32-bit floats, 7: 64-bit integers.
inline std::string tensor(std::string_view name, const std::vector<std::int64_t>& dims, int type,
                          std::string_view raw) {
  std::string t;
  for (const auto size : dims) t += number(1, size);
  return t + number(2, type) + part(8, name) + part(9, raw);
}
inline std::string floats(std::string_view name, const std::vector<std::int64_t>& dims) {
  std::size_t count = 1;
  for (const auto size : dims) count *= static_cast<std::size_t>(size);
  std::string raw;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(i % 7) - 3;
    raw.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return tensor(name, dims, 1, raw);
}
inline std::string integers(std::string_view name, const std::vector<std::int64_t>& values) {
  std::string raw(values.size() * sizeof(std::int64_t), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return tensor(name, {static_cast<std::int64_t>(values.size())}, 7, raw);
}
/// One whose data lies in another file.
inline std::string external(std::string_view name, const std::vector<std::int64_t>& dims,
                            std::string_view location) {
  std::string t;
  for (const auto size : dims) t += number(1, size);
  return t + number(2, 1) + part(8, name) + part(13, part(1, "location") + part(2, location)) +
         number(14, 1);
}

/// AttributeProto with whole numbers.
inline std::string attribute(std::string_view name, const std::vector<std::int64_t>& values) {
  std::string a = part(1, name) + number(20, 7);
  for (const auto value : values) a += number(8, value);
  return a;
}
inline std::string attribute(std::string_view name, std::int64_t value) {
  return part(1, name) + number(20, 2) + number(3, value);
}

inline std::string node(std::string_view op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs,
                        const std::vector<std::string>& attributes = {}) {
  std::string n;
  for (const auto& each : inputs) n += part(1, each);
  for (const auto& each : outputs) n += part(2, each);
  n += part(3, "the_" + std::string(op)) + part(4, op);
  for (const auto& each : attributes) n += part(5, each);
  return n;
}

/// ValueInfoProto of a tensor; sizes below 0 are left open, with that name if there is one.
inline std::string value(std::string_view name, const std::vector<std::int64_t>& dims,
                         std::string_view open = "", int type = 1) {
  std::string shape;
  for (const auto size : dims) {
    shape += part(1, size >= 0 ? number(1, size) : open.empty() ? "" : part(2, open));
  }
  return part(1, name) + part(2, part(1, number(1, type) + part(2, shape)));
}

struct Model {
  std::vector<std::string> nodes;
  std::vector<std::string> weights = {};
  std::vector<std::string> inputs = {value("x", {2, 3})};
  std::vector<std::string> outputs = {value("y", {})};
  std::int64_t opset = 13;

  [[nodiscard]] std::string bytes() const {
    std::string graph = part(2, "graph");
    for (const auto& each : nodes) graph += part(1, each);
    for (const auto& each : weights) graph += part(5, each);
    for (const auto& each : inputs) graph += part(11, each);
    for (const auto& each : outputs) graph += part(12, each);
    return number(1, 8) + part(7, graph) + part(8, number(2, opset));
  }
};

}  // namespace mete::onnx_bytes
