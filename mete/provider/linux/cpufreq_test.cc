// Limits of cpufreq: where they are offered, what they accept, and in which order they are written.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/cpufreq.h"

#include <cmath>

#include "tests/fixtures/sys/fake_sys.h"
#include <gtest/gtest.h>

#include "mete/provider/linux/linux_provider.h"
#include "mete/signal/platform.h"

namespace mete {
namespace {

using fake::FakeSys;

std::string limits_of(const FakeSys& sys, int policy) {
  return sys.read(FakeSys::policy_folder(policy) + "scaling_min_freq") + " " +
         sys.read(FakeSys::policy_folder(policy) + "scaling_max_freq");
}

Platform platform_of(const FakeSys& sys) {
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_linux_provider(sys.root()));
  return Platform(std::move(providers));
}

// The judge: the kernel's rule, tried on every pair of small ranges.
TEST(CpufreqOrder, TheMinimumNeverExceedsTheMaximumOnTheWay) {
  constexpr std::int64_t kMost = 5;
  for (std::int64_t a = 1; a <= kMost; ++a) {
    for (std::int64_t b = a; b <= kMost; ++b) {
      for (std::int64_t c = 1; c <= kMost; ++c) {
        for (std::int64_t d = c; d <= kMost; ++d) {
          CpufreqRange now{a, b};
          const auto writes = order_writes(now, {c, d});
          EXPECT_LE(writes.size(), 2U);
          for (const auto& write : writes) {
            (write.is_max ? now.max : now.min) = write.kilohertz;
            EXPECT_LE(now.min, now.max) << a << ".." << b << " to " << c << ".." << d;
          }
          EXPECT_EQ(now, (CpufreqRange{c, d}));
        }
      }
    }
  }
}

TEST(CpufreqMap, NativeDomainFollowsThePolicies) {
  const auto native = [](void (*fill)(FakeSys&)) {
    FakeSys sys;
    fill(sys);
    return platform_of(sys).control_info(kMaxControl)->domain;
  };
  EXPECT_EQ(native(fake::intel_two_sockets), Domain::cpu);
  EXPECT_EQ(native(fake::clock_per_core), Domain::core);
  EXPECT_EQ(native(fake::clock_per_package), Domain::package);
  EXPECT_EQ(native(fake::arm_big_little), Domain::cpu) << "a cluster is no domain";
  EXPECT_EQ(native(fake::with_holes), Domain::cpu);
}

TEST(CpufreqControls, ACoarserDomainFansOut) {
  FakeSys sys;
  fake::intel_two_sockets(sys);
  Platform p = platform_of(sys);
  const auto written = p.write_control({kMaxControl, Domain::package, 1}, 2.0e9);
  ASSERT_TRUE(written.has_value()) << written.error().what;
  for (const int cpu : {0, 1, 4, 5}) EXPECT_EQ(limits_of(sys, cpu), "800000 3500000") << cpu;
  for (const int cpu : {2, 3, 6, 7}) EXPECT_EQ(limits_of(sys, cpu), "800000 2000000") << cpu;
}

TEST(CpufreqControls, OneCpuOfAClusterSetsTheCluster) {
  FakeSys sys;
  fake::arm_big_little(sys);
  Platform p = platform_of(sys);
  ASSERT_TRUE(p.write_control({kMaxControl, Domain::cpu, 5}, 1.2e9).has_value());
  EXPECT_EQ(limits_of(sys, 0), "408000 1416000");
  EXPECT_EQ(limits_of(sys, 4), "408000 1200000");
  EXPECT_DOUBLE_EQ(p.read_signal({kMaxControl, Domain::cpu, 4}).value_or(0), 1.2e9);
}

TEST(CpufreqControls, LimitsAreThoseOfTheDevice) {
  FakeSys sys;
  fake::amd_one_socket(sys);
  const Platform p = platform_of(sys);
  const auto limits = p.limits({kMaxControl, Domain::cpu, 0});
  ASSERT_TRUE(limits.has_value());
  EXPECT_EQ(limits->supported, (std::vector<double>{1.5e9, 2.0e9, 2.45e9, 3.4e9}))
      << "ascending, boost included";
  FakeSys broken;
  fake::intel_two_sockets(broken);
  broken.write(FakeSys::policy_folder(0) + "cpuinfo_max_freq", "0\n");
  EXPECT_FALSE(platform_of(broken).limits({kMaxControl, Domain::cpu, 0}).has_value());
}

TEST(CpufreqControls, AMaximumBelowTheMinimumTakesItDownAndRestoreGivesBothBack) {
  FakeSys sys;
  fake::clock_per_package(sys);
  sys.write(FakeSys::policy_folder(0) + "scaling_min_freq", "1200000\n");
  Platform p = platform_of(sys);
  const Request max{kMaxControl, Domain::package, 0};
  const auto saved = p.save(max);
  ASSERT_TRUE(saved.has_value());
  ASSERT_TRUE(p.write_control(max, 0.9e9).has_value());
  EXPECT_EQ(limits_of(sys, 0), "900000 900000");
  ASSERT_TRUE(p.restore(saved->front()).has_value());
  EXPECT_EQ(limits_of(sys, 0), "1200000 1800000");
}

TEST(CpufreqControls, BothLimitsOfABatchAreSeenTogether) {
  FakeSys sys;
  fake::clock_per_package(sys);
  Platform p = platform_of(sys);
  const int max = *p.push_control({kMaxControl, Domain::board, 0});
  const int min = *p.push_control({kMinControl, Domain::board, 0});
  p.adjust(max, 1.0e9);
  p.adjust(min, 0.9e9);
  ASSERT_TRUE(p.write_batch().has_value());
  EXPECT_EQ(limits_of(sys, 0), "900000 1000000");
  p.adjust(min, 1.5e9);
  p.adjust(max, 1.6e9);
  ASSERT_TRUE(p.write_batch().has_value());
  EXPECT_EQ(limits_of(sys, 0), "1500000 1600000");
  p.adjust(min, 1.4e9);
  p.adjust(max, 0.7e9);
  const auto refused = p.write_batch();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_EQ(limits_of(sys, 0), "1500000 1600000") << "nothing was written";
}

TEST(CpufreqControls, AShorterNumberReplacesALongerOne) {
  FakeSys sys;
  fake::clock_per_package(sys);
  Platform p = platform_of(sys);
  ASSERT_TRUE(p.write_control({kMaxControl, Domain::board, 0}, 0.6e9).has_value());
  EXPECT_EQ(limits_of(sys, 0), "600000 600000");
}

}  // namespace
}  // namespace mete
