// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/utf8.h"

#include <cwchar>

#include <gtest/gtest.h>

#include "mete/base/rng.h"

namespace mete {
namespace {

/// Every code point's own encoding (RFC 3629, section 3), written down from its bits.
std::string encoded(std::uint32_t code) {
  const auto tail = [code](unsigned shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0U | (code >> 6U)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0U | (code >> 12U)), tail(6), tail(0)};
  return {static_cast<char>(0xF0U | (code >> 18U)), tail(12), tail(6), tail(0)};
}

TEST(Utf8, EveryCharacterIsItself) {
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    const std::string bytes = encoded(code);
    const Utf8Character one = first_character(bytes + "z");
    ASSERT_EQ(one.valid, !surrogate) << code;
    if (surrogate) continue;
    ASSERT_EQ(one.code, code);
    ASSERT_EQ(one.bytes, bytes.size());
    // Cut short it is none.
    for (std::size_t n = 1; n < bytes.size(); ++n) {
      ASSERT_FALSE(first_character(std::string_view(bytes).substr(0, n)).valid) << code;
    }
  }
  for (const auto* bad : {"\x80", "\xbf", "\xc0\xaf", "\xc1\x81", "\xe0\x80\xaf",
                          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(first_character(bad).valid);
    EXPECT_EQ(first_character(bad).bytes, 1U);
  }
}

TEST(Utf8, WhatIsNoCharacterIsReplaced) {
  EXPECT_EQ(valid_utf8("a\xff\x1b[31m\xc3\xa9\xe2\x82"), "a\uFFFD\x1b[31mé\uFFFD\uFFFD");
  EXPECT_EQ(valid_utf8(""), "");
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (std::size_t n = rng.below(12); n-- > 0;) bytes += static_cast<char>(rng.below(256));
    const std::string text = valid_utf8(bytes);
    for (std::string_view rest = text; !rest.empty();) {
      const Utf8Character one = first_character(rest);
      ASSERT_TRUE(one.valid);
      rest.remove_prefix(one.bytes);
    }
    EXPECT_EQ(valid_utf8(text), text);
  }
}

TEST(Printable, OneLineWithoutCommandsToTheTerminal) {
  EXPECT_EQ(printable("é→𝛗 'a'"), "é→𝛗 'a'");
  EXPECT_EQ(printable("\x1b[31m\n\t\r\x7f\xff"), "\\x1b[31m\\n\\t\\x0d\\x7f\\xff");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b"
            "31m")
      << "C1 control sequences too";
  EXPECT_EQ(printable(std::string_view("\0ELF", 4)), "\\x00ELF");
}

TEST(Printable, WhatIsNotSeenIsShown) {
  EXPECT_EQ(printable("a\u200bb\u202ec\ufeff"), "a\\xe2\\x80\\x8bb\\xe2\\x80\\xaec\\xef\\xbb\\xbf");
  EXPECT_EQ(without_mark("\ufeffkernel"), "kernel");
  EXPECT_EQ(without_mark("kernel\ufeff"), "kernel\ufeff");
  EXPECT_EQ(without_mark(""), "");
}

TEST(Printable, OfALongTextBothEndsAreShown) {
  const std::string text = "start " + std::string(1000, 'x') + " end";
  const std::string shown = printable(text, 30);
  EXPECT_EQ(shown, "start xxxxxxxxxxxxxx..xxxxxx end");
  EXPECT_EQ(printable(text, text.size()), text);
  std::string accents;
  for (int i = 0; i < 50; ++i) accents += "é";
  for (std::size_t most = 0; most < accents.size(); ++most) {
    const std::string part = printable(accents, most);
    EXPECT_EQ(part.find('\\'), std::string::npos) << most << ": cut inside a character";
    EXPECT_NE(part.find(".."), std::string::npos);
    EXPECT_LE(part.size(), most + 2);
  }
  EXPECT_EQ(printable("abc", 0), "..");
}

}  // namespace
}  // namespace mete
