// The session against simple rules: sums worked out by hand from the samples' times, in virtual
// time, so that nothing here depends on how busy the machine is.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/session.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/measure/allocations_test_support.h"
#include "mete/measure/session_test_support.h"

namespace mete {
namespace {

using test::Bench;
using test::signal_row;
using test::TimedWorkload;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string temp_file(const std::string& name) {
  const std::string folder = fmt::format("/tmp/mete-measure-test-{}", ::getpid());
  [[maybe_unused]] const auto made = make_directories(folder);
  return path_join(folder, name);
}

SessionOptions options_with(std::vector<Request> signals) {
  SessionOptions options;
  options.period = std::chrono::milliseconds(100);
  options.node = "node1";
  options.signals = std::move(signals);
  return options;
}

Result<RunResult> run(Bench& bench, Workload& workload, const SessionOptions& options,
                      Steering* steering = nullptr) {
  Session session(bench.platform(), bench.clock, bench.interrupt, "");
  return session.run(workload, steering, options);
}

const SignalTotal& total_of(const RunResult& result, const std::string& name) {
  for (const auto& one : result.totals) {
    if (one.request.name == name) return one;
  }
  static const SignalTotal none{};
  ADD_FAILURE() << "no total " << name;
  return none;
}

TEST(Session, MeansAreTimeWeightedAndCountersAreDifferences) {
  Bench bench;
  // 100 W for the first half second, 300 W after; a joule counter that fits; a run of 1.25 s.
  bench.provider->add(signal_row("P", Behavior::variable),
                      [](double t) { return t <= 0.5 ? 100.0 : 300.0; });
  bench.provider->add(signal_row("E", Behavior::monotone, "J"),
                      [](double t) { return 1e6 + (t <= 0.5 ? 100 * t : 50 + 300 * (t - 0.5)); });
  TimedWorkload work(bench.clock, 1.25);
  const auto result = run(bench, work, options_with({{"P"}, {"E"}}));
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_DOUBLE_EQ(result->seconds, 1.25);
  // The last sample falls on the end itself, so the counter covers the whole run.
  EXPECT_NEAR(result->total("E"), 50 + 300 * 0.75, 1e-6);
  // Each sample stands for the time before it; samples at 0.1 .. 1.2 and 1.25.
  EXPECT_NEAR(result->total("P"), (0.5 * 100 + 0.75 * 300) / 1.25, 1e-9);
  EXPECT_NEAR(result->total("TIME"), 1.25, 1e-9);
  EXPECT_EQ(result->loop.periods, 12U);
  EXPECT_EQ(result->loop.overruns, 0U);
  EXPECT_NEAR(result->loop.period_mean, 0.1, 1e-9);
}

TEST(Session, FailedReadingsAreLeftOutAndCounted) {
  Bench bench;
  bench.provider->add(signal_row("P", Behavior::variable), [](double t) {
    return t > 0.25 && t < 0.45 ? kNaN : t < 0.25 ? 10.0 : 20.0;
  });
  bench.provider->add(signal_row("NEVER", Behavior::variable), [](double) { return kNaN; });
  bench.provider->add(signal_row("E", Behavior::monotone, "J"),
                      [](double t) { return t < 0.05 ? kNaN : 7 * t; });
  TimedWorkload work(bench.clock, 1.0);
  const auto result = run(bench, work, options_with({{"P"}, {"NEVER"}, {"E"}}));
  ASSERT_TRUE(result) << result.error().what;
  // Valid: 0.1, 0.2 (10 W); 0.5 .. 1.0 (20 W); 0.3 and 0.4 failed.
  EXPECT_NEAR(result->total("P"), (0.2 * 10 + 0.6 * 20) / 0.8, 1e-9);
  EXPECT_EQ(total_of(*result, "P").faults, 2U);
  EXPECT_TRUE(std::isnan(result->total("NEVER")));
  EXPECT_TRUE(std::isnan(result->total("NOT_SAMPLED")));
  EXPECT_NEAR(result->total("E"), 7 * 0.9, 1e-9);  // from the first reading that worked
  EXPECT_FALSE(result->warnings.empty());
}

TEST(Session, CounterThatGoesBackHasNoTotal) {
  Bench bench;
  bench.provider->add(signal_row("E", Behavior::monotone, "J"),
                      [](double t) { return t < 0.55 ? 1000 + t : t; });
  TimedWorkload work(bench.clock, 1.0);
  const auto result = run(bench, work, options_with({{"E"}}));
  ASSERT_TRUE(result);
  EXPECT_TRUE(std::isnan(result->total("E")));
  ASSERT_FALSE(result->warnings.empty());
  EXPECT_NE(result->warnings[0].find("went back"), std::string::npos);
}

TEST(Session, MissedDeadlinesAreSkippedAndCounted) {
  Bench bench;
  TimedWorkload work(bench.clock, 1.0);
  // Every wait is 230 ms late: of the deadlines at 0.1, 0.2, .. two of three are missed.
  work.delay = std::chrono::milliseconds(230);
  const auto result = run(bench, work, options_with({}));
  ASSERT_TRUE(result);
  // 0.33 (missed 0.2, 0.3); 0.4+0.23 (missed 0.5, 0.6); 0.7+0.23 (missed 0.8, 0.9); then the end.
  EXPECT_EQ(result->loop.periods, 3U);
  EXPECT_EQ(result->loop.overruns, 6U);
  EXPECT_NEAR(result->loop.lateness_worst, 0.23, 1e-9);
}

TEST(Session, WorkloadShorterThanAPeriodStillHasTwoSamples) {
  Bench bench;
  bench.provider->add(signal_row("E", Behavior::monotone, "J"), [](double t) { return 50 * t; });
  TimedWorkload work(bench.clock, 0.02);
  const auto result = run(bench, work, options_with({{"E"}}));
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->total("E"), 1.0, 1e-9);
  EXPECT_EQ(result->loop.periods, 0U);
}

TEST(Session, InitialControlsAreSetBeforeTheStartAndGivenBack) {
  Bench bench;
  bench.provider->add_control("CLOCK");
  TimedWorkload work(bench.clock, 0.3);
  double at_start = 0;
  work.on_start = [&] { at_start = bench.provider->setting; };
  auto options = options_with({});
  options.initial = {{{"CLOCK"}, 1.5e9}};
  const auto result = run(bench, work, options);
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_EQ(at_start, 1.5e9);
  EXPECT_EQ(bench.provider->setting, 2e9);
  EXPECT_EQ(bench.provider->restored, 1);
}

TEST(Session, UnsupportedSettingChangesNothing) {
  Bench bench;
  bench.provider->add_control("CLOCK");
  TimedWorkload work(bench.clock, 0.3);
  auto options = options_with({});
  options.initial = {{{"CLOCK"}, 1.5e9}, {{"CLOCK"}, 1.7e9}};
  const auto result = run(bench, work, options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_TRUE(bench.provider->history.empty());
}

TEST(Session, StartThatFailsGivesControlsBackAndLeavesTheOldTrace) {
  Bench bench;
  bench.provider->add_control("CLOCK");
  TimedWorkload work(bench.clock, 0.3);
  work.refuse_start = true;
  auto options = options_with({});
  options.initial = {{{"CLOCK"}, 1e9}};
  options.trace_path = temp_file("kept.trace");
  ASSERT_TRUE(write_file_atomically(options.trace_path, "the run before\n"));
  const auto result = run(bench, work, options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_EQ(bench.provider->setting, 2e9);
  EXPECT_EQ(*read_file(options.trace_path), "the run before\n");
}

class Sawtooth final : public Steering {
 public:
  std::string agent_name() const override { return "sawtooth"; }
  std::string policy_json() const override { return R"({"LOW":1e9,"NONE":null})"; }
  Result<void> begin(Platform& platform, ControlGuard& guard) override {
    METE_TRY_VOID(guard.borrow({"CLOCK"}));
    METE_TRY(handle, platform.push_control({"CLOCK"}));
    return {};
  }
  void step(Platform& platform, double time) noexcept override {
    times.push_back(time);
    platform.adjust(handle, times.size() % 2 == 1 ? 1e9 : 2e9);
  }
  std::vector<std::string> trace_columns() const override { return {"STEPS"}; }
  void trace_values(std::span<double> out) const noexcept override {
    out[0] = static_cast<double>(times.size());
  }
  std::vector<std::pair<std::string, std::string>> report_lines() const override {
    return {{"Saw Teeth", std::to_string(times.size())}};
  }
  std::optional<Error> fault() const override {
    if (times.size() > fail_after) return fail(Errc::failed, "the agent's own words");
    return std::nullopt;
  }
  int handle = 0;
  std::vector<double> times;
  std::size_t fail_after = 1'000'000;
};

TEST(Session, SteeringStepsAtEverySampleButTheLast) {
  Bench bench;
  bench.provider->add_control("CLOCK");
  bench.provider->setting = 1.5e9;
  TimedWorkload work(bench.clock, 0.45);
  Sawtooth agent;
  agent.times.reserve(100);
  auto options = options_with({});
  options.report_path = temp_file("sawtooth.report");
  options.trace_path = temp_file("sawtooth.trace");
  const auto result = run(bench, work, options, &agent);
  ASSERT_TRUE(result) << result.error().what;
  ASSERT_EQ(agent.times.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(agent.times[i], 0.1 * double(i), 1e-9);
  EXPECT_EQ(bench.provider->history, (std::vector<double>{1e9, 2e9, 1e9, 2e9, 1e9}));
  EXPECT_EQ(bench.provider->setting, 1.5e9);

  const auto report = parse_yaml(*read_file(options.report_path));
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ((*report)["Agent"].as_string(), "sawtooth");
  EXPECT_EQ((*report)["Policy"]["LOW"].as_number(), 1e9);
  EXPECT_EQ((*report)["Hosts"]["node1"]["Saw Teeth"].as_integer(), 5);
  const std::string trace = *read_file(options.trace_path);
  EXPECT_NE(trace.find("\nTIME|STEPS\n0|1\n"), std::string::npos) << trace;
}

TEST(Session, AgentThatFailsEndsTheRun) {
  Bench bench;
  bench.provider->add_control("CLOCK");
  TimedWorkload work(bench.clock, 60);
  Sawtooth agent;
  agent.fail_after = 3;
  const auto result = run(bench, work, options_with({}), &agent);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("the agent's own words"), std::string::npos);
  ASSERT_EQ(work.stops.size(), 1U);
  EXPECT_EQ(work.stops[0].first, SIGTERM);
  EXPECT_EQ(bench.provider->setting, 2e9);
}

TEST(Session, RefusedWritesAreCountedNotFatal) {
  Bench bench;
  bench.provider->add_control("CLOCK");
  TimedWorkload work(bench.clock, 0.35);
  Sawtooth agent;
  work.on_start = [&] { bench.provider->refuse_writes = true; };
  const auto result = run(bench, work, options_with({}), &agent);
  ASSERT_TRUE(result);
  ASSERT_FALSE(result->warnings.empty());
  EXPECT_NE(result->warnings[0].find("3 settings could not be written"), std::string::npos)
      << result->warnings[0];
}

TEST(Session, InterruptEscalatesUntilTheWorkloadEnds) {
  Bench bench;
  TimedWorkload work(bench.clock, 1000);
  work.heeds = SIGKILL;
  work.on_wait = [&](Nanoseconds now) {
    if (now >= std::chrono::seconds(2)) bench.interrupt.number = SIGINT;
  };
  auto options = options_with({});
  options.stop_grace = std::chrono::seconds(3);
  const auto result = run(bench, work, options);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->interrupted);
  ASSERT_EQ(work.stops.size(), 3U);
  EXPECT_EQ(work.stops[0].first, SIGINT);
  EXPECT_EQ(work.stops[1].first, SIGTERM);
  EXPECT_EQ(work.stops[2].first, SIGKILL);
  EXPECT_NEAR(work.stops[1].second - work.stops[0].second, 3, 0.11);
  EXPECT_NEAR(work.stops[2].second - work.stops[1].second, 3, 0.11);
  EXPECT_EQ(result->exit.code, 128 + SIGKILL);
}

TEST(Session, SecondInterruptKillsAtOnceButAnEchoDoesNot) {
  for (const bool echo : {false, true}) {
    Bench bench;
    TimedWorkload work(bench.clock, 1000);
    work.heeds = SIGKILL;
    work.on_wait = [&](Nanoseconds now) {
      if (now >= std::chrono::seconds(2)) bench.interrupt.number = SIGINT;
      if (echo ? bench.interrupt.number != 0 : now >= std::chrono::seconds(3)) {
        bench.interrupt.again = bench.interrupt.number != 0;
      }
    };
    const auto result = run(bench, work, options_with({}));
    ASSERT_TRUE(result);
    EXPECT_EQ(work.stops.size(), echo ? 3U : 2U) << echo;
    EXPECT_EQ(work.stops.back().first, SIGKILL);
  }
}

TEST(Session, InterruptedBeforeTheStartRunsNothing) {
  Bench bench;
  bench.interrupt.number = SIGTERM;
  TimedWorkload work(bench.clock, 1);
  bool started = false;
  work.on_start = [&] { started = true; };
  EXPECT_FALSE(run(bench, work, options_with({})));
  EXPECT_FALSE(started);
}

TEST(Session, UnknownSignalIsRefusedWithNearNames) {
  Bench bench;
  bench.provider->add(signal_row("GPU_POWER", Behavior::variable), [](double) { return 1.0; });
  TimedWorkload work(bench.clock, 1);
  const auto result = run(bench, work, options_with({{"GPU_POWR"}}));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_NE(result.error().what.find("GPU_POWER"), std::string::npos) << result.error().what;
}

TEST(Session, OutputsThatCannotBeWrittenAreRefusedBeforeTheStart) {
  for (const bool report : {true, false}) {
    for (const char* path : {"/no/such/folder/file", "/tmp", "/proc/file"}) {
      Bench bench;
      TimedWorkload work(bench.clock, 1);
      bool started = false;
      work.on_start = [&] { started = true; };
      auto options = options_with({});
      (report ? options.report_path : options.trace_path) = path;
      const auto result = run(bench, work, options);
      ASSERT_FALSE(result) << path;
      EXPECT_EQ(result.error().code, Errc::invalid);
      EXPECT_NE(result.error().what.find(path), std::string::npos);
      EXPECT_FALSE(started);
    }
  }
}

TEST(Session, FullDiskDoesNotEndTheRun) {
  Bench bench;
  TimedWorkload work(bench.clock, 5);
  auto options = options_with({});
  options.trace_path = "/dev/full";
  const auto result = run(bench, work, options);
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_DOUBLE_EQ(result->seconds, 5);
  EXPECT_FALSE(result->outputs_complete);
  ASSERT_FALSE(result->warnings.empty());
  EXPECT_NE(result->warnings[0].find("No space left"), std::string::npos) << result->warnings[0];
}

TEST(Session, LoopTakesNoMemory) {
  Bench bench;
  bench.provider->add(signal_row("P", Behavior::variable), [](double t) { return t / 3; });
  bench.provider->add(signal_row("BAD", Behavior::variable), [](double) { return kNaN; });
  bench.provider->add_control("CLOCK");
  bench.provider->history.reserve(1000);
  TimedWorkload work(bench.clock, 3);
  Sawtooth agent;
  agent.times.reserve(1000);
  int waits = 0;
  auto options = options_with({{"P"}, {"BAD"}});
  options.trace_path = temp_file("no-memory.trace");
  std::size_t before = 0;
  std::size_t after = 0;
  // From the second wait to the last one, before the results are put together.
  work.on_wait = [&](Nanoseconds) {
    after = test::allocations();
    if (++waits == 2) before = after;
  };
  const auto result = run(bench, work, options, &agent);
  ASSERT_TRUE(result);
  EXPECT_GT(waits, 20);
  EXPECT_GT(before, 0U);
  EXPECT_EQ(after, before);
}

}  // namespace
}  // namespace mete
