// Processes on a /proc made of files: what is counted is checked against a script that knows every
// process's CPU time. SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/process_meter.h"

#include <cmath>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/rng.h"

namespace mete {
namespace {

namespace fs = std::filesystem;

/// A machine of two CPUs at 100 ticks a second, whose kernel we play.
class FakeProc {
 public:
  FakeProc() {
    char name[] = "/tmp/mete-proc-XXXXXX";
    root_ = ::mkdtemp(name);
    fs::create_directories(root_ + "/proc");
    put("/proc/uptime", "1000.00 2000.00\n");
    tick(0, 0);
  }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;
  ~FakeProc() { fs::remove_all(root_); }

  SysRoot root() const { return SysRoot(root_); }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    // In place, as /proc is: a file that is held open sees the new text.
    std::FILE* file = std::fopen((root_ + path).c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  void tick(int busy, int idle) {
    busy_ += busy;
    idle_ += idle;
    put("/proc/stat", fmt::format("cpu  {} 0 0 {} 0 0 0 0 0 0\ncpu0 1 2 3 4\n", busy_, idle_));
  }
  struct Process {
    int parent = 1;
    int own = 0;
    int children = 0;
    std::string name = "worker";
    int start = 200'000;  // after the machine has run for 1000 s
  };
  void show(int pid) {
    const Process& p = processes[pid];
    put(fmt::format("/proc/{}/stat", pid),
        fmt::format("{} ({}) S {} 1 1 0 -1 4194304 9 9 9 9 {} 0 {} 0 20 0 1 0 {} 1000000 25 1 1\n",
                    pid, p.name, p.parent, p.own, p.children, p.start));
  }
  void start(int pid, Process process) {
    processes[pid] = std::move(process);
    show(pid);
  }
  void run(int pid, int ticks) {
    processes[pid].own += ticks;
    show(pid);
  }
  /// Ends and is waited for by its parent.
  void end(int pid) {
    const Process p = processes[pid];
    processes.erase(pid);
    // Emptied first: a file that is held open must read as gone.
    put(fmt::format("/proc/{}/stat", pid), "");
    fs::remove_all(root_ + fmt::format("/proc/{}", pid));
    if (processes.contains(p.parent)) {
      processes[p.parent].children += p.own + p.children;
      show(p.parent);
    }
  }
  std::map<int, Process> processes;

 private:
  std::string root_;
  int busy_ = 5000;
  int idle_ = 100'000;
};

ProcessScope below(pid_t self) { return {ProcessScope::Kind::children, self, {}, ""}; }

const ProcessUse& use_of(ProcessMeter& meter, pid_t pid) {
  const auto at = meter.find(pid);
  EXPECT_NE(at, ProcessMeter::npos) << pid;
  return meter.processes()[at == ProcessMeter::npos ? 0 : at];
}

TEST(ProcessStatTest, NamesWithBlanksAndBrackets) {
  ProcessStat stat;
  ASSERT_TRUE(parse_process_stat(
      "12 (a) R 9 (b (c) S 7 1 1 0 -1 0 0 0 0 0 3 4 5 6 20 0 1 0 77 1000 25 0", stat));
  EXPECT_EQ(stat.name, "a) R 9 (b (c");
  EXPECT_EQ(stat.parent, 7);
  EXPECT_DOUBLE_EQ(stat.own_ticks, 7);
  EXPECT_DOUBLE_EQ(stat.children_ticks, 11);
  EXPECT_EQ(stat.start_ticks, 77U);
  EXPECT_EQ(stat.rss_pages, 25);
  for (const std::string bad : {"", "12", "12 (a", "12 (a) S", ")(", "12 (a) S x 1 1 0 -1 0 0 0",
                                "12 (a) S 7 1 1 0 -1 0 0 0 0 0 3 x 5 6 20 0 1 0 77 1000 25 0"}) {
    EXPECT_FALSE(parse_process_stat(bad, stat)) << bad;
  }
}

TEST(ProcessMeterTest, TheTreeOfTheRunAndNobodyElse) {
  FakeProc proc;
  proc.start(10, {1, 50, 0, "mete"});
  proc.start(11, {10, 900, 0, "helper of before"});
  proc.start(90, {1, 700, 0, "stranger"});
  ProcessMeter meter(proc.root(), below(10));
  ASSERT_TRUE(meter.open());
  EXPECT_FALSE(meter.any_alive());
  proc.start(20, {10, 3, 0, "sh"});
  proc.start(15, {21, 2, 0, "grandchild (x) y"});  // listed before its parent
  proc.start(21, {20, 0, 0, "child"});
  proc.start(91, {90, 8, 0, "stranger's"});
  proc.tick(100, 100);
  meter.update();
  EXPECT_EQ(meter.processes().size(), 4U);  // with the row of the ended
  EXPECT_DOUBLE_EQ(use_of(meter, 20).cpu_delta, 0.03);
  EXPECT_EQ(use_of(meter, 15).name, "grandchild (x) y");
  EXPECT_DOUBLE_EQ(use_of(meter, 15).cpu_seconds, 0.02);
  EXPECT_DOUBLE_EQ(meter.busy_seconds(), 1);
  EXPECT_DOUBLE_EQ(meter.capacity_seconds(), 2);
  EXPECT_GT(use_of(meter, 20).rss_bytes, 0);
  proc.run(15, 40);
  meter.update();
  EXPECT_DOUBLE_EQ(use_of(meter, 15).cpu_delta, 0.4);
  EXPECT_DOUBLE_EQ(use_of(meter, 20).cpu_delta, 0);
}

TEST(ProcessMeterTest, ChildrenThatNobodySawAreTheirParents) {
  FakeProc proc;
  proc.start(10, {1, 0, 0, "mete"});
  ProcessMeter meter(proc.root(), below(10));
  ASSERT_TRUE(meter.open());
  proc.start(20, {10, 0, 0, "make"});
  meter.update();
  for (int i = 0; i < 5000; ++i) {  // begin and end between two looks
    proc.processes[20].children += 2;
  }
  proc.show(20);
  meter.update();
  EXPECT_DOUBLE_EQ(use_of(meter, 20).cpu_delta, 100);
  EXPECT_EQ(meter.processes().size(), 2U);
  proc.end(20);  // and its parent waits for it: nothing is counted again
  meter.update();
  double sum = 0;
  for (const auto& use : meter.processes()) sum += use.cpu_delta;
  EXPECT_DOUBLE_EQ(sum, 0);
  EXPECT_TRUE(meter.processes()[1].ended);
  meter.update();
  EXPECT_FALSE(meter.any_alive());
}

TEST(ProcessMeterTest, TheLastMomentsOfAChildAreItsOwn) {
  FakeProc proc;
  proc.start(10, {1, 0, 0, "mete"});
  ProcessMeter meter(proc.root(), below(10));
  ASSERT_TRUE(meter.open());
  proc.start(20, {10, 5, 0, "app"});
  meter.update();
  proc.run(20, 30);
  proc.end(20);
  meter.update();
  ASSERT_TRUE(meter.processes()[1].ended);
  EXPECT_NEAR(meter.processes()[1].cpu_delta, 0.30, 1e-12);
  EXPECT_NEAR(meter.processes()[1].cpu_seconds, 0.35, 1e-12);
  EXPECT_NEAR(meter.processes()[0].cpu_seconds, 0, 1e-12);
}

TEST(ProcessMeterTest, TheLastMomentsOfAChildAreNotThoseOfSiblingsThatNobodySaw) {
  for (const bool others_came : {false, true}) {
    FakeProc proc;
    proc.put("/proc/loadavg", "0 0 0 1/99 10\n");
    proc.start(10, {1, 0, 0, "mete"});
    ProcessMeter meter(proc.root(), below(10));
    ASSERT_TRUE(meter.open());
    proc.start(20, {10, 0, 0, "make"});
    proc.start(21, {20, 0, 0, "cc"});
    proc.put("/proc/loadavg", "0 0 0 1/99 12\n");
    meter.update();
    proc.run(21, 4);
    proc.end(21);
    if (others_came) {
      proc.processes[20].children += 2;
      proc.put("/proc/loadavg", "0 0 0 1/99 13\n");
    }
    proc.show(20);
    meter.update();
    const auto& uses = meter.processes();
    ASSERT_EQ(uses.size(), 3U);
    ASSERT_TRUE(uses[2].ended);
    // With another one in between nobody knows: all of it is the parent's, and the sum is kept.
    EXPECT_NEAR(uses[2].cpu_delta, others_came ? 0 : 0.04, 1e-12);
    EXPECT_NEAR(uses[1].cpu_delta, others_came ? 0.06 : 0, 1e-12);
  }
}

TEST(ProcessMeterTest, NoCpuTimeIsLostOrCountedTwice) {
  // Random births, work and deaths; whatever the meter sees of it, its sum is the script's.
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    FakeProc proc;
    Rng rng(seed);
    proc.start(10, {1, 0, 0, "mete"});
    ProcessMeter meter(proc.root(), below(10));
    ASSERT_TRUE(meter.open());
    double truth = 0;
    double metered = 0;
    int next_pid = 100;
    std::vector<int> alive;
    for (int step = 0; step < 40; ++step) {
      for (int k = 0; k < 4; ++k) {
        if (alive.empty() || rng.uniform() < 0.5) {
          const int parent =
              alive.empty() || rng.uniform() < 0.3 ? 10 : alive[rng.below(alive.size())];
          proc.start(next_pid, {parent, 0, 0, "p"});
          alive.push_back(next_pid++);
        }
        const int ticks = static_cast<int>(rng.below(9));
        proc.run(alive[rng.below(alive.size())], ticks);
        truth += ticks / 100.0;
        // Only what has no children dies here; who inherits orphans is the kernel's business.
        const std::size_t victim = rng.below(alive.size());
        bool leaf = true;
        for (const auto& [pid, p] : proc.processes) leaf = leaf && p.parent != alive[victim];
        if (leaf && rng.uniform() < 0.4) {
          proc.end(alive[victim]);
          alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(victim));
        }
      }
      meter.update();
      for (const auto& use : meter.processes()) metered += use.cpu_delta;
    }
    EXPECT_NEAR(metered, truth, 1e-9) << "seed " << seed;
    EXPECT_LE(meter.processes().size(), alive.size() + 1 + 60 * 4);
  }
}

TEST(ProcessMeterTest, AttachedProcessesBringNoPast) {
  FakeProc proc;
  proc.start(30, {1, 500, 70, "server", 500});  // started before us
  proc.start(31, {30, 40, 0, "its child", 600});
  ProcessMeter meter(proc.root(), {ProcessScope::Kind::pids, 10, {30}, ""});
  ASSERT_TRUE(meter.open());
  EXPECT_EQ(meter.processes().size(), 3U);
  proc.run(30, 10);
  proc.run(31, 5);
  meter.update();
  EXPECT_NEAR(use_of(meter, 30).cpu_seconds, 0.1, 1e-9);
  EXPECT_NEAR(use_of(meter, 31).cpu_seconds, 0.05, 1e-9);
  const auto wrong = ProcessMeter(proc.root(), {ProcessScope::Kind::pids, 10, {999}, ""}).open();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Errc::invalid);
}

TEST(ProcessMeterTest, ContainersByTheirCgroup) {
  FakeProc proc;
  proc.start(40, {1, 0, 0, "entry"});
  proc.start(41, {1, 0, 0, "inner"});
  proc.put("/proc/40/status", "Name:\tentry\nNSpid:\t40\t1\nThreads:\t1\n");
  proc.put("/sys/fs/cgroup/box/cgroup.procs", "40\n0\n");
  proc.put("/sys/fs/cgroup/box/sub/cgroup.procs", "41\n");
  ProcessMeter meter(proc.root(), {ProcessScope::Kind::cgroup, 10, {}, "/sys/fs/cgroup/box"});
  ASSERT_TRUE(meter.open());
  EXPECT_EQ(meter.processes().size(), 3U);
  EXPECT_EQ(use_of(meter, 40).inner_pid, 1);
  EXPECT_FALSE(
      ProcessMeter(proc.root(), {ProcessScope::Kind::cgroup, 10, {}, "/sys/fs/cgroup/no"}).open());
}

TEST(ProcessMeterTest, MemoryAndIoWhereTheyCanBeRead) {
  FakeProc proc;
  proc.start(10, {1, 0, 0, "mete"});
  ProcessMeter meter(proc.root(), below(10));
  ASSERT_TRUE(meter.open());
  proc.start(20, {10, 0, 0, "app"});
  proc.start(21, {10, 0, 0, "other user's"});
  proc.put("/proc/20/smaps_rollup",
           "5581 ---p [rollup]\nRss: 900 kB\nPss:   512 kB\nPrivate_Clean: 8 kB\nPrivate_Dirty: 16 "
           "kB\n");
  proc.put("/proc/20/io",
           "rchar: 9\nwchar: 9\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n");
  meter.update();
  meter.update_memory();
  meter.update_io();
  EXPECT_DOUBLE_EQ(use_of(meter, 20).pss_bytes, 512 * 1024);
  EXPECT_DOUBLE_EQ(use_of(meter, 20).uss_bytes, 24 * 1024);
  EXPECT_DOUBLE_EQ(use_of(meter, 20).read_bytes, 4096);
  EXPECT_DOUBLE_EQ(use_of(meter, 20).written_bytes, 8192);
  EXPECT_TRUE(std::isnan(use_of(meter, 21).pss_bytes));
}

/// A process of our own that computes, tells how long by its own clock, and waits to be killed.
class Computing {
 public:
  Computing() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      timespec used{};
      while (used.tv_nsec < 30'000'000 && used.tv_sec == 0) {
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
      }
      const double seconds =
          static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
      if (::write(ends[1], &seconds, sizeof seconds) < 0) ::_exit(1);
      while (true) ::pause();
    }
    EXPECT_EQ(::read(ends[0], &seconds_, sizeof seconds_), static_cast<ssize_t>(sizeof seconds_));
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Computing() { end(); }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  pid_t pid_ = 0;
  double seconds_ = 0;
};

TEST(ProcessMeterTest, ThreadsAreNoProcesses) {
  ProcessMeter meter(SysRoot(), below(::getpid()));
  ASSERT_TRUE(meter.open());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    // Its number is one that the kernel has just given out, as a process's is.
    std::thread thread([] { ::pause(); });
    if (::write(ends[1], "x", 1) < 0) ::_exit(1);
    while (true) ::pause();
  }
  char told = 0;
  ASSERT_EQ(::read(ends[0], &told, 1), 1);
  meter.update(false);
  const std::size_t seen = meter.processes().size();
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(seen, 2U) << "the row of what ended, and the child";
}

TEST(ProcessMeterTest, AQuickLookAsksTheProcesssOwnClock) {
  ProcessMeter meter(SysRoot(), below(::getpid()));
  ASSERT_TRUE(meter.open());
  Computing child;
  const pid_t pid = child.pid();
  meter.update(false);
  // /proc would tell steps of 10 ms; the little it does to fall asleep comes on top.
  EXPECT_GE(use_of(meter, pid).cpu_seconds, child.seconds());
  EXPECT_NEAR(use_of(meter, pid).cpu_seconds, child.seconds(), 0.005);
  meter.update(false);
  EXPECT_NEAR(use_of(meter, pid).cpu_delta, 0, 0.005);
  child.end();
  meter.update(false);
  EXPECT_TRUE(use_of(meter, pid).ended);
  meter.update(false);
  EXPECT_EQ(meter.find(pid), ProcessMeter::npos);
}

}  // namespace
}  // namespace mete
