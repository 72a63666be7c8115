// UTF-8, read one character at a time. Without state: the ONNX plugin has it too.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/utf8.h"

#include <array>

#include <fmt/format.h>

namespace mete {
namespace {

bool is_control(std::uint32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

/// Characters of no width, and those that turn the direction of what follows: a name that holds
/// them looks like another one.
bool is_unseen(std::uint32_t code) {
  return code == 0x200B || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void append_printable(std::string& out, std::string_view bytes, const Utf8Character& one) {
  if (one.code == '\n') {
    out += "\\n";
  } else if (one.code == '\t') {
    out += "\\t";
  } else if (one.valid && !is_control(one.code) && !is_unseen(one.code)) {
    out += bytes;
  } else {
    for (const char c : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
}

}  // namespace

Utf8Character first_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kLowest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < kLowest.at(length) || code > 0x10FFFF || surrogate) return {};
  return {code, length, true};
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character one = first_character(text);
    out += one.valid ? text.substr(0, one.bytes) : kReplacement;
    text.remove_prefix(one.bytes);
  }
  return out;
}

std::string_view without_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

std::string printable(std::string_view text, std::size_t most) {
  std::size_t end = text.size();
  std::size_t resume = end;
  if (text.size() > most) {
    // Cut between characters: a continuation byte is never where a part begins or ends.
    const auto inside = [text](std::size_t i) {
      return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
    };
    end = most - most / 3;
    resume = text.size() - most / 3;
    for (int i = 0; i < 3 && end > 0 && inside(end); ++i) --end;
    for (int i = 0; i < 3 && inside(resume); ++i) ++resume;
  }
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (at == end && resume > end) {
      out += "..";
      at = resume;
      continue;
    }
    const Utf8Character one = first_character(text.substr(at));
    append_printable(out, text.substr(at, one.bytes), one);
    at += one.bytes;
  }
  return out;
}

}  // namespace mete
