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

class Counts final : public ProgramCounts {
 public:
  [[nodiscard]] std::uint64_t epochs() const noexcept override { return epochs_; }
  [[nodiscard]] std::uint64_t regions() const noexcept override { return regions_; }
  std::uint64_t epochs_ = 0;
  std::uint64_t regions_ = 0;
};

TEST(RegionProvider, TellsWhatTheProgramHasCounted) {
  Counts counts;
  Platform platform(just(make_region_provider(&counts)));
  const auto regions = platform.push_signal({"REGION_COUNT", Domain::board, 0});
  const auto epochs = platform.push_signal({"EPOCH_COUNT", Domain::board, 0});
  ASSERT_TRUE(epochs && regions);
  platform.read_batch();
  EXPECT_EQ(platform.value(*epochs), 0);
  EXPECT_EQ(platform.value(*regions), 0);
  counts.epochs_ = 42;
  counts.regions_ = 7;
  platform.read_batch();
  EXPECT_EQ(platform.value(*epochs), 42);
  EXPECT_EQ(platform.value(*regions), 7);
  EXPECT_FALSE(platform.push_signal({"EPOCH_COUNT", Domain::gpu, 0}));
  EXPECT_FALSE(platform.push_signal({"REGION_COUNT", Domain::board, 1}));
}

TEST(RegionProvider, OutsideOfARunItSaysWhyThereIsNone) {
  const auto provider = make_region_provider(nullptr);
  EXPECT_FALSE(provider->info().available);
  EXPECT_TRUE(provider->info().signals.empty());
  ASSERT_EQ(provider->info().absences.size(), 2U);
  EXPECT_EQ(provider->info().absences[0].what, "EPOCH_COUNT");
  EXPECT_EQ(provider->info().absences[1].what, "REGION_COUNT");
  for (const auto& absence : provider->info().absences) {
    EXPECT_NE(absence.next.find("mete run"), std::string::npos);
    EXPECT_FALSE(provider->push_signal({absence.what, Domain::board, 0}));
  }
  std::vector<Reading> none;
  provider->read_batch(none);
}

}  // namespace
}  // namespace mete
