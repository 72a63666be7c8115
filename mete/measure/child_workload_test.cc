// Real children: what they are given, how they end, and that nothing of them is left.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/child_workload.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/text.h"

namespace mete {
namespace {

using namespace std::chrono_literals;

/// Long enough for any machine; a test that gets there has failed.
constexpr Nanoseconds kLong = 60s;

class FakeInterrupt final : public Interrupt {
 public:
  int signal() const noexcept override { return number; }
  bool from_terminal() const noexcept override { return terminal; }
  int number = 0;
  bool terminal = false;
};

class ChildWorkloadTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fmt::format("/tmp/mete-child-test-{}", ::getpid());
    ASSERT_TRUE(make_directories(folder_));
  }
  std::unique_ptr<ChildWorkload> child(std::vector<std::string> words) {
    return std::make_unique<ChildWorkload>(std::move(words), clock_, interrupt_);
  }
  std::unique_ptr<ChildWorkload> shell(const std::string& script) {
    return child({"sh", "-c", script});
  }
  ExitStatus run(ChildWorkload& work) {
    const auto started = work.start();
    EXPECT_TRUE(started) << started.error().what;
    EXPECT_TRUE(work.wait_until(clock_.now() + kLong));
    return work.status();
  }
  std::string file(const std::string& name) { return path_join(folder_, name); }
  /// Waits until the file is there: the child has come so far.
  void await(const std::string& path) {
    const auto end = clock_.now() + kLong;
    while (!path_exists(path) && clock_.now() < end) clock_.sleep_until(clock_.now() + 2ms);
    ASSERT_TRUE(path_exists(path));
  }
  static bool runs(pid_t pid) {
    const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
    return stat && stat->find(") Z ") == std::string::npos;
  }
  pid_t pid_in(const std::string& path) {
    const auto text = read_file(path);
    const auto pid = text ? parse_int(trim(*text)) : std::nullopt;
    EXPECT_TRUE(pid);
    return static_cast<pid_t>(pid.value_or(0));
  }

  SteadyClock clock_;
  FakeInterrupt interrupt_;
  std::string folder_;
};

TEST_F(ChildWorkloadTest, KeepsExitCodesAndSignals) {
  EXPECT_EQ(run(*child({"true"})).code, 0);
  EXPECT_EQ(run(*shell("exit 37")).code, 37);
  const auto killed = run(*shell("kill -KILL $$"));
  EXPECT_EQ(killed.code, 137);
  EXPECT_EQ(killed.signal, SIGKILL);
}

TEST_F(ChildWorkloadTest, WordsReachTheProgramAsTheyAre) {
  const auto out = file("words");
  const std::vector<std::string> odd{"a b", "$HOME", "*", "", "it's", "-n"};
  std::vector<std::string> words{"sh", "-c", "printf '%s\\n' \"$@\" > " + out, "sh"};
  words.insert(words.end(), odd.begin(), odd.end());
  EXPECT_EQ(run(*child(words)).code, 0);
  EXPECT_EQ(*read_file(out), join(odd, "\n") + "\n");
  // What describe() says can be typed into a shell again.
  ::unlink(out.c_str());
  EXPECT_EQ(run(*shell(quote_words(words))).code, 0);
  EXPECT_EQ(*read_file(out), join(odd, "\n") + "\n");
}

TEST_F(ChildWorkloadTest, SaysWhyNothingCouldBeStarted) {
  const auto plain = file("not-executable");
  ASSERT_TRUE(write_file_atomically(plain, "#!/bin/sh\n"));
  const auto lost = file("lost-interpreter");
  ASSERT_TRUE(write_file_atomically(lost, "#!/no/such/interpreter\n"));
  const auto noise = file("noise");
  ASSERT_TRUE(write_file_atomically(noise, "\x01\x02 no program"));
  ASSERT_EQ(::chmod(lost.c_str(), 0755) | ::chmod(noise.c_str(), 0755), 0);
  const std::vector<std::pair<std::string, std::string>> cases{
      {"no-such-command-anywhere", "not found in PATH"},
      {"/no/such/file", "no such file"},
      {plain, "may not be executed"},
      {"/tmp", "is a folder"},
      {lost, "interpreter"},
      {noise, "neither a program"},
      {"", "no command"}};
  for (const auto& [command, words] : cases) {
    const auto work = child({command});
    const auto started = work->start();
    ASSERT_FALSE(started) << command;
    EXPECT_EQ(started.error().code, Errc::invalid) << command;
    EXPECT_NE(started.error().what.find(words), std::string::npos) << started.error().what;
    EXPECT_NE(started.error().what.find(command), std::string::npos);
  }
  EXPECT_FALSE(child({})->start());
}

TEST_F(ChildWorkloadTest, ReturnsAtTheDeadlineWhileTheChildRuns) {
  const auto work = child({"sleep", "60"});
  ASSERT_TRUE(work->start());
  const auto deadline = clock_.now() + 30ms;
  EXPECT_FALSE(work->wait_until(deadline));
  EXPECT_GE(clock_.now(), deadline);
  work->stop(SIGTERM);
  EXPECT_TRUE(work->wait_until(clock_.now() + kLong));
  EXPECT_EQ(work->status().code, 128 + SIGTERM);
}

TEST_F(ChildWorkloadTest, TimerSlackIsOursAlone) {
  const int before = ::prctl(PR_GET_TIMERSLACK);
  {
    const auto out = file("slack");
    const auto work = shell("cat /proc/self/timerslack_ns > " + out);
    EXPECT_EQ(run(*work).code, 0);
    EXPECT_EQ(::prctl(PR_GET_TIMERSLACK), 1);
    const auto told = read_file(out);
    if (told && !told->empty()) {
      EXPECT_EQ(*parse_int(trim(*told)), before);
    }
  }
  EXPECT_EQ(::prctl(PR_GET_TIMERSLACK), before);
}

TEST_F(ChildWorkloadTest, ChildGetsNoneOfOurFiles) {
  const int ours = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(ours, 0);
  const auto out = file("fds");
  EXPECT_EQ(
      run(*shell(fmt::format("test ! -e /proc/self/fd/{} && echo closed > {}", ours, out))).code,
      0);
  ::close(ours);
  EXPECT_EQ(*read_file(out), "closed\n");
}

TEST_F(ChildWorkloadTest, StopEndsTheWholeTree) {
  // A child, a grandchild, and a daemon: forked twice, in a session of its own.
  const auto ready = file("tree-ready");
  const auto daemon = file("daemon-pid");
  const auto grandchild = file("grandchild-pid");
  for (const auto& path : {ready, daemon, grandchild}) ::unlink(path.c_str());
  const auto work =
      shell(fmt::format("(setsid sh -c 'echo $$ > {0}; exec sleep 300' & ) ; "
                        "sh -c 'echo $$ > {1}; sleep 300; true' & "
                        "while ! test -s {0} || ! test -s {1}; do sleep 0.01; done; "
                        "touch {2}; wait",
                        daemon, grandchild, ready));
  ASSERT_TRUE(work->start());
  await(ready);
  const pid_t far = pid_in(daemon);
  const pid_t near = pid_in(grandchild);
  ASSERT_TRUE(runs(far) && runs(near));
  work->stop(SIGTERM);
  EXPECT_TRUE(work->wait_until(clock_.now() + kLong));
  EXPECT_FALSE(runs(far));
  EXPECT_FALSE(runs(near));
  EXPECT_EQ(work->status().signal, SIGTERM);
}

TEST_F(ChildWorkloadTest, DeafAndStoppedTreesYieldToKill) {
  const auto ready = file("deaf-ready");
  ::unlink(ready.c_str());
  const auto work = shell(
      "trap '' TERM INT; (trap '' TERM INT; while :; do sleep 0.05; done) & "
      "touch " +
      ready + "; while :; do sleep 0.05; done");
  ASSERT_TRUE(work->start());
  await(ready);
  work->stop(SIGTERM);
  EXPECT_FALSE(work->wait_until(clock_.now() + 100ms));
  work->stop(SIGKILL);
  EXPECT_TRUE(work->wait_until(clock_.now() + kLong));
  EXPECT_EQ(work->status().code, 137);

  // A stopped process hears SIGTERM only once it goes on.
  const auto sleeper = child({"sleep", "300"});
  ASSERT_TRUE(sleeper->start());
  ASSERT_EQ(::kill(sleeper->pid(), SIGSTOP), 0);
  sleeper->stop(SIGTERM);
  EXPECT_TRUE(sleeper->wait_until(clock_.now() + kLong));
}

TEST_F(ChildWorkloadTest, InterruptWakesTheWaitAndTheTerminalsSignalIsNotSentTwice) {
  const auto work = child({"sleep", "300"});
  ASSERT_TRUE(work->start());
  interrupt_.number = SIGINT;
  EXPECT_FALSE(work->wait_until(clock_.now() + kLong));
  // A terminal would have told the child, which shares our process group: so we do not.
  interrupt_.terminal = true;
  work->stop(SIGINT);
  EXPECT_FALSE(work->wait_until(clock_.now() + 50ms));
  // The next step does not rely on that.
  work->stop(SIGTERM);
  EXPECT_TRUE(work->wait_until(clock_.now() + kLong));
  EXPECT_EQ(work->status().signal, SIGTERM);
}

TEST_F(ChildWorkloadTest, WhatIsLeftRunningOnPurposeIsLetBe) {
  const auto daemon = file("kept-daemon");
  ::unlink(daemon.c_str());
  const auto work =
      shell(fmt::format("(setsid sh -c 'echo $$ > {0}; exec sleep 300' >/dev/null 2>&1 & ); "
                        "while ! test -s {0}; do sleep 0.01; done",
                        daemon));
  EXPECT_EQ(run(*work).code, 0);
  const pid_t pid = pid_in(daemon);
  EXPECT_TRUE(runs(pid));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);  // it was adopted by us
}

TEST_F(ChildWorkloadTest, AdoptedOrphansDoNotPileUp) {
  const auto work =
      shell("for i in 1 2 3 4 5 6 7 8; do (sh -c 'exit 0' &); done; sleep 0.5; exit 3");
  ASSERT_TRUE(work->start());
  while (!work->wait_until(clock_.now() + 10ms)) {
  }
  EXPECT_EQ(work->status().code, 3);
  siginfo_t info{};
  // No children at all, or none that wait to be reaped.
  const int found = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
  EXPECT_TRUE(found != 0 || info.si_pid == 0);
}

TEST_F(ChildWorkloadTest, OtherSignalsArePassedOn) {
  const auto ready = file("relay-ready");
  ::unlink(ready.c_str());
  const auto work = shell("trap 'exit 42' USR1; touch " + ready + "; while :; do sleep 0.02; done");
  ASSERT_TRUE(work->start());
  await(ready);
  ASSERT_EQ(::raise(SIGUSR1), 0);  // would end this test if it were not handled
  EXPECT_TRUE(work->wait_until(clock_.now() + kLong));
  EXPECT_EQ(work->status().code, 42);
}

TEST_F(ChildWorkloadTest, DestructionLeavesNothing) {
  pid_t pid = 0;
  {
    const auto work = child({"sleep", "300"});
    ASSERT_TRUE(work->start());
    pid = work->pid();
  }
  EXPECT_FALSE(runs(pid));
}

}  // namespace
}  // namespace mete
