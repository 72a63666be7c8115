// What the linux provider says of machines whose /proc and /sys were written by hand.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/linux/linux_provider.h"

#include <cmath>
#include <set>

#include "tests/fixtures/sys/fake_sys.h"
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/provider/linux/cpu_map.h"
#include "mete/signal/platform.h"

namespace mete {
namespace {

using fake::FakeSys;

Platform platform_of(const FakeSys& sys) {
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_linux_provider(sys.root()));
  return Platform(std::move(providers));
}

double read(Platform& platform, const std::string& name, Domain domain = Domain::board,
            int index = 0) {
  const auto value = platform.read_signal({name, domain, index});
  EXPECT_TRUE(value.has_value()) << value.error().what;
  return value.value_or(std::nan(""));
}

TEST(LinuxTopology, TwoSocketsWithThreads) {
  FakeSys sys;
  fake::intel_two_sockets(sys);
  const Platform platform = platform_of(sys);
  const Topology& t = platform.topology();
  EXPECT_EQ(t.count(Domain::package), 2);
  EXPECT_EQ(t.count(Domain::core), 4);
  EXPECT_EQ(t.count(Domain::cpu), 8);
  EXPECT_EQ(t.count(Domain::memory), 2);
  EXPECT_EQ(t.nested(Domain::cpu, Domain::package, 1), (std::vector<int>{2, 3, 6, 7}));
  EXPECT_EQ(t.nested(Domain::cpu, Domain::core, 1), (std::vector<int>{1, 5}));
  EXPECT_EQ(t.nested(Domain::cpu, Domain::memory, 0), (std::vector<int>{0, 1, 4, 5}));
}

TEST(LinuxTopology, CoreIdsThatRepeatWithinAPackage) {
  FakeSys sys;
  fake::amd_one_socket(sys);
  EXPECT_EQ(platform_of(sys).topology().count(Domain::core), 4)
      << "two dies count their cores from 0 each";
}

TEST(LinuxTopology, OfflineCpusLeaveNoHoles) {
  FakeSys sys;
  fake::with_holes(sys);
  const CpuMap map = read_cpu_map(sys.root());
  EXPECT_EQ(map.kernel_cpu, (std::vector<int>{0, 2, 3, 6}));
  EXPECT_EQ(map.kernel_package, (std::vector<int>{0, 3}));
  EXPECT_EQ(map.dense_cpu(6), 3);
  EXPECT_EQ(map.dense_cpu(1), -1);
  EXPECT_EQ(map.cpus[3].package, 1);
  EXPECT_EQ(map.cpus[3].memory, 1) << "node 2 is the second that has CPUs";
}

TEST(LinuxTopology, WithoutSysfsTheCpusAreThoseOfProcStat) {
  FakeSys sys;
  sys.write("/proc/stat",
            "cpu  1 0 0 1\ncpu0 1 0 0 1 0 0 0 0 0 0\ncpu3 1 0 0 1 0 0 0 0 0 0\nintr 1\n");
  const CpuMap map = read_cpu_map(sys.root());
  EXPECT_EQ(map.kernel_cpu, (std::vector<int>{0, 3}));
  EXPECT_EQ(map.cores.size(), 2U);
  EXPECT_EQ(map.kernel_package.size(), 1U);
}

TEST(LinuxTopology, NonsenseIsNoCrash) {
  for (const char* list : {"", "0-99999999", "3-1", "a", "-1", "0,,1"}) {
    FakeSys sys;
    sys.online(list);
    EXPECT_NO_FATAL_FAILURE(make_linux_provider(sys.root()));
  }
}

TEST(LinuxSignals, Values) {
  FakeSys sys;
  fake::intel_two_sockets(sys);
  Platform p = platform_of(sys);
  EXPECT_DOUBLE_EQ(read(p, "CPU_FREQUENCY_STATUS", Domain::cpu, 3), 2.103e9);
  EXPECT_DOUBLE_EQ(read(p, "CPU_FREQUENCY_STATUS", Domain::core, 1), 2.103e9)
      << "mean of CPUs 1 and 5";
  EXPECT_DOUBLE_EQ(read(p, "CPU_FREQUENCY_MIN_AVAIL"), 0.8e9);
  EXPECT_DOUBLE_EQ(read(p, "CPU_FREQUENCY_MAX_AVAIL"), 3.5e9);
  EXPECT_DOUBLE_EQ(read(p, "CPU_FREQUENCY_STICKER"), 2.1e9);
  EXPECT_DOUBLE_EQ(read(p, "CPU_PACKAGE_TEMPERATURE", Domain::package, 0), 51.0);
  EXPECT_DOUBLE_EQ(read(p, "CPU_PACKAGE_TEMPERATURE", Domain::package, 1), 61.0);
  EXPECT_DOUBLE_EQ(read(p, "CPU_CORE_TEMPERATURE", Domain::core, 0), 48.0);
  EXPECT_DOUBLE_EQ(read(p, "CPU_CORE_TEMPERATURE", Domain::core, 1), 50.0);
  EXPECT_DOUBLE_EQ(read(p, "CPU_CORE_TEMPERATURE", Domain::core, 2), 58.0);
  EXPECT_DOUBLE_EQ(read(p, "CPU_CORE_TEMPERATURE", Domain::core, 3), 60.0);
  EXPECT_DOUBLE_EQ(read(p, "MEMORY_TOTAL"), 197000000.0 * 1024);
  EXPECT_DOUBLE_EQ(read(p, "MEMORY_AVAILABLE"), 150000000.0 * 1024);
  EXPECT_DOUBLE_EQ(read(p, "MEMORY_USED"), 47000000.0 * 1024);
  EXPECT_DOUBLE_EQ(read(p, "LOAD_AVERAGE"), 0.42);
  EXPECT_DOUBLE_EQ(read(p, "FREQUENCY", Domain::cpu, 0), 2.1e9) << "the name of before 2.0";
}

TEST(LinuxSignals, TemperaturesOfAmdAndArm) {
  FakeSys amd;
  fake::amd_one_socket(amd);
  Platform p = platform_of(amd);
  EXPECT_DOUBLE_EQ(read(p, "CPU_PACKAGE_TEMPERATURE"), 65.5) << "Tdie, not the shifted Tctl";
  EXPECT_FALSE(p.has_signal("CPU_CORE_TEMPERATURE"));
  FakeSys arm;
  fake::arm_big_little(arm);
  Platform q = platform_of(arm);
  EXPECT_DOUBLE_EQ(read(q, "CPU_PACKAGE_TEMPERATURE"), 47.5) << "not the GPU's zone";
}

TEST(LinuxSignals, AVirtualMachinesClockIsCalledAnEstimate) {
  FakeSys sys;
  fake::virtual_machine(sys);
  Platform p = platform_of(sys);
  EXPECT_DOUBLE_EQ(read(p, "CPU_FREQUENCY_STATUS", Domain::cpu, 1), 2500.002e6);
  EXPECT_EQ(p.signal_info("CPU_FREQUENCY_STATUS")->source, Source::estimated);
  EXPECT_TRUE(p.controls().empty());
  std::set<std::string> missing;
  for (const auto& absence : p.providers()[0]->absences) missing.insert(absence.what);
  EXPECT_EQ(missing.count("CPU_CORE_TEMPERATURE, CPU_PACKAGE_TEMPERATURE"), 1U);
  EXPECT_EQ(missing.size(), 2U) << "temperatures and frequency control";
}

TEST(LinuxUsage, IsTheShareOfTicksSpentRunning) {
  FakeSys sys;
  fake::intel_two_sockets(sys);
  Platform p = platform_of(sys);
  const int cpu0 = *p.push_signal({"CPU_UTILIZATION", Domain::cpu, 0});
  const int cpu7 = *p.push_signal({"CPU_UTILIZATION", Domain::cpu, 7});
  const int all = *p.push_signal({"CPU_UTILIZATION", Domain::board, 0});
  p.read_batch();
  EXPECT_EQ(p.sample(cpu0).fault, Errc::retry) << "no tick since the push";
  sys.tick(0, 3, 1);
  sys.tick(7, 0, 4);
  for (const int i : {1, 2, 3, 4, 5, 6}) sys.tick(i, 4, 0);
  sys.publish_ticks();
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(cpu0), 0.75);
  EXPECT_DOUBLE_EQ(p.value(cpu7), 0);
  EXPECT_DOUBLE_EQ(p.value(all), 6.75 / 8);
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(cpu0), 0.75) << "sooner than the next tick: the last value again";
  sys.tick(0, 0, 10);
  sys.publish_ticks();
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(cpu0), 0) << "of the last interval alone";
}

TEST(LinuxUsage, PacedReadingsRepeatUntilTheyAreDue) {
  FakeSys sys;
  fake::virtual_machine(sys);
  const auto stat = [&sys](int user, int idle) {
    sys.write(
        "/proc/stat",
        fmt::format("cpu  {0} 0 0 {1} 0 0 0 0 0 0\ncpu0 {0} 0 0 {1} 0 0 0 0 0 0\n", user, idle));
  };
  stat(0, 0);
  VirtualClock clock;
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_paced_linux_provider(sys.root(), clock));
  Platform platform(std::move(providers));
  const int usage = platform.push_signal({"CPU_UTILIZATION", Domain::cpu, 0}).value();
  stat(1, 3);
  platform.read_batch();
  EXPECT_DOUBLE_EQ(platform.value(usage), 0.25);
  stat(4, 4);
  clock.advance_to(std::chrono::milliseconds(49));
  platform.read_batch();
  EXPECT_DOUBLE_EQ(platform.value(usage), 0.25) << "read again too soon";
  clock.advance_to(std::chrono::milliseconds(50));
  platform.read_batch();
  EXPECT_DOUBLE_EQ(platform.value(usage), 0.75);
}

TEST(LinuxClock, NominalOnesAreReadOnceASecondOthersTenTimes) {
  for (const bool counts_cycles : {false, true}) {
    FakeSys sys;
    fake::virtual_machine(sys);
    const auto tell = [&](int megahertz) {
      sys.write("/proc/cpuinfo",
                fmt::format("processor\t: 0\nflags\t\t: fpu hypervisor{} tsc\ncpu MHz\t\t: {}\n",
                            counts_cycles ? " aperfmperf" : "", megahertz));
    };
    tell(2000);
    VirtualClock clock;
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_paced_linux_provider(sys.root(), clock));
    Platform platform(std::move(providers));
    const int handle = platform.push_signal({"CPU_FREQUENCY_STATUS", Domain::cpu, 0}).value();
    platform.read_batch();
    tell(2500);
    clock.advance_to(std::chrono::milliseconds(100));
    platform.read_batch();
    EXPECT_EQ(platform.value(handle), counts_cycles ? 2500e6 : 2000e6);
    clock.advance_to(std::chrono::milliseconds(1000));
    platform.read_batch();
    EXPECT_EQ(platform.value(handle), 2500e6);
    // A signal that comes later is read at once, not when the next table is due.
    const int memory = platform.push_signal({"MEMORY_TOTAL", Domain::board, 0}).value();
    platform.read_batch();
    EXPECT_TRUE(platform.sample(memory).ok());
  }
}

TEST(LinuxUsage, FieldsOfProcStat) {
  FakeSys sys;
  sys.cpu(0, 0, 0, "0");
  sys.online("0");
  sys.write("/proc/stat", "cpu  0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0\n");
  Platform p = platform_of(sys);
  const int handle = *p.push_signal({"CPU_UTILIZATION", Domain::cpu, 0});
  // user 1, nice 2, system 4, idle 100, iowait 200, irq 8, softirq 16, steal 400; guests are in
  // user and nice.
  sys.write("/proc/stat", "cpu  0\ncpu0 1 2 4 100 200 8 16 400 1 2\nintr 0\n");
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(handle), 31.0 / 731.0);
  // iowait went back by 10 while idle grew by 20 and user by 5.
  sys.write("/proc/stat", "cpu  0\ncpu0 6 2 4 120 190 8 16 400 1 2\nintr 0\n");
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(handle), 5.0 / 15.0);
}

TEST(LinuxUsage, ACpuThatGoesOfflineIsAFaultAndComesBack) {
  FakeSys sys;
  fake::virtual_machine(sys);
  Platform p = platform_of(sys);
  const int cpu1 = *p.push_signal({"CPU_UTILIZATION", Domain::cpu, 1});
  const int all = *p.push_signal({"CPU_UTILIZATION", Domain::board, 0});
  sys.write("/proc/stat", "cpu  9 0 0 9\ncpu0 15 0 0 15 0 0 0 0 0 0\nintr 0\n");
  p.read_batch();
  EXPECT_EQ(p.sample(cpu1).fault, Errc::gone);
  EXPECT_DOUBLE_EQ(p.value(all), 0.5) << "the mean of those that are there";
  sys.all_tick(40, 0);
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(cpu1), 1.0);
}

TEST(LinuxUsage, ALongFileIsNotCutInTheMiddleOfANumber) {
  FakeSys sys;
  for (int i = 0; i < 64; ++i) sys.cpu(i, 0, i, std::to_string(i));
  sys.online("0-63");
  sys.all_tick(1L << 55, 1L << 55);
  sys.write("/proc/stat", sys.read("/proc/stat") + "\nintr" + std::string(100000, '7') + "\n");
  Platform p = platform_of(sys);
  const int last = *p.push_signal({"CPU_UTILIZATION", Domain::cpu, 63});
  sys.all_tick(1L << 55, 0);
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(last), 1.0);
}

TEST(LinuxUsage, NonsenseIsAFault) {
  for (const char* line : {"cpu0", "cpu0 ", "cpu0 1 2", "cpu0 -1 2 3 4", "cpu0 nan nan nan nan",
                           "cpu99999999999 1 2 3 4", "intr 0", "cpu0 1e999 1 1 1"}) {
    FakeSys sys;
    fake::virtual_machine(sys);
    Platform p = platform_of(sys);
    const int cpu0 = *p.push_signal({"CPU_UTILIZATION", Domain::cpu, 0});
    sys.write("/proc/stat", std::string("cpu  1 2 3 4\n") + line + "\n");
    p.read_batch();
    EXPECT_TRUE(p.sample(cpu0).fault) << line;
  }
}

TEST(LinuxSignals, AFileThatStopsTellingIsAFault) {
  FakeSys sys;
  fake::intel_two_sockets(sys);
  Platform p = platform_of(sys);
  const int handle = *p.push_signal({"CPU_FREQUENCY_STATUS", Domain::cpu, 0});
  const std::string path = FakeSys::policy_folder(0) + "scaling_cur_freq";
  for (const char* bad : {"<unknown>\n", "", "\n", "12 34\n", "inf\n", "0x10\n"}) {
    sys.write(path, bad);
    p.read_batch();
    EXPECT_TRUE(p.sample(handle).fault) << bad;
    EXPECT_TRUE(std::isnan(p.value(handle)));
  }
  sys.write(path, "1200000\n");
  p.read_batch();
  EXPECT_DOUBLE_EQ(p.value(handle), 1.2e9);
}

/// Runs `body` as a user without rights, in a child; true if it returned true. Root may write
/// anything.
template <class Body>
bool as_nobody(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const bool ready = ::geteuid() != 0 || ::setuid(kNobody) == 0;
    ::_exit(ready && body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A root whose / only root may enter (a chroot made by mktemp) hides every file from others.
bool nobody_can_read(const std::string& path) {
  return as_nobody([&] { return ::access(path.c_str(), R_OK) == 0; });
}

TEST(LinuxControls, WithoutPermissionTheyAreAbsentWithTheNextStep) {
  FakeSys sys;
  fake::intel_two_sockets(sys);
  namespace fs = std::filesystem;
  const auto read = static_cast<fs::perms>(0444);
  const auto enter = static_cast<fs::perms>(0755);
  fs::permissions(sys.folder(), enter);
  for (const auto& entry : fs::recursive_directory_iterator(sys.folder())) {
    fs::permissions(entry, entry.is_directory() ? enter : read);
  }
  if (!nobody_can_read(sys.root().path("/proc/stat"))) {
    GTEST_SKIP() << "a user without rights cannot read " << sys.root().root() << " here";
  }
  EXPECT_TRUE(as_nobody([&] {
    const auto provider = make_linux_provider(sys.root());
    const auto& absences = provider->info().absences;
    return provider->controls() == nullptr && provider->info().controls.empty() &&
           absences.size() == 1 &&
           absences[0].why.find("scaling_max_freq cannot be written") != std::string::npos &&
           absences[0].next.find("run as root") != std::string::npos;
  }));
}

}  // namespace
}  // namespace mete
