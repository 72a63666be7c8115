// Names of types and of things in a file; without state, so that the plugin has it too.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include <fmt/format.h>

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

/// How many bytes the UTF-8 character at the start takes; 0 if it is none, or a control character.
std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7f) return 0;
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80U) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond Unicode; and C1 control characters.
  const auto second = static_cast<unsigned char>(text[1]);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ||
      (first == 0xc2 && second < 0xa0)) {
    return 0;
  }
  return length;
}

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

std::string shown_name(std::string_view name) {
  std::string shown;
  while (!name.empty()) {
    if (shown.size() >= kMostShown) return shown + "..";
    const std::size_t length = character_bytes(name);
    if (length == 0) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(name[0]));
    } else {
      shown += name.substr(0, length);
    }
    name.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

}  // namespace mete
