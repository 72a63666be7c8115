// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/rng.h"
#include "mete/memory/capacity.h"
#include "mete/memory/copy.h"
#include "mete/memory/mapping.h"
#include "mete/memory/tier.h"

namespace mete {
namespace {

constexpr std::uint64_t kMiB = 1U << 20U;

/// Moves by itself: a step at each look.
class TickClock final : public Clock {
 public:
  explicit TickClock(std::int64_t step) : step_(step) {}
  Nanoseconds now() const noexcept override { return Nanoseconds(time_ += step_); }
  void sleep_until(Nanoseconds) noexcept override {}
  double wall_seconds() const noexcept override { return 0; }
  [[nodiscard]] std::int64_t time() const { return time_; }

 private:
  std::int64_t step_;
  mutable std::int64_t time_ = 0;
};

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/mete-memory-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    const std::string file = path_join(path_, name);
    ASSERT_TRUE(make_directories(dir_name(file)));
    ASSERT_TRUE(write_file_atomically(file, text));
  }

 private:
  std::string path_;
};

std::unique_ptr<Tier> tier_of(const std::string& text, const Bandwidth& dram = {},
                              const SysRoot& sys = SysRoot()) {
  const auto spec = parse_tier(text);
  EXPECT_TRUE(spec) << text;
  auto tier = open_tier(*spec, dram, sys);
  EXPECT_TRUE(tier) << (tier ? "" : tier.error().what);
  return tier ? std::move(*tier) : nullptr;
}

/// How many of the pool's pages are there, by the kernel.
double resident_part(Pool& pool) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t bytes = mapped_size(pool.bytes());
  std::vector<unsigned char> there(bytes / page);
  EXPECT_EQ(::mincore(pool.data(), bytes, there.data()), 0);
  const auto count =
      std::count_if(there.begin(), there.end(), [](unsigned char c) { return (c & 1U) != 0; });
  return static_cast<double>(count) / static_cast<double>(there.size());
}

TEST(TierSpec, FormsAreReadAndWritten) {
  for (const char* text : {"dram", "numa:0", "numa:1023", "dax:/mnt/pmem", "dax:/dev/dax0.0",
                           "file:/tmp", "file:relative", "throttled:3,6", "throttled:1,2.5"}) {
    const auto spec = parse_tier(text);
    ASSERT_TRUE(spec) << text;
    EXPECT_EQ(tier_name(*spec), text);
    EXPECT_EQ(*parse_tier(tier_name(*spec)), *spec);
  }
  EXPECT_EQ(tier_name(*parse_tier("throttled")), "throttled:3,6");
}

TEST(TierSpec, AnythingElseIsRefusedWithTheForms) {
  const std::vector<std::string> bad = {"",
                                        "DRAM",
                                        "dram:",
                                        "dram:0",
                                        "numa",
                                        "numa:",
                                        "numa:-1",
                                        "numa:1024",
                                        "numa:1x",
                                        "numa:99999999999999999999",
                                        "dax",
                                        "dax:",
                                        "file",
                                        "file:",
                                        "throttled:",
                                        "throttled:3",
                                        "throttled:3,",
                                        "throttled:3,6,9",
                                        "throttled:0.5,6",
                                        "throttled:nan,6",
                                        "throttled:3,inf",
                                        "throttled:1e7,1",
                                        "throttled:-3,6",
                                        "hbm",
                                        std::string("file:/tmp\0x", 11)};
  for (const auto& text : bad) {
    const auto spec = parse_tier(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().code, Errc::invalid);
    EXPECT_NE(spec.error().what.find("throttled:READ,WRITE"), std::string::npos);
  }
}

TEST(Pool, EveryPageIsThereAndCanBeWritten) {
  const Folder folder;
  for (const std::string& text :
       {std::string("dram"), "file:" + folder.path(), std::string("throttled")}) {
    const auto tier = tier_of(text, {8e9, 6e9});
    ASSERT_TRUE(tier);
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{5000}, std::size_t{9} << 20U}) {
      auto pool = tier->make_pool(bytes);
      ASSERT_TRUE(pool) << pool.error().what;
      EXPECT_EQ((*pool)->bytes(), bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*pool)->data()) % 64, 0U);
      EXPECT_EQ(resident_part(**pool), 1.0) << text << " " << bytes;
      std::memset((*pool)->data(), 7, bytes);
      EXPECT_EQ((*pool)->data()[bytes - 1], std::byte{7});
    }
  }
  EXPECT_TRUE(list_directory(folder.path())->empty()) << "pools in files have no names";
}

TEST(Pool, NothingIsAPoolToo) {
  auto pool = tier_of("dram")->make_pool(0);
  ASSERT_TRUE(pool);
  EXPECT_EQ((*pool)->bytes(), 0U);
}

TEST(Pool, TooMuchIsRefusedBeforeAnythingIsTaken) {
  const Folder folder;
  for (const std::string& text : {std::string("dram"), "file:" + folder.path(),
                                  std::string("throttled"), std::string("numa:0")}) {
    if (text == "numa:0" && !SysRoot().exists("/sys/devices/system/node/node0")) continue;
    const auto tier = tier_of(text, {8e9, 6e9});
    ASSERT_TRUE(tier);
    for (const std::size_t bytes :
         {std::size_t{1} << 45U, std::size_t{1} << 60U, ~std::size_t{0} - 1, ~std::size_t{0}}) {
      const auto pool = tier->make_pool(bytes);
      ASSERT_FALSE(pool) << text << " " << bytes;
      EXPECT_EQ(pool.error().code, Errc::unavailable);
      EXPECT_NE(pool.error().what.find("are left"), std::string::npos) << pool.error().what;
    }
  }
}

TEST(Pool, AFullFileSystemIsAnErrorAndNoSignal) {
  const char* const small = std::getenv("METE_SMALL_TMPFS");
  std::string folder = small == nullptr ? "" : small;
  const Folder mount;
  if (folder.empty()) {
    if (std::system(("mount -t tmpfs -o size=4m tmpfs " + mount.path() + " 2>/dev/null").c_str()) !=
        0) {
      GTEST_SKIP() << "mounting needs root; or set METE_SMALL_TMPFS to a folder of 4 MiB";
    }
    folder = mount.path();
  }
  {
    const auto tier = tier_of("file:" + folder);
    ASSERT_TRUE(tier);
    const auto large = tier->make_pool(64 * kMiB);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, Errc::unavailable);
    auto half = tier->make_pool(2 * kMiB);
    ASSERT_TRUE(half) << half.error().what;
    auto rest = tier->make_pool(3 * kMiB);
    ASSERT_FALSE(rest);
    half->reset();
    EXPECT_TRUE(tier->make_pool(3 * kMiB)) << "a pool that is gone leaves its space";
  }
  if (small == nullptr) {
    EXPECT_EQ(std::system(("umount " + folder).c_str()), 0);
  }
}

TEST(FileTier, RefusesWhatItWouldOverwriteAndWhatIsNotThere) {
  const Folder folder;
  folder.write("data.bin", "precious");
  const std::string file = path_join(folder.path(), "data.bin");
  const auto there = open_tier(*parse_tier("file:" + file), {});
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().code, Errc::invalid);
  EXPECT_EQ(*read_file(file), "precious");
  const auto absent = open_tier(*parse_tier("file:/no/such/folder/x"), {});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::unavailable);
  EXPECT_TRUE(open_tier(*parse_tier("file:" + path_join(folder.path(), "new")), {}));
}

TEST(DaxTier, SaysWhatToDoWhereThereIsNone) {
  const Folder folder;
  const auto disk = open_tier(*parse_tier("dax:" + folder.path()), {});
  if (disk) GTEST_SKIP() << folder.path() << " is on a dax file system";
  EXPECT_EQ(disk.error().code, Errc::unavailable);
  EXPECT_NE(disk.error().what.find("-o dax"), std::string::npos) << disk.error().what;
  const auto device = open_tier(*parse_tier("dax:/dev/null"), {});
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, Errc::unavailable);
  EXPECT_NE(device.error().what.find("not a dax device"), std::string::npos);
}

TEST(NumaTier, AbsentAndEmptyNodesAreNamed) {
  const Folder root;
  root.write("sys/devices/system/node/has_memory", "0\n");
  root.write("sys/devices/system/node/node0/meminfo",
             "Node 0 MemTotal: 4096 kB\nNode 0 MemFree: 3200 kB\n"
             "Node 0 Active(file): 400 kB\nNode 0 Inactive(file): 200 kB\n");
  root.write("sys/devices/system/node/node1/meminfo", "Node 1 MemTotal: 0 kB\n");
  const SysRoot sys(root.path());
  // Free and droppable pages, half of the active ones, less a 32nd.
  EXPECT_EQ(*node_memory_available(sys, 0), (3200U + 200U + 200U) * 1024U / 32U * 31U);
  for (const int node : {1, 7}) {
    const auto tier = open_tier({.kind = TierKind::numa, .node = node, .path = {}}, {}, sys);
    ASSERT_FALSE(tier);
    EXPECT_EQ(tier.error().code, Errc::unavailable);
    EXPECT_NE(tier.error().what.find("with memory: 0"), std::string::npos) << tier.error().what;
  }
}

TEST(NumaTier, PagesLieOnTheNode) {
  if (!SysRoot().exists("/sys/devices/system/node/node0")) GTEST_SKIP() << "no NUMA here";
  const auto tier = tier_of("numa:0");
  auto pool = tier->make_pool(3 * kMiB);
  if (!pool && pool.error().code == Errc::denied) GTEST_SKIP() << pool.error().what;
  ASSERT_TRUE(pool) << pool.error().what;
  EXPECT_EQ(resident_part(**pool), 1.0);
  EXPECT_FALSE(tier->emulated());
}

TEST(Capacity, TheTightestControlGroupCounts) {
  const Folder root;
  root.write("proc/meminfo", "MemTotal: 8192000 kB\nMemAvailable:    4096000 kB\n");
  const SysRoot sys(root.path());
  const auto kept = [](std::uint64_t bytes) { return bytes - bytes / 32; };
  EXPECT_EQ(*memory_available(sys), kept(4096000ULL * 1024));
  root.write("proc/self/cgroup", "0::/user/job\n");
  root.write("sys/fs/cgroup/user/job/memory.max", "max\n");
  root.write("sys/fs/cgroup/user/job/memory.current", "1048576\n");
  EXPECT_EQ(*memory_available(sys), kept(4096000ULL * 1024));
  root.write("sys/fs/cgroup/user/memory.max", "104857600\n");
  root.write("sys/fs/cgroup/user/memory.current", "41943040\n");
  root.write("sys/fs/cgroup/user/memory.stat", "anon 1\ninactive_file 10485760\n");
  EXPECT_EQ(*memory_available(sys), kept(104857600 - (41943040 - 10485760)));
  root.write("proc/self/cgroup", "4:cpu,memory:/x\n4:memory:/jobs\n");
  root.write("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "52428800\n");
  root.write("sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", "62914560\n");
  EXPECT_EQ(*memory_available(sys), 0U) << "over its limit already";
  EXPECT_FALSE(tier_of("dram", {}, sys)->make_pool(4096));
  root.write("proc/meminfo", "nothing of use\n");
  EXPECT_FALSE(memory_available(sys));
}

TEST(Throttled, ChargesByTheRule) {
  // R0 = 12 GB/s, W0 = 8 GB/s; R = 4, W = 2. One GB read: 1/4 - 1/12 = 1/6 s; one written:
  // 1/2 - 1/8 = 3/8 s.
  const auto tier = tier_of("throttled:3,4", {12e9, 8e9});
  EXPECT_TRUE(tier->emulated());
  EXPECT_NEAR(tier->charge_seconds(1e9, 0), 1.0 / 6, 1e-12);
  EXPECT_NEAR(tier->charge_seconds(0, 1e9), 3.0 / 8, 1e-12);
  EXPECT_NEAR(tier->charge_seconds(3e9, 2e9), 0.5 + 0.75, 1e-12);
  EXPECT_NE(tier->description().find("emulated"), std::string::npos);
  EXPECT_NE(tier->description().find("4.00 GB/s read, 2.00 GB/s write"), std::string::npos)
      << tier->description();
  const auto fast = tier_of("dram");
  EXPECT_EQ(fast->charge_seconds(1e9, 1e9), 0);
  EXPECT_NEAR(move_charge(*fast, *tier, 2'000'000'000), 0.75, 1e-12) << "written";
  EXPECT_NEAR(move_charge(*tier, *fast, 2'000'000'000), 1.0 / 3, 1e-12) << "read";
  EXPECT_NEAR(move_charge(*tier, *tier, 1'000'000'000), 1.0 / 6 + 3.0 / 8, 1e-12);
  EXPECT_FALSE(open_tier(*parse_tier("throttled"), {})) << "needs DRAM's bandwidth";
  EXPECT_FALSE(open_tier(*parse_tier("throttled"), {std::nan(""), 1}));
}

TEST(HoldUntil, ReturnsAtTheFirstLookAfterTheTime) {
  const TickClock clock(100);
  hold_until(Nanoseconds(0), 1e-6, clock);
  EXPECT_EQ(clock.time(), 1000);
  hold_until(Nanoseconds(500), 1e-6, clock);
  EXPECT_EQ(clock.time(), 1500);
  for (const double nothing : {0.0, -1.0, std::nan("")}) hold_until(Nanoseconds(0), nothing, clock);
  EXPECT_EQ(clock.time(), 1500) << "nothing to wait for";
  const SteadyClock real;
  const auto begin = real.now();
  hold_until(begin, 2e-4, real);
  EXPECT_GE(real.now() - begin, std::chrono::microseconds(200));
}

TEST(Copy, EveryByteAndNoOther) {
  constexpr std::size_t kMost = 9 * kMiB;
  std::vector<std::byte> from(kMost + 256);
  Rng rng(3);
  for (auto& byte : from) byte = static_cast<std::byte>(rng.next() & 0xFFU);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1000},
                                  std::size_t{1} << 20U, (std::size_t{1} << 20U) + 77, kMost}) {
    for (const int threads : {1, 2, 5}) {
      for (const std::size_t shift : {std::size_t{0}, std::size_t{13}}) {
        std::vector<std::byte> to(kMost + 256, std::byte{0xAA});
        copy_bytes(to.data() + 64 + shift, from.data() + 2 * shift, bytes, threads);
        ASSERT_EQ(std::memcmp(to.data() + 64 + shift, from.data() + 2 * shift, bytes), 0);
        const auto untouched = [](auto begin, auto end) {
          return std::all_of(begin, end, [](std::byte byte) { return byte == std::byte{0xAA}; });
        };
        const auto begin = to.begin() + static_cast<std::ptrdiff_t>(64 + shift);
        ASSERT_TRUE(untouched(to.begin(), begin));
        ASSERT_TRUE(untouched(begin + static_cast<std::ptrdiff_t>(bytes), to.end())) << bytes;
      }
    }
  }
}

TEST(Copy, WaitsForWhatTheTiersCharge) {
  const TickClock clock(1000);
  const auto fast = tier_of("dram");
  const auto slow = tier_of("throttled:2,3", {1e9, 1e9});  // 1 ns and 2 ns a byte more
  std::vector<std::byte> a(4096);
  std::vector<std::byte> b(4096);
  EXPECT_NEAR(charged_copy(a.data(), *fast, b.data(), *fast, 4096, 1, clock), 1e-6, 1e-12);
  EXPECT_GE(charged_copy(a.data(), *slow, b.data(), *fast, 4096, 1, clock), 8.192e-6);
  const double back = charged_copy(a.data(), *fast, b.data(), *slow, 4096, 1, clock);
  EXPECT_GE(back, 4.096e-6);
  EXPECT_LE(back, 8e-6);
}

TEST(MeasureDram, IsSomethingAMachineCanDo) {
  const SteadyClock clock;
  const auto dram = measure_dram(1, clock);
  ASSERT_TRUE(dram) << dram.error().what;
  for (const double rate : {dram->read, dram->write}) {
    EXPECT_GT(rate, 1e7);
    EXPECT_LT(rate, 1e13);
  }
  EXPECT_FALSE(measure_dram(0, clock));
}

}  // namespace
}  // namespace mete
