// Region marks through real shared memory, by forked programs. Energies are checked against a rule
// that shares no code with the listener: a walk over fine time steps. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/measure/region_listener.h"

#include <array>
#include <cmath>
#include <ctime>
#include <functional>
#include <map>
#include <thread>

#include "include/mete/region.h"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/rng.h"
#include "mete/region/layout.h"

namespace mete {
namespace {

constexpr std::array<std::string_view, 2> kNames{"package", "gpu"};

Nanoseconds now() { return SteadyClock().now(); }

std::unique_ptr<RegionListener> listener() {
  auto made = RegionListener::create();
  EXPECT_TRUE(made) << made.error().what;
  return made ? std::move(*made) : nullptr;
}

/// Runs `program` in a process whose library has not looked for a session yet.
int in_child(const RegionListener* session, const std::function<int()>& program) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (session != nullptr) {
      for (const auto& [key, value] : session->environment())
        ::setenv(key.c_str(), value.c_str(), 1);
    }
    ::_exit(program());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const RegionTotal* find(const std::vector<RegionTotal>& totals, std::string_view name) {
  for (const auto& one : totals) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

void pause_ms(int ms) {
  const timespec t{ms / 1000, (ms % 1000) * 1'000'000L};
  ::nanosleep(&t, nullptr);
}

TEST(RegionListenerTest, NobodyListensAndNothingHappens) {
  EXPECT_EQ(in_child(nullptr,
                     [] {
                       ::unsetenv(kRegionVariable);
                       const Region region("alone");
                       progress();
                       return mete_region_listening();
                     }),
            0);
  // What is there but is no session's memory is left alone.
  EXPECT_EQ(in_child(nullptr,
                     [] {
                       ::setenv(kRegionVariable, "/etc/passwd", 1);
                       const Region region("alone");
                       return mete_region_listening();
                     }),
            0);
}

TEST(RegionListenerTest, CountsSecondsAndNestedEnergy) {
  const auto session = listener();
  const std::array<double, 2> start{10, std::nan("")};
  const auto begun = now();
  session->drain(begun, start);
  EXPECT_EQ(in_child(session.get(),
                     [] {
                       for (int i = 0; i < 3; ++i) {
                         const Region epoch("epoch");
                         pause_ms(10);
                         const Region batch("batch");
                         pause_ms(10);
                       }
                       progress(3);
                       return 0;
                     }),
            0);
  const auto ended = now();
  const double seconds = to_seconds(ended - begun);
  // 100 W, so that joules are 100 times the seconds.
  const std::array<double, 2> end{10 + 100 * seconds, std::nan("")};
  session->finish(ended, end);
  const auto totals = session->totals(kNames);
  ASSERT_EQ(totals.size(), 2U);
  const auto* epoch = find(totals, "epoch");
  const auto* batch = find(totals, "batch");
  ASSERT_TRUE(epoch != nullptr && batch != nullptr);
  EXPECT_EQ(epoch->count, 3U);
  EXPECT_EQ(batch->count, 3U);
  EXPECT_GE(epoch->seconds, 0.060);
  EXPECT_LE(epoch->seconds, seconds);
  ASSERT_EQ(epoch->joules.size(), 1U);  // nothing tells the GPU's
  EXPECT_NEAR(epoch->joules[0].second, 100 * epoch->seconds, 1e-6);
  EXPECT_NEAR(batch->joules[0].second, 100 * batch->seconds, 1e-6);
  EXPECT_NEAR(epoch->own_joules[0].second, epoch->joules[0].second - batch->joules[0].second, 1e-6);
  EXPECT_EQ(session->epochs(), 3U);
  EXPECT_EQ(session->regions(), 6U);  // three of each name
  EXPECT_EQ(session->lost(), 0U);
}

/// Writes marks with times of our choosing straight into the memory.
class Script {
 public:
  explicit Script(const RegionListener& session) {
    const int fd = ::open(session.path().c_str(), O_RDWR);
    memory_ = static_cast<RegionMemory*>(
        ::mmap(nullptr, sizeof(RegionMemory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    ::close(fd);
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() { ::munmap(memory_, sizeof(RegionMemory)); }
  void mark(std::size_t ring, std::uint32_t name, bool is_exit, std::uint64_t time) {
    RegionName& entry = memory_->names[name];
    entry.text[0] = static_cast<char>('a' + name);
    entry.size = 1;
    entry.state = 2;
    RegionRing& r = memory_->rings[ring];
    r.state = 1;
    const auto at = r.written.load();
    r.marks[at % kRegionMarks] = {time, name, is_exit ? 1U : 0U};
    r.written = at + 1;
  }
  RegionMemory& memory() { return *memory_; }

 private:
  RegionMemory* memory_;
};

TEST(RegionListenerTest, ThreadsShareTheEnergyAndNothingIsLost) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto session = listener();
    Script script(*session);
    Rng rng(seed);
    constexpr int kSteps = 400;
    constexpr std::size_t kThreads = 3;
    std::vector<std::vector<std::uint32_t>> stacks(kThreads);
    std::map<std::uint32_t, double> truth;  // own joules
    double outside = 0;
    double joules = 0;
    session->drain(Nanoseconds(0), std::array<double, 1>{0});
    for (int step = 1; step <= kSteps; ++step) {
      const double watts = step < 200 ? 2 : 5;  // one sample's straight line
      // The step before: who is within a region shares it.
      std::size_t active = 0;
      for (const auto& stack : stacks) active += stack.empty() ? 0U : 1U;
      for (const auto& stack : stacks) {
        if (!stack.empty()) truth[stack.back()] += watts / static_cast<double>(active);
      }
      if (active == 0) outside += watts;
      joules += watts;
      const auto time = static_cast<std::uint64_t>(step) * 1000;
      for (std::size_t t = 0; t < kThreads; ++t) {
        const double u = rng.uniform();
        if (u < 0.2 && stacks[t].size() < 5) {
          stacks[t].push_back(static_cast<std::uint32_t>(1 + rng.below(4)));
          script.mark(t, stacks[t].back(), false, time);
        } else if (u < 0.5 && !stacks[t].empty()) {
          script.mark(t, stacks[t].back(), true, time);
          stacks[t].pop_back();
        }
      }
      if (step % 199 == 0) {
        session->drain(Nanoseconds(static_cast<std::int64_t>(time)), std::array<double, 1>{joules});
      }
    }
    session->finish(Nanoseconds(kSteps * 1000), std::array<double, 1>{joules});
    double sum = outside;
    for (const auto& one : session->totals(std::span(kNames).first(1))) {
      const auto name = static_cast<std::uint32_t>(one.name[0] - 'a');
      // Watts change within one sample once, by 3 of 2 W for one step: the line is that much off.
      EXPECT_NEAR(one.own_joules[0].second, truth[name], 3.1) << one.name;
      sum += one.own_joules[0].second;
    }
    EXPECT_NEAR(sum, joules, 3.1);
  }
}

TEST(RegionListenerTest, RecursionIsNotCountedTwice) {
  const auto session = listener();
  Script script(*session);
  session->drain(Nanoseconds(0), std::array<double, 1>{0});
  script.mark(0, 1, false, 0);
  script.mark(0, 1, false, 20);
  script.mark(0, 1, true, 40);
  script.mark(0, 1, true, 100);
  session->finish(Nanoseconds(200), std::array<double, 1>{200});
  const auto totals = session->totals(std::span(kNames).first(1));
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].count, 2U);
  EXPECT_NEAR(totals[0].seconds, 100e-9, 1e-15);
  EXPECT_NEAR(totals[0].joules[0].second, 100, 1e-9);
  EXPECT_NEAR(totals[0].own_joules[0].second, 100, 1e-9);
}

TEST(RegionListenerTest, ForksBringNoRegionsOfTheirParents) {
  const auto session = listener();
  session->drain(now(), std::array<double, 1>{0});
  EXPECT_EQ(in_child(session.get(),
                     [] {
                       const Region outer("outer");
                       const pid_t pid = ::fork();
                       if (pid == 0) {
                         {
                           const Region child("child");
                         }
                         mete_region_end((std::uint64_t{1} << 32U) | 1);  // the parent's
                         ::_exit(0);
                       }
                       ::waitpid(pid, nullptr, 0);
                       return 0;
                     }),
            0);
  session->finish(now(), std::array<double, 1>{1});
  const auto totals = session->totals(std::span(kNames).first(1));
  ASSERT_NE(find(totals, "outer"), nullptr);
  ASSERT_NE(find(totals, "child"), nullptr);
  EXPECT_EQ(find(totals, "outer")->count, 1U);
  EXPECT_EQ(find(totals, "child")->count, 1U);
}

TEST(RegionListenerTest, AKilledProgramsRegionsAreClosedAndItsRingsFreed) {
  const auto session = listener();
  session->drain(now(), std::array<double, 1>{0});
  for (int i = 0; i < 100; ++i) {  // more than there are rings
    in_child(session.get(), [] {
      mete_region_begin("cut");
      ::kill(::getpid(), SIGKILL);
      return 0;
    });
    session->drain(now() + std::chrono::seconds(2 * i), std::array<double, 1>{1.0 * i});
  }
  session->finish(now() + std::chrono::seconds(300), std::array<double, 1>{100});
  const auto totals = session->totals(std::span(kNames).first(1));
  ASSERT_NE(find(totals, "cut"), nullptr);
  EXPECT_EQ(find(totals, "cut")->count, 100U);
  EXPECT_EQ(session->lost(), 0U);
}

TEST(RegionListenerTest, MoreMarksThanThereIsRoomAreCountedAsLost) {
  const auto session = listener();
  session->drain(now(), std::array<double, 1>{0});
  in_child(session.get(), [] {
    for (int i = 0; i < 5000; ++i) const Region region("many");
    return 0;
  });
  session->finish(now(), std::array<double, 1>{1});
  const auto totals = session->totals(std::span(kNames).first(1));
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].count + session->lost(), 5000U);
  EXPECT_GE(totals[0].count, kRegionMarks / 2 - 1);
}

TEST(RegionListenerTest, ThreadsHaveRegionsOfTheirOwn) {
  const auto session = listener();
  session->drain(now(), std::array<double, 1>{0});
  in_child(session.get(), [] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i) const Region region("work");
      });
    }
    for (auto& thread : threads) thread.join();
    return 0;
  });
  session->finish(now(), std::array<double, 1>{1});
  const auto totals = session->totals(std::span(kNames).first(1));
  ASSERT_EQ(totals.size(), 1U);
  EXPECT_EQ(totals[0].count, 1600U);
}

TEST(RegionListenerTest, GarbageInTheMemoryIsSurvived) {
  const auto session = listener();
  {
    Script script(*session);
    Rng rng(3);
    auto& memory = script.memory();
    for (auto& ring : memory.rings) {
      ring.written = rng.next();
      ring.state = static_cast<std::uint32_t>(rng.next());
      for (auto& mark : ring.marks) {
        mark = {rng.next(), static_cast<std::uint32_t>(rng.next()),
                static_cast<std::uint32_t>(rng.next() % 2)};
      }
    }
    for (auto& name : memory.names) {
      name.state = static_cast<std::uint32_t>(rng.next() % 4);
      name.size = static_cast<std::uint32_t>(rng.next());
      for (char& c : name.text) c = 'x';
    }
  }
  session->drain(Nanoseconds(0), std::array<double, 1>{0});
  session->finish(Nanoseconds(1000), std::array<double, 1>{1});
  for (const auto& one : session->totals(std::span(kNames).first(1))) {
    EXPECT_LE(one.name.size(), kRegionNameBytes);
    EXPECT_TRUE(std::isfinite(one.joules[0].second));
  }
}

TEST(RegionListenerTest, TheMemoryGoesWithTheSession) {
  auto session = listener();
  const auto path = session->path();
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  session.reset();
  EXPECT_NE(::stat(path.c_str(), &info), 0);
  EXPECT_FALSE(RegionListener::create("/nowhere/at/all"));
}

/// What a killed session leaves: locked by nobody.
std::string leave_behind(const std::string& folder, const char* name, std::time_t age) {
  const std::string path = folder + "/" + name;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_GE(fd, 0);
  const std::array<timespec, 2> then{
      {{std::time(nullptr) - age, 0}, {std::time(nullptr) - age, 0}}};
  EXPECT_EQ(::futimens(fd, then.data()), 0);
  ::close(fd);
  return path;
}

TEST(RegionListenerTest, MemoryOfKilledSessionsGoesAndThatInUseStays) {
  std::string folder = "/tmp/mete-region-test-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string fresh = leave_behind(folder, "mete-regions-l-fresh1", 5);
  const std::string killed = leave_behind(folder, "mete-regions-l-killed", 3600);
  const std::string other = leave_behind(folder, "something-else", 3600);
  auto first = RegionListener::create(folder);
  ASSERT_TRUE(first);
  EXPECT_NE(::access(killed.c_str(), F_OK), 0);
  EXPECT_EQ(::access(other.c_str(), F_OK), 0);
  const std::array<timespec, 2> then{{{1000, 0}, {1000, 0}}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (*first)->path().c_str(), then.data(), 0), 0);
  {
    auto second = RegionListener::create(folder);
    ASSERT_TRUE(second);
    EXPECT_EQ(::access((*first)->path().c_str(), F_OK), 0) << "old, and in use";
  }
  EXPECT_EQ(::access(fresh.c_str(), F_OK), 0) << "its session may be about to lock it";
  const std::string path = (*first)->path();
  *first = nullptr;
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  ::unlink(fresh.c_str());
  ::unlink(other.c_str());
  EXPECT_EQ(::rmdir(folder.c_str()), 0) << "nothing else is left";
}

}  // namespace
}  // namespace mete
