// Recordings read back: against AIPowerMeter's own figures, and against everything that can be
// wrong with such a file. SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/recording.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gtest/gtest.h>
#include <unistd.h>

#include "mete/base/files.h"

namespace mete {
namespace {

class RecordingTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mete-recording-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    const auto names = *list_directory(folder_);
    for (const auto& name : names) ::unlink(path_join(folder_, name).c_str());
    ::rmdir(folder_.c_str());
  }
  std::string write(const std::string& name, const std::string& text) {
    auto path = path_join(folder_, name);
    EXPECT_TRUE(write_file_atomically(path, text));
    return path;
  }
  RecordingSummary read(const std::string& text) {
    auto out = summarise_recording(write("file.json", text));
    EXPECT_TRUE(out) << out.error().what;
    return out ? *out : RecordingSummary{};
  }
  std::string folder_;
};

double joules(const RecordingSummary& s, std::string_view domain) {
  return s.energy[recording_domain(domain)];
}

int issues_of(const RecordingSummary& s, std::string_view kind) {
  return static_cast<int>(std::count_if(s.issues.begin(), s.issues.end(),
                                        [kind](const auto& i) { return i.kind == kind; }));
}

/// A sample `second` seconds after noon, of AIPowerMeter's form.
std::string sample(double second, const std::string& cpu, const std::string& gpu = "null") {
  char date[64];
  std::snprintf(date, sizeof date, "2024-02-29 12:00:%09.6f", second);
  return std::string(R"({"date": ")") + date + R"(", "metrics": {"cpu": {)" + cpu +
         R"(}, "gpu": )" + gpu + "}}\n";
}

std::string power(double watts) { return "\"intel_power\": " + std::to_string(watts); }

TEST_F(RecordingTest, AgreesWithAIPowerMetersOwnFigures) {
  // Sums by AIPowerMeter's ExpResults and by an independent integrator, J.
  const std::string folder = METE_SOURCE_DIR "/../shared/data/aipowermeter/";
  if (!path_exists(folder)) GTEST_SKIP() << folder << " is not on this machine";
  const auto first = summarise_recording(folder + "measure-power_metrics.json");
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_NEAR(joules(*first, "package"), 562.1273, 5e-5);
  EXPECT_NEAR(joules(*first, "psys"), 884.9566, 5e-5);
  EXPECT_NEAR(joules(*first, "core"), 493.4945, 5e-5);
  EXPECT_NEAR(joules(*first, "uncore"), 0.2312668, 5e-7);  // a list of one in this file
  EXPECT_TRUE(std::isnan(joules(*first, "dram")));
  EXPECT_TRUE(std::isnan(joules(*first, "gpu")));
  ASSERT_EQ(first->processes.size(), 1U);
  EXPECT_EQ(first->processes[0].pid, "16809");
  EXPECT_NEAR(first->processes[0].energy[recording_domain("core")], 487.0647, 5e-5);

  const auto second = summarise_recording(folder + "test-power_metrics.json");
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_EQ(second->segments, 2U);
  EXPECT_NEAR(joules(*second, "package"), 317.57, 5e-3);
  EXPECT_NEAR(joules(*second, "psys"), 491.14, 5e-3);
  EXPECT_NEAR(joules(*second, "core"), 290.82, 5e-3);
  EXPECT_NEAR(joules(*second, "dram"), 9.63, 5e-3);
  double core = 0;
  for (const auto& p : second->processes) {
    if (const double j = p.energy[recording_domain("core")]; !std::isnan(j)) core += j;
  }
  EXPECT_NEAR(core, 269.46, 5e-3);
  // The 36 s between the segments are nobody's.
  EXPECT_LT(second->duration_seconds, 15);
  EXPECT_EQ(issues_of(*second, "gap"), 0);
}

TEST_F(RecordingTest, UnknownIsNullAndNeverZero) {
  const auto s = read(sample(0, power(10) + R"(, "psys_power": -1)") +
                      sample(2, power(20) + R"(, "psys_power": -1)"));
  EXPECT_DOUBLE_EQ(joules(s, "package"), 30);
  const Json json = to_json(s);
  EXPECT_TRUE(json["energy_joules"]["psys"].is_null());
  EXPECT_TRUE(json["energy_joules"]["gpu"].is_null());
  EXPECT_EQ(json["energy_joules"].members().size(), 6U);
  EXPECT_DOUBLE_EQ(json["duration_seconds"].as_number(), 2);
  EXPECT_TRUE(s.issues.empty());
}

TEST_F(RecordingTest, BothGenerationsOfGpuFields) {
  const auto newer = read(sample(0, power(1), R"({"nvidia_power": 100})") +
                          sample(3, power(1), R"({"per_gpu_nvidia_power": {"0": 40, "1": 80}})"));
  EXPECT_DOUBLE_EQ(joules(newer, "gpu"), 0.5 * (100 + 120) * 3);
  const auto older = read(sample(0, power(1), R"({"nvidia_draw_absolute": 100})") +
                          sample(3, power(1), R"({"per_gpu_power_draw": {"0": 50}})"));
  EXPECT_DOUBLE_EQ(joules(older, "gpu"), 225);
}

TEST_F(RecordingTest, ProcessesThatComeAndGo) {
  const auto cpu = [](const std::string& pids) {
    return power(10) + R"(, "per_process_cpu_power": {)" + pids + "}";
  };
  // Pids as text, as Python's json writes them, and bare, as nobody should.
  const auto s = read(sample(0, cpu(R"("7": 4)")) + sample(1, cpu(R"(7: 4, 8 : 2)")) +
                      sample(2, cpu(R"("8": 2)")));
  ASSERT_EQ(s.processes.size(), 2U);
  const auto core = recording_domain("core");
  EXPECT_EQ(s.processes[0].pid, "7");
  EXPECT_DOUBLE_EQ(s.processes[0].energy[core], 4 + 2);
  EXPECT_DOUBLE_EQ(s.processes[1].energy[core], 1 + 2);
}

TEST_F(RecordingTest, PythonsNaNIsUnknownAndSaid) {
  const auto s =
      read(sample(0, power(10)) + sample(1, R"("intel_power": NaN)") +
           sample(2, R"("intel_power": -Infinity)") + sample(3, power(10)) + sample(4, power(10)));
  EXPECT_DOUBLE_EQ(joules(s, "package"), 10);
  ASSERT_EQ(issues_of(s, "missing"), 1);
  EXPECT_DOUBLE_EQ(s.issues[0].seconds, 3);
}

TEST_F(RecordingTest, ACounterThatWentBackIsNamed) {
  const auto s = read(sample(0, power(10)) + sample(1, power(-262133)) + sample(2, power(10)) +
                      sample(3, power(10)));
  EXPECT_DOUBLE_EQ(joules(s, "package"), 10);
  EXPECT_EQ(issues_of(s, "reset"), 1);
}

TEST_F(RecordingTest, GapsAndAClockThatGoesBack) {
  std::string text;
  for (int i = 0; i < 5; ++i) text += sample(i, power(10));
  text += sample(30, power(10)) + sample(20, power(10)) + sample(21, power(10));
  const auto s = read(text);
  ASSERT_EQ(issues_of(s, "gap"), 1);
  EXPECT_DOUBLE_EQ(s.issues[0].seconds, 10);  // the clock was noticed first
  EXPECT_EQ(issues_of(s, "clock_back"), 1);
  EXPECT_DOUBLE_EQ(joules(s, "package"), 40 + 260 + 10);
}

TEST_F(RecordingTest, CutHugeAndForeignLines) {
  const auto good = sample(0, power(10)) + sample(1, power(10));
  const auto cut = read(good + sample(2, power(10)).substr(0, 60));
  EXPECT_DOUBLE_EQ(joules(cut, "package"), 10);
  EXPECT_EQ(issues_of(cut, "cut_line"), 1);

  auto no_end = good + sample(2, power(10));
  no_end.pop_back();
  EXPECT_DOUBLE_EQ(joules(read(no_end), "package"), 20);

  const std::string huge(std::size_t{17} << 20U, 'x');
  const auto long_line = read(good + huge + "\n" + sample(2, power(10)));
  EXPECT_DOUBLE_EQ(joules(long_line, "package"), 20);
  EXPECT_EQ(issues_of(long_line, "huge_line"), 1);

  std::string garbage = good + "}{\n[[[[\n" + std::string(50, '\0') + "\n17\n{\"date\": 3}\n";
  for (int i = 0; i < 1000; ++i) garbage += "?\n";
  const auto odd = read(garbage + sample(2, power(10)));
  EXPECT_DOUBLE_EQ(joules(odd, "package"), 20);
  EXPECT_EQ(issues_of(odd, "bad_line"), 21);  // twenty, and how many more
}

TEST_F(RecordingTest, RefusesWhatIsNoRecording) {
  for (const std::string text : {"", "\n\n", "hello\n", "{\"a\": 1}\n"}) {
    const auto out = summarise_recording(write("x", text));
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, Errc::invalid);
  }
  EXPECT_FALSE(summarise_recording("/nowhere/at/all"));
  const auto empty_folder = summarise_recording("/proc/self/task");
  ASSERT_FALSE(empty_folder);
  EXPECT_EQ(empty_folder.error().code, Errc::invalid);
}

// ---- mete's own ----

const std::string kHeader =
    R"({"record":"header","schema":"mete.recording/1","period_seconds":1,"series":[)"
    R"({"name":"CPU_ENERGY","domain":"package","index":0,"unit":"J","source":"counter","role":"package"},)"
    R"({"name":"CPU_ENERGY","domain":"package","index":1,"unit":"J","source":"counter","role":"package"},)"
    R"({"name":"GPU_POWER","domain":"gpu","index":0,"unit":"W","source":"sampled","role":""},)"
    R"({"name":"CPU_ENERGY_ESTIMATE","domain":"board","index":0,"unit":"J","source":"estimated","role":"estimate"}]})"
    "\n";

std::string row(int second, const std::string& values) {
  return R"({"record":"sample","t_ns":)" + std::to_string(second * 1'000'000'000LL) +
         ",\"values\":[" + values + "]}\n";
}

TEST_F(RecordingTest, MetesOwnSumsCountersOfAllParts) {
  const auto s = read(kHeader + row(0, "100,5,50,0") + row(1, "110,null,60,3") +
                      row(2, "125,9,70,6") + "{\"record\":\"end\",\"t_ns\":2000000000}\n");
  EXPECT_EQ(s.format, "mete.recording/1");
  EXPECT_DOUBLE_EQ(joules(s, "package"), 25 + 4);
  EXPECT_TRUE(std::isnan(joules(s, "gpu")));  // power alone is no energy
  EXPECT_EQ(s.sources[0], "counter");
  ASSERT_EQ(s.estimates.size(), 1U);
  EXPECT_DOUBLE_EQ(s.estimates[0].second, 6);  // beside, never within
  EXPECT_EQ(issues_of(s, "missing"), 1);
  EXPECT_EQ(issues_of(s, "no_end"), 0);
}

TEST_F(RecordingTest, MetesOwnNamesResetsGapsAndASuddenEnd) {
  const auto s =
      read(kHeader + row(0, "100,5,0,0") + row(1, "110,6,0,0") + row(2, "3,7,0,0") +
           row(3, "8,8,0,0") + row(60, "20,9,0,0") + R"({"record":"sample","t_ns":61,"val)");
  EXPECT_DOUBLE_EQ(joules(s, "package"), 10 + 5 + 12 + 4);
  EXPECT_EQ(issues_of(s, "reset"), 1);
  EXPECT_EQ(issues_of(s, "gap"), 1);
  EXPECT_EQ(issues_of(s, "cut_line"), 1);
  EXPECT_EQ(issues_of(s, "no_end"), 1);
}

TEST_F(RecordingTest, MetesOwnProcessesRegionsAndBalance) {
  const std::string records =
      R"j({"record":"process","pid":41,"name":"a b)","energy_joules":{"package":1},"rss_bytes":5}
{"record":"process","pid":"41","energy_joules":{"package":7.5},"rss_bytes":3}
{"record":"region","name":"epoch","count":3,"seconds":1.5,"energy_joules":{"package":4},"level":2,"spans":[[0,1,2,0.5,1],[1],"x",[3,2,1,1,1],[2,3,-1,1,1e99]]}
{"record":"attribution","domains":{"package":{"measured":10,"attributed":7.5,"idle":1,"others":1}}}
{"record":"error","what":"GPU 1 is lost"}
)j";
  const auto s =
      read(kHeader + row(0, "0,0,0,0") + records + row(1, "10,0,0,0") + "{\"record\":\"end\"}\n");
  ASSERT_EQ(s.processes.size(), 1U);
  EXPECT_EQ(s.processes[0].name, "a b)");
  EXPECT_DOUBLE_EQ(s.processes[0].energy[0], 7.5);
  EXPECT_DOUBLE_EQ(s.processes[0].memory_peak_bytes, 5);
  ASSERT_EQ(s.regions.size(), 1U);
  EXPECT_EQ(s.regions[0].count, 3U);
  EXPECT_EQ(s.regions[0].level, 2U);
  ASSERT_EQ(s.regions[0].spans.size(), 2U);  // what is no span is passed over
  EXPECT_DOUBLE_EQ(s.regions[0].spans[0].seconds, 0.5);
  EXPECT_EQ(s.regions[0].spans[1].count, 0U);
  EXPECT_EQ(issues_of(s, "conservation"), 1);  // 9.5 of 10
  EXPECT_EQ(issues_of(s, "error"), 1);
}

TEST_F(RecordingTest, AFolderIsReadByMetesFileFirst) {
  write("power_metrics.json", sample(0, power(10)) + sample(1, power(10)));
  EXPECT_EQ(summarise_recording(folder_)->format, "aipowermeter");
  write("recording.ndjson", kHeader + row(0, "1,1,1,1"));
  EXPECT_EQ(summarise_recording(folder_)->format, "mete.recording/1");
}

}  // namespace
}  // namespace mete
