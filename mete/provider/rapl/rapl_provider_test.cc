// The rapl provider on machines of six kinds, against counters whose truth is known.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/rapl/rapl_provider.h"

#include <cmath>
#include <map>
#include <set>

#include "tests/fixtures/sys/rapl_sys.h"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mete {
namespace {

using fake::FakeSys;
using fake::Zone;

/// A tree, a clock and a provider over it.
struct Bench {
  explicit Bench(void (*fill)(FakeSys&)) { fill(sys); }
  Provider& provider() {
    if (!made) made = make_rapl_provider(sys.root(), clock);
    return *made;
  }
  int push(const std::string& name, int index = 0) {
    for (const auto& info : provider().info().signals) {
      if (info.name != name) continue;
      const auto handle = provider().push_signal({name, info.domain, index});
      EXPECT_TRUE(handle.has_value()) << handle.error().what;
      handles += handle.has_value() ? 1U : 0U;
      return handle.value_or(-1);
    }
    ADD_FAILURE() << name << " is not offered";
    return -1;
  }
  Reading read(int handle) {
    std::vector<Reading> out(handles);
    provider().read_batch(out);
    return out.at(static_cast<std::size_t>(handle));
  }
  void advance(double seconds) { clock.advance_to(clock.now() + from_seconds(seconds)); }
  std::set<std::string> offered() {
    std::set<std::string> names;
    for (const auto& info : provider().info().signals) names.insert(info.name);
    return names;
  }
  [[nodiscard]] std::string absences() {
    std::string text;
    for (const auto& a : provider().info().absences)
      text += a.what + ": " + a.why + "; " + a.next + "\n";
    return text;
  }

  FakeSys sys;
  VirtualClock clock;
  std::unique_ptr<Provider> made;
  std::size_t handles = 0;
};

std::string zone_file(const char* zone) {
  return std::string("/sys/class/powercap/") + zone + "/energy_uj";
}

TEST(Rapl, DesktopHasPackageCoresGraphicsAndPlatform) {
  Bench bench(fake::rapl_desktop);
  EXPECT_EQ(bench.offered(),
            (std::set<std::string>{"CPU_ENERGY", "CPU_POWER", "CPU_CORE_ENERGY",
                                   "CPU_UNCORE_ENERGY", "BOARD_ENERGY", "BOARD_POWER"}));
  bench.sys.write(zone_file("intel-rapl:0"), "40000000\n");
  bench.sys.write(zone_file("intel-rapl:1"), "90000000\n");
  const int package = bench.push("CPU_ENERGY");
  const int board = bench.push("BOARD_ENERGY");
  EXPECT_DOUBLE_EQ(bench.read(package).value, 40);
  EXPECT_DOUBLE_EQ(bench.read(board).value, 90) << "psys alone, not psys and package";
}

TEST(Rapl, ServerZonesGoToTheirPackagesByName) {
  Bench bench(fake::rapl_two_sockets);
  EXPECT_EQ(bench.offered().count("CPU_CORE_ENERGY"), 0U);
  const int e0 = bench.push("CPU_ENERGY", 0);
  const int e1 = bench.push("CPU_ENERGY", 1);
  const int d0 = bench.push("DRAM_ENERGY", 0);
  const int d1 = bench.push("DRAM_ENERGY", 1);
  const int board = bench.push("BOARD_ENERGY");
  EXPECT_NEAR(bench.read(e0).value, 2000000 * 61.03515625e-6, 2e-6);
  EXPECT_NEAR(bench.read(e1).value, 1000000 * 61.03515625e-6, 2e-6);
  EXPECT_NEAR(bench.read(d0).value, 4000000 * 15.2587890625e-6, 2e-6);
  EXPECT_NEAR(bench.read(d1).value, 3000000 * 15.2587890625e-6, 2e-6);
  EXPECT_DOUBLE_EQ(bench.read(board).value, 5000) << "the first psys alone";
  EXPECT_NE(bench.absences().find("a second psys"), std::string::npos) << bench.absences();
}

TEST(Rapl, DiesOfAPackageAreAdded) {
  Bench bench(fake::rapl_dies);
  const int e0 = bench.push("CPU_ENERGY", 0);
  const int e1 = bench.push("CPU_ENERGY", 1);
  EXPECT_NEAR(bench.read(e0).value, 3000000 * 61.03515625e-6, 4e-6);
  EXPECT_NEAR(bench.read(e1).value, 7000000 * 61.03515625e-6, 4e-6);
  // One die lost: the sum is unknown, not smaller.
  bench.sys.write(zone_file("intel-rapl:1"), "");
  EXPECT_FALSE(bench.read(e0).ok());
  EXPECT_TRUE(bench.read(e1).ok());
}

TEST(Rapl, LaptopCountsThePackageOnce) {
  Bench bench(fake::rapl_laptop);
  const int package = bench.push("CPU_ENERGY");
  bench.sys.write(zone_file("intel-rapl-mmio:0"), "1\n");
  bench.sys.write(zone_file("intel-rapl:0"), "7555000000\n");
  bench.advance(10);
  EXPECT_DOUBLE_EQ(bench.read(package).value, 7555) << "by MSR, not by MMIO, and not both";
}

TEST(Rapl, MmioAloneIsTaken) {
  Bench bench([](FakeSys& sys) {
    sys.cpu(0, 0, 0, "0");
    sys.online("0");
    fake::add_zone(sys, "intel-rapl-mmio:0", "package-0");
  });
  EXPECT_EQ(bench.offered(), (std::set<std::string>{"CPU_ENERGY", "CPU_POWER"}));
}

TEST(Rapl, AmdsSingleCoreIsNotSoldAsAllCores) {
  Bench bench(fake::rapl_amd);
  EXPECT_EQ(bench.offered(), (std::set<std::string>{"CPU_ENERGY", "CPU_POWER"}));
  EXPECT_NE(bench.absences().find("CPU_CORE_ENERGY"), std::string::npos);
}

TEST(Rapl, ContainerAndVirtualMachineSayWhatToDo) {
  Bench container(fake::rapl_container);
  EXPECT_FALSE(container.provider().info().available);
  EXPECT_NE(container.absences().find("containers hide it"), std::string::npos)
      << container.absences();
  Bench machine(fake::virtual_machine);
  EXPECT_FALSE(machine.provider().info().available);
  EXPECT_NE(machine.absences().find("CPU_ENERGY"), std::string::npos) << machine.absences();
  EXPECT_NE(machine.absences().find("no energy counter here"), std::string::npos);
}

TEST(Rapl, WithoutTheRightItNamesTheFileAndTheCommand) {
  Bench bench(fake::rapl_desktop);
  ASSERT_EQ(::chmod(bench.sys.folder().c_str(), 0755), 0);
  for (const char* zone : {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:0:1", "intel-rapl:1"}) {
    ASSERT_EQ(::chmod((bench.sys.folder() + zone_file(zone)).c_str(), 0400), 0);
  }
  // root may read anything: look as nobody.
  const bool was_root = ::geteuid() == 0;
  if (!was_root) GTEST_SKIP() << "needs root, to take its own rights away for a moment";
  ASSERT_EQ(::seteuid(65534), 0);
  // Some build roots are closed to all but root.
  const bool reaches = ::faccessat(AT_FDCWD, bench.sys.folder().c_str(), X_OK, AT_EACCESS) == 0;
  if (reaches) bench.provider();
  ASSERT_EQ(::seteuid(0), 0);
  if (!reaches) GTEST_SKIP() << "a user without rights cannot reach " << bench.sys.folder();
  EXPECT_FALSE(bench.provider().info().available);
  EXPECT_NE(bench.absences().find("energy_uj cannot be read by this user"), std::string::npos)
      << bench.absences();
  EXPECT_NE(bench.absences().find("sudo chmod a+r"), std::string::npos);
}

TEST(Rapl, PowerIsTheCountersIncrease) {
  Bench bench(fake::rapl_desktop);
  bench.sys.write(zone_file("intel-rapl:0"), "1000000\n");
  const int power = bench.push("CPU_POWER");
  EXPECT_EQ(bench.read(power).fault, Errc::retry) << "no time has passed";
  bench.advance(0.1);
  bench.sys.write(zone_file("intel-rapl:0"), "8000000\n");
  EXPECT_NEAR(bench.read(power).value, 70, 1e-9);
  bench.advance(0.005);
  bench.sys.write(zone_file("intel-rapl:0"), "8500000\n");
  EXPECT_NEAR(bench.read(power).value, 70, 1e-9) << "repeated within 20 ms";
  bench.advance(0.015);
  EXPECT_NEAR(bench.read(power).value, 25, 1e-9);
}

/// Wraps at every place of a sampling window, at several powers, paces and step sizes: the energy
/// of the provider against the steps counted without end.
struct WrapCase {
  double step_uj;
  const char* zone;
  const char* signal;
  double watts;
  double pause;
};

TEST(Rapl, NoWrapIsLostAndNoneInventedAtAnyEdge) {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32U;
  for (const WrapCase& c : {WrapCase{fake::kStep61, "intel-rapl:0", "CPU_ENERGY", 350, 1},
                            WrapCase{fake::kStep61, "intel-rapl:0", "CPU_ENERGY", 20, 0.001},
                            WrapCase{fake::kStep61, "intel-rapl:0", "CPU_ENERGY", 1400, 80},
                            WrapCase{fake::kStep15, "intel-rapl:0:0", "DRAM_ENERGY", 100, 1},
                            WrapCase{fake::kStep15, "intel-rapl:0:0", "DRAM_ENERGY", 450, 60},
                            WrapCase{fake::kStepJoule, "intel-rapl:2", "BOARD_ENERGY", 9000, 5}}) {
    const auto per_window =
        static_cast<std::uint64_t>(std::llround(c.watts * c.pause * 1e6 / c.step_uj));
    const std::uint64_t half = per_window / 2;
    // How far the counter is before its wrap when the window that holds it begins.
    Bench bench(fake::rapl_two_sockets);
    for (const std::uint64_t before :
         {std::uint64_t{1}, std::uint64_t{2}, half, per_window - 1, per_window, per_window + 1}) {
      bench.made.reset();
      bench.handles = 0;
      Zone zone{c.zone, c.step_uj, kWrap - std::min(kWrap, before + 2 * per_window)};
      zone.show(bench.sys);
      const int handle = bench.push(c.signal, std::string(c.zone) == "intel-rapl:2" ? 0 : 1);
      const double first = bench.read(handle).value;
      const std::uint64_t begun = zone.steps;
      for (int i = 0; i < 6; ++i) {
        zone.steps += per_window;
        zone.show(bench.sys);
        bench.advance(c.pause);
        const Reading now = bench.read(handle);
        ASSERT_TRUE(now.ok()) << c.signal << " " << c.watts << " W, window " << i << ", " << before;
        const double truth = static_cast<double>(zone.steps - begun) * c.step_uj * 1e-6;
        EXPECT_NEAR(now.value - first, truth, std::max(1e-3 * truth, 2.1e-6)) << before;
      }
    }
  }
}

TEST(Rapl, AFileThatVanishesAndComesBackIsAGapThatIsNamed) {
  Bench bench(fake::rapl_desktop);
  bench.sys.write(zone_file("intel-rapl:0"), "500000000\n");
  const int energy = bench.push("CPU_ENERGY");
  const int power = bench.push("CPU_POWER");
  bench.advance(1);
  EXPECT_TRUE(bench.read(energy).ok());
  bench.sys.write(zone_file("intel-rapl:0"), "");  // an open file of a device that is gone
  std::filesystem::remove(bench.sys.folder() + zone_file("intel-rapl:0"));
  for (int i = 0; i < 5; ++i) {
    bench.advance(0.1);
    EXPECT_EQ(bench.read(energy).fault, Errc::gone);
    EXPECT_FALSE(bench.read(power).ok());
  }
  bench.sys.write(zone_file("intel-rapl:0"), "600000000\n");
  bench.advance(1);
  EXPECT_FALSE(bench.read(energy).ok()) << "what was used meanwhile is unknown";
  bench.advance(1);
  bench.sys.write(zone_file("intel-rapl:0"), "640000000\n");
  const Reading back = bench.read(energy);
  ASSERT_TRUE(back.ok());
  EXPECT_DOUBLE_EQ(back.value, 40) << "from 0 when it came back: lower than before, so it is seen";
  bench.advance(1);
  bench.sys.write(zone_file("intel-rapl:0"), "690000000\n");
  EXPECT_DOUBLE_EQ(bench.read(power).value, 50);
}

TEST(Rapl, GarbageIsAFaultAndNothingIsLost) {
  for (const char* garbage : {"abc\n", "-5\n", "1e400\n", "nan\n", "99999999999999999999\n",
                              "262143999999\n", "12 34\n", "0x10\n", "\n"}) {
    Bench bench(fake::rapl_desktop);
    bench.sys.write(zone_file("intel-rapl:0"), "500000000\n");
    const int energy = bench.push("CPU_ENERGY");
    bench.advance(1);
    bench.sys.write(zone_file("intel-rapl:0"), garbage);
    EXPECT_FALSE(bench.read(energy).ok()) << garbage;
    bench.advance(1);
    bench.sys.write(zone_file("intel-rapl:0"), "580000000\n");
    const Reading now = bench.read(energy);
    ASSERT_TRUE(now.ok()) << garbage;
    EXPECT_DOUBLE_EQ(now.value, 580) << garbage;
  }
}

TEST(Rapl, BadTreesAreNotCounters) {
  for (const char* range : {"", "0\n", "-1\n", "x\n", "99999999999999999999\n"}) {
    Bench bench(fake::rapl_desktop);
    bench.sys.write("/sys/class/powercap/intel-rapl:0/max_energy_range_uj", range);
    EXPECT_EQ(bench.offered().count("CPU_ENERGY"), 0U) << range;
    EXPECT_EQ(bench.offered().count("BOARD_ENERGY"), 1U);
  }
  Bench names([](FakeSys& sys) {
    for (const char* name : {"package-", "package-x", "package-0-x", "package-99999999999",
                             "package--1", "something"}) {
      fake::add_zone(sys, fmt::format("intel-rapl:{}", std::string(name).size()), name);
    }
    fake::add_zone(sys, "intel-rapl:99999999999999", "package-0");
    fake::add_zone(sys, "intel-rapl:0:0:0", "package-0");
  });
  EXPECT_FALSE(names.provider().info().available);
}

/// perf with counters of its own.
class FakePerf final : public PerfEvents {
 public:
  struct World {
    std::map<std::pair<std::uint64_t, int>, std::uint64_t> counts;  // by event and CPU
    bool denied = false;
    std::set<std::uint64_t> absent;
    int open = 0;
  };
  explicit FakePerf(World& world) : world_(world) {}
  Result<int> open(std::uint32_t type, std::uint64_t config, int cpu) override {
    EXPECT_EQ(type, 21U);
    if (world_.denied) return fail(Errc::denied, "no");
    if (world_.absent.count(config) != 0) return fail(Errc::unavailable, "no such event");
    ++world_.open;
    handles_.push_back({config, cpu});
    return static_cast<int>(handles_.size()) - 1;
  }
  void close(int) noexcept override { --world_.open; }
  std::optional<Errc> read(int handle, std::uint64_t& count) noexcept override {
    const auto found = world_.counts.find(handles_[static_cast<std::size_t>(handle)]);
    if (found == world_.counts.end()) return Errc::gone;
    count = found->second;
    return std::nullopt;
  }

 private:
  World& world_;
  std::vector<std::pair<std::uint64_t, int>> handles_;
};

TEST(Rapl, PerfStandsInWherePowercapIsClosed) {
  FakePerf::World world;
  world.counts = {{{2, 0}, 0}, {{2, 2}, 0}, {{3, 0}, 0}, {{3, 2}, 0}, {{5, 0}, 0}};
  world.absent = {4};  // listed, but the processor has none
  Bench bench(fake::rapl_perf);
  bench.made = make_rapl_provider(bench.sys.root(), bench.clock, std::make_unique<FakePerf>(world));
  EXPECT_EQ(world.open, 0) << "nothing is kept open before it is asked for";
  EXPECT_EQ(bench.offered(), (std::set<std::string>{"CPU_ENERGY", "CPU_POWER", "DRAM_ENERGY",
                                                    "DRAM_POWER", "BOARD_ENERGY", "BOARD_POWER"}));
  const int e1 = bench.push("CPU_ENERGY", 1);
  const int p1 = bench.push("CPU_POWER", 1);
  bench.advance(2);
  world.counts[{2, 2}] = std::uint64_t{300} << 32U;
  EXPECT_DOUBLE_EQ(bench.read(e1).value, 300);
  bench.advance(1);
  EXPECT_DOUBLE_EQ(bench.read(p1).value, 0);
  world.counts.erase({2, 2});
  EXPECT_FALSE(bench.read(e1).ok());
  bench.made.reset();
  EXPECT_EQ(world.open, 0);
}

TEST(Rapl, PerfWithoutTheRightSaysWhatToDo) {
  FakePerf::World world;
  world.denied = true;
  Bench bench(fake::rapl_perf);
  bench.made = make_rapl_provider(bench.sys.root(), bench.clock, std::make_unique<FakePerf>(world));
  EXPECT_FALSE(bench.provider().info().available);
  EXPECT_NE(bench.absences().find("cap_perfmon"), std::string::npos) << bench.absences();
}

}  // namespace
}  // namespace mete
