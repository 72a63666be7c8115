// Names of types and of things in a file; without state, so that the plugin has it too.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include <fmt/format.h>

#include "mete/base/utf8.h"
#include "mete/graph/onnx/onnx_file.h"

namespace mete {
namespace {

struct TypeRow {
  OnnxType type;
  const char* name;
  std::uint64_t bytes;
};
constexpr TypeRow kTypes[] = {{OnnxType::f32, "float32", 4},   {OnnxType::u8, "uint8", 1},
                              {OnnxType::i8, "int8", 1},       {OnnxType::u16, "uint16", 2},
                              {OnnxType::i16, "int16", 2},     {OnnxType::i32, "int32", 4},
                              {OnnxType::i64, "int64", 8},     {OnnxType::text, "string", 0},
                              {OnnxType::boolean, "bool", 1},  {OnnxType::f16, "float16", 2},
                              {OnnxType::f64, "float64", 8},   {OnnxType::u32, "uint32", 4},
                              {OnnxType::u64, "uint64", 8},    {OnnxType::bf16, "bfloat16", 2},
                              {OnnxType::none, "no tensor", 0}};

constexpr std::size_t kMostShown = 100;

}  // namespace

std::string onnx_type_name(OnnxType type) {
  for (const auto& row : kTypes) {
    if (row.type == type) return row.name;
  }
  return fmt::format("type {}", static_cast<std::int32_t>(type));
}

std::uint64_t onnx_type_bytes(OnnxType type) {
  for (const auto& row : kTypes) {
    if (row.type == type) return row.bytes;
  }
  return 0;
}

const OnnxAttribute* OnnxNode::find(std::string_view attribute) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const auto& each) { return each.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

std::string shown_name(std::string_view name) { return printable(name, kMostShown); }

}  // namespace mete
