// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/yaml_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/base/utf8.h"

namespace mete {
namespace {

/// Words that YAML 1.1 reads as booleans or null (yaml.org/type/bool.html, null.html).
constexpr std::array<std::string_view, 9> kReserved{"y",   "n",    "yes",   "no",  "on",
                                                    "off", "true", "false", "null"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_plain_inside(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') ||
         std::string_view(" ./+-()%,=*@").find(c) != std::string_view::npos;
}

/// Starts with a letter, so it is no number, date or indicator; holds neither ':' nor '#'.
bool is_safe_plain(std::string_view text) {
  if (text.empty() || !is_letter(text.front()) || text.back() == ' ') return false;
  if (!std::all_of(text.begin(), text.end(), is_plain_inside)) return false;
  if (text.find("  ") != std::string_view::npos) return false;
  return std::none_of(kReserved.begin(), kReserved.end(),
                      [text](std::string_view word) { return iequals(word, text); });
}

void append_escaped(std::string& out, std::string_view bytes, std::uint32_t code) {
  if (code == '"' || code == '\\') {
    out += '\\';
    out += static_cast<char>(code);
  } else if (code == '\n') {
    out += "\\n";
  } else if (code == '\t') {
    out += "\\t";
  } else if (code >= 0x20 && code < 0x7F) {
    out += static_cast<char>(code);
  } else if (code >= 0xA0 && code < 0x2000) {
    out += bytes;  // letters of most scripts, none of them a control character
  } else if (code <= 0xFFFF) {
    out += fmt::format("\\u{:04x}", code);
  } else {
    out += fmt::format("\\U{:08x}", code);
  }
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Utf8Character one = first_character(text);
    append_escaped(out, text.substr(0, one.bytes), one.code);
    text.remove_prefix(one.bytes);
  }
  return out + '"';
}

}  // namespace

std::string yaml_number(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  if (std::abs(value) < 1e15 && value == std::trunc(value)) return fmt::format("{:.1f}", value);
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find('.') == std::string::npos) {
    const auto exponent = text.find('e');
    text.insert(exponent == std::string::npos ? text.size() : exponent, ".0");
  }
  return text;
}

std::string yaml_text(std::string_view text) {
  return is_safe_plain(text) ? std::string(text) : quoted(text);
}

std::string yaml_value(std::string_view text) {
  if (const auto integer = parse_int(text)) return fmt::format("{}", *integer);
  if (const auto number = parse_double(text)) return yaml_number(*number);
  return yaml_text(text);
}

std::string yaml_flow(const Json& object) {
  std::string out;
  for (const auto& [key, value] : object.members()) {
    std::string shown;
    if (value.is_null()) {
      shown = "\"NAN\"";
    } else if (value.is_integer() || value.is_bool()) {
      shown = value.dump(-1);
    } else if (value.is_number()) {
      shown = yaml_number(value.as_number());
    } else {
      shown = quoted(value.is_string() ? value.as_string() : value.dump(-1));
    }
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", quoted(key), shown);
  }
  return "{" + out + "}";
}

}  // namespace mete
