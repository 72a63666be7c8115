// Bytes of others as text: names, paths and lines of files may hold anything.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mete {

/// U+FFFD, which stands for what is no character.
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Utf8Character {
  std::uint32_t code = 0xFFFD;
  std::size_t bytes = 1;
  bool valid = false;
};
/// The first character of a text that is not empty (RFC 3629: no overlong forms, no surrogates,
/// nothing beyond U+10FFFF). Where it begins with none, one byte is told and `valid` is false.
Utf8Character first_character(std::string_view text);

/// The text with each byte that belongs to no character replaced.
std::string valid_utf8(std::string_view text);

/// The text without the byte-order mark that editors on Windows put before it.
std::string_view without_mark(std::string_view text);

/// The text fit for one line of a terminal: control characters, those that are not seen or
/// turn the line round, and bytes that belong to no character, as \n, \t or \xNN. Of more than
/// `most` bytes the middle is left out, told by "..".
std::string printable(std::string_view text, std::size_t most = std::string::npos);

}  // namespace mete
