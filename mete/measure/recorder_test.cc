// Recordings of scripted runs in virtual time: what the files say is summed up here line by line,
// without the code that reads recordings. SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/recorder.h"

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/measure/session.h"
#include "mete/measure/session_test_support.h"

namespace mete {
namespace {

namespace fs = std::filesystem;
constexpr double kWatts = 60;

class RecorderTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mete-recorder-XXXXXX";
    root_ = ::mkdtemp(name);
    put("/proc/uptime", "1000.00 2000.00\n");
    put("/proc/77/stat", process(77, 1, "mete", 0));
    machine(0);
    SignalInfo energy = test::signal_row("CPU_ENERGY", Behavior::monotone, "J");
    energy.source = Source::counter;
    bench_.provider->add(energy, [this](double t) {
      if (t > lost_from_ && t < lost_until_) return std::nan("");
      return 1000 + kWatts * t - (t >= reset_at_ ? 1000 : 0);
    });
    bench_.provider->add(test::signal_row("DRAM_POWER", Behavior::variable),
                         [](double) { return 4.0; });
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::FILE* file = std::fopen((root_ + path).c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  static std::string process(int pid, int parent, const std::string& name, int ticks) {
    return fmt::format("{} ({}) S {} 1 1 0 -1 0 9 9 9 9 {} 0 0 0 20 0 1 0 200000 1000 25 1\n", pid,
                       name, parent, ticks);
  }
  /// Two CPUs, of which one is busy: half for process 80, a quarter for 81, the rest for others.
  void machine(double seconds) const {
    const int ticks = static_cast<int>(std::lround(seconds * 100));
    put("/proc/stat", fmt::format("cpu  {} 0 0 {} 0 0 0 0\n", 5000 + ticks, 90000 + ticks));
    if (seconds <= 0) return;
    put("/proc/80/stat", process(80, 77, "train (a) b", ticks / 2));
    put("/proc/81/stat", process(81, 80, "loader", ticks / 4));
  }

  RunResult run(double seconds, const std::string& directory) {
    test::TimedWorkload workload(bench_.clock, seconds);
    workload.on_wait = [this, n = 0](Nanoseconds t) mutable {
      if (n++ % 5 == 0) machine(to_seconds(t));
    };
    RecorderOptions options;
    options.directory = directory;
    options.scope = ProcessScope{ProcessScope::Kind::children, 77, {}, ""};
    Recorder recorder(options, SysRoot(root_), bench_.clock, nullptr);
    SessionOptions session;
    session.period = std::chrono::milliseconds(20);
    session.observer = &recorder;
    auto result = Session(bench_.platform(), bench_.clock, bench_.interrupt, "")
                      .run(workload, nullptr, session);
    EXPECT_TRUE(result) << result.error().what;
    return result ? std::move(*result) : RunResult{};
  }
  std::vector<Json> records(const std::string& name) const {
    std::vector<Json> out;
    const auto text = read_file(root_ + "/out/" + name);
    EXPECT_TRUE(text);
    if (!text) return out;
    EXPECT_EQ(text->back(), '\n');
    for (const auto line : split(trim(*text), '\n')) {
      auto record = parse_json(line);
      EXPECT_TRUE(record) << line;
      if (record) out.push_back(std::move(*record));
    }
    return out;
  }
  std::string out() const { return root_ + "/out"; }

  std::string root_;
  test::Bench bench_;
  double lost_from_ = 1e9;
  double lost_until_ = 0;
  double reset_at_ = 1e9;
};

TEST_F(RecorderTest, EnergyIsDividedAndNothingIsLost) {
  const RunResult result = run(10, out());
  EXPECT_TRUE(result.outputs_complete);
  for (const auto& warning : result.warnings) ADD_FAILURE() << warning;
  ASSERT_EQ(result.balances.size(), 2U);
  const auto& package = result.balances[0];
  EXPECT_NEAR(package.measured, kWatts * 10, 1e-6);
  EXPECT_NEAR(package.attributed + package.idle + package.others, kWatts * 10, 1e-6);
  // Busy is half of two CPUs; 80 and 81 have three quarters of it.
  EXPECT_NEAR(package.idle, 300, 6);
  EXPECT_NEAR(package.attributed, 225, 6);
  EXPECT_NEAR(result.balances[1].measured, 40, 1e-6);  // DRAM, integrated

  const auto lines = records("recording.ndjson");
  ASSERT_GT(lines.size(), 500U);
  EXPECT_EQ(lines.front()["schema"].as_string(), "mete.recording/1");
  const auto& series = lines.front()["series"].items();
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0]["source"].as_string(), "counter");
  EXPECT_EQ(series[1]["name"].as_string(), "DRAM_ENERGY");
  EXPECT_EQ(series[1]["source"].as_string(), "integrated");
  double first = std::nan("");
  double last = 0;
  double of_80 = 0;
  for (const auto& line : lines) {
    if (line["record"].as_string() == "sample") {
      last = line["values"].items()[0].as_number();
      if (std::isnan(first)) first = last;
    }
    if (line["pid"].as_integer() == 80) of_80 = line["energy_joules"]["package"].as_number();
  }
  EXPECT_NEAR(last - first, kWatts * 10, 1e-6);
  EXPECT_NEAR(of_80, 150, 4);
  EXPECT_EQ(lines.back()["record"].as_string(), "end");
}

TEST_F(RecorderTest, AIPowerMetersFileComesToTheSameByTheTrapezoid) {
  run(10, out());
  double joules = 0;
  double before = 0;
  double before_time = std::nan("");
  std::size_t with_pid = 0;
  const auto lines = records("power_metrics.json");
  ASSERT_GT(lines.size(), 90U);
  EXPECT_EQ(lines.back().as_string(), "END OF RECORDING SEGMENT");
  for (const auto& line : lines) {
    if (line.is_string()) continue;
    const auto date = line["date"].as_string();
    ASSERT_EQ(date.size(), 26U) << date;
    const double time = *parse_double(date.substr(14, 2)) * 60 + *parse_double(date.substr(17));
    const Json& cpu = line["metrics"]["cpu"];
    const double watts = cpu["intel_power"].as_number();
    if (!std::isnan(before_time)) joules += 0.5 * (watts + before) * (time - before_time);
    before = watts;
    before_time = time;
    EXPECT_EQ(cpu.find("psys_power"), nullptr);  // not measured: no sentinel
    if (cpu["per_process_cpu_uses"].find("80") != nullptr) ++with_pid;
  }
  EXPECT_NEAR(joules, kWatts * 10, 0.001 * kWatts * 10);
  EXPECT_GT(with_pid, 90U);
}

TEST_F(RecorderTest, LostReadingsAndResetsAreRecorded) {
  lost_from_ = 2;
  lost_until_ = 4;
  reset_at_ = 7;
  const RunResult result = run(10, out());
  std::size_t missing = 0;
  std::size_t resets = 0;
  for (const auto& line : records("recording.ndjson")) {
    if (line["record"].as_string() != "error") continue;
    missing += line["what"].as_string().find("no value: its device is gone") != std::string::npos
                   ? 1U
                   : 0U;
    resets += line["what"].as_string().find("went back") != std::string::npos ? 1U : 0U;
  }
  EXPECT_EQ(missing, 1U);
  EXPECT_EQ(resets, 1U);
  ASSERT_FALSE(result.balances.empty());
  // All but the 20 ms across the reset: a counter loses nothing while it cannot be read.
  EXPECT_NEAR(result.balances[0].measured, kWatts * 9.98, 0.1);
}

TEST_F(RecorderTest, AFolderThatCannotBeWrittenStopsTheRunBeforeItStarts) {
  put("/file", "x");
  test::TimedWorkload workload(bench_.clock, 1);
  RecorderOptions options;
  options.directory = root_ + "/file/below";
  Recorder recorder(options, SysRoot(root_), bench_.clock, nullptr);
  SessionOptions session;
  session.observer = &recorder;
  EXPECT_FALSE(Session(bench_.platform(), bench_.clock, bench_.interrupt, "")
                   .run(workload, nullptr, session));
}

}  // namespace
}  // namespace mete
