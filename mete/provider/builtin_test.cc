// The list of providers.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/builtin.h"

#include <set>

#include "tests/fixtures/sys/fake_sys.h"
#include <gtest/gtest.h>

#include "mete/signal/platform.h"

namespace mete {
namespace {

TEST(Builtin, NamesAreUniqueAndMachinesWithNothingStillHaveTime) {
  const fake::FakeSys empty;
  VirtualClock clock;
  auto providers = builtin_providers({.clock = clock, .root = empty.root()});
  std::set<std::string> names;
  for (const auto& provider : providers) EXPECT_TRUE(names.insert(provider->info().name).second);
  EXPECT_EQ(names.count("time"), 1U);
  EXPECT_EQ(names.count("linux"), 1U);
  Platform platform(std::move(providers));
  EXPECT_EQ(platform.signals().size(), 1U);
  clock.advance_to(from_seconds(2));
  EXPECT_DOUBLE_EQ(platform.read_signal({"TIME", Domain::board, 0}).value_or(-1), 2.0);
}

}  // namespace
}  // namespace mete
