// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/region/region_provider.h"

#include <string>

#include <gtest/gtest.h>

#include "mete/signal/platform.h"

namespace mete {
namespace {

std::vector<std::unique_ptr<Provider>> just(std::unique_ptr<Provider> one) {
  std::vector<std::unique_ptr<Provider>> out;
  out.push_back(std::move(one));
  return out;
}

TEST(RegionProvider, TellsWhatTheProgramHasCounted) {
  std::atomic<std::uint64_t> epochs{0};
  Platform platform(just(make_region_provider(&epochs)));
  const auto handle = platform.push_signal({"EPOCH_COUNT", Domain::board, 0});
  ASSERT_TRUE(handle);
  platform.read_batch();
  EXPECT_EQ(platform.value(*handle), 0);
  epochs = 41;
  epochs += 1;
  platform.read_batch();
  EXPECT_EQ(platform.value(*handle), 42);
  EXPECT_FALSE(platform.push_signal({"EPOCH_COUNT", Domain::gpu, 0}));
  EXPECT_FALSE(platform.push_signal({"EPOCH_COUNT", Domain::board, 1}));
}

TEST(RegionProvider, OutsideOfARunItSaysWhyThereIsNone) {
  const auto provider = make_region_provider(nullptr);
  EXPECT_FALSE(provider->info().available);
  EXPECT_TRUE(provider->info().signals.empty());
  ASSERT_EQ(provider->info().absences.size(), 1U);
  EXPECT_EQ(provider->info().absences[0].what, "EPOCH_COUNT");
  EXPECT_NE(provider->info().absences[0].next.find("mete run"), std::string::npos);
  EXPECT_FALSE(provider->push_signal({"EPOCH_COUNT", Domain::board, 0}));
  std::vector<Reading> none;
  provider->read_batch(none);
}

}  // namespace
}  // namespace mete
