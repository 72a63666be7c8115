// Gzipped text is read back; what is cut, damaged or a bomb is refused by name.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/gzip.h"

#include <string>

#include <gtest/gtest.h>

namespace mete {
namespace {

// `printf 'hello hello hello\n' | gzip -n`, by GNU gzip 1.12.
constexpr unsigned char kHello[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x5c,
                                    0x00, 0x3b, 0x7c, 0x8a, 0xdf, 0x12, 0x00, 0x00, 0x00};

std::string hello() { return {reinterpret_cast<const char*>(kHello), sizeof kHello}; }

TEST(Gzip, ReadsWhatGnuGzipWrote) {
  ASSERT_TRUE(is_gzip(hello()));
  EXPECT_EQ(gunzip(hello(), 100, "f").value(), "hello hello hello\n");
}

TEST(Gzip, JoinedMembersAreReadOneAfterTheOther) {
  EXPECT_EQ(gunzip(hello() + hello(), 100, "f").value(), "hello hello hello\nhello hello hello\n");
}

TEST(Gzip, EveryCutIsCalledTruncated) {
  for (std::size_t n = 2; n < hello().size(); ++n) {
    const auto out = gunzip(hello().substr(0, n), 100, "f.gz");
    ASSERT_FALSE(out) << n;
    EXPECT_EQ(out.error().code, Errc::invalid);
    EXPECT_NE(out.error().what.find("f.gz: truncated"), std::string::npos) << out.error().what;
  }
}

TEST(Gzip, DamageAndBombsAreRefused) {
  auto bytes = hello();
  bytes[bytes.size() - 6] ^= 1;  // the checksum
  const auto damaged = gunzip(bytes, 100, "f.gz");
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().what.find("damaged"), std::string::npos) << damaged.error().what;
  const auto bomb = gunzip(hello(), 10, "f.gz");
  ASSERT_FALSE(bomb);
  EXPECT_NE(bomb.error().what.find("more than 10 bytes"), std::string::npos);
  EXPECT_FALSE(gunzip("plain", 100, "f.gz"));
}

}  // namespace
}  // namespace mete
