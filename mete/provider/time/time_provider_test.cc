// TIME counts from its origin.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/time/time_provider.h"

#include <array>

#include <gtest/gtest.h>

namespace mete {
namespace {

TEST(TimeProvider, CountsFromItsOrigin) {
  VirtualClock clock;
  clock.advance_to(from_seconds(100));
  const auto provider = make_time_provider(clock, from_seconds(90));
  ASSERT_TRUE(provider->push_signal({"TIME", Domain::board, 0}).has_value());
  std::array<Reading, 1> out;
  provider->read_batch(out);
  EXPECT_DOUBLE_EQ(out[0].value, 10);
  clock.advance_to(from_seconds(100.25));
  provider->read_batch(out);
  EXPECT_DOUBLE_EQ(out[0].value, 10.25);
}

}  // namespace
}  // namespace mete
