// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/run_name.h"

#include <gtest/gtest.h>

namespace mete {
namespace {

TEST(RunName, ReadsTheTutorialsNames) {
  const auto name =
      parse_run_name("agent_monitor.my_app.v2.gpufreq_1230.memratio_0.25.precision_double.trial_3");
  ASSERT_TRUE(name) << name.error().what;
  EXPECT_EQ(name->app, "my_app.v2");
  EXPECT_EQ(name->options, "-0.25-double");
  EXPECT_EQ(name->frequency, 1.23e9);
  EXPECT_EQ(name->trial, 3);
}

TEST(RunName, ReadsClocksInEveryUnit) {
  const auto clock = [](const std::string& text) {
    const auto name = parse_run_name("a.gpufreq_" + text + ".trial_1");
    return name ? name->frequency : -1;
  };
  EXPECT_DOUBLE_EQ(clock("1380"), 1.38e9);
  EXPECT_DOUBLE_EQ(clock("1.38"), 1.38e9);
  EXPECT_DOUBLE_EQ(clock("1237.5"), 1.2375e9);
  EXPECT_DOUBLE_EQ(clock("1380000000"), 1.38e9);
  EXPECT_DOUBLE_EQ(clock("1.38e9"), 1.38e9);
  EXPECT_DOUBLE_EQ(clock("1380MHz"), 1.38e9);
  EXPECT_DOUBLE_EQ(clock("1.38GHz"), 1.38e9);
  EXPECT_EQ(clock("fast"), -1);
  EXPECT_EQ(clock("0"), -1);
  EXPECT_EQ(clock("nan"), -1);
}

TEST(RunName, ReadsTheExperimentsNames) {
  const auto name = parse_run_name("hpcg_monitor_2.1e+09c_2.4e+09u_1.2e+09g_4");
  ASSERT_TRUE(name) << name.error().what;
  EXPECT_EQ(name->app, "hpcg") << "ends in g, which crashed the tutorial's script";
  EXPECT_EQ(name->frequency, 1.2e9);
  EXPECT_EQ(name->trial, 4);
}

TEST(RunName, SaysWhatANameLacks) {
  EXPECT_NE(parse_run_name("something").error().what.find("no GPU clock"), std::string::npos);
  EXPECT_NE(parse_run_name("a_1e9g_x").error().what.find("trial"), std::string::npos);
  EXPECT_NE(parse_run_name("a.gpufreq_x.trial_1").error().what.find("gpufreq_x"),
            std::string::npos);
  EXPECT_NE(parse_run_name("a.gpufreq_1000.trial_x").error().what.find("trial 'x'"),
            std::string::npos);
}

TEST(RunName, FollowsTheTutorialToTheLetterWhenAsked) {
  const auto name =
      parse_run_name_as_tutorial("agent_x.a.gpufreq_1230.memratio_0.25.precision_NaN.trial_1");
  ASSERT_TRUE(name) << name.error().what;
  EXPECT_EQ(name->options, "-0-NaN") << "the value ends at the dot";
  EXPECT_EQ(name->app, "");
  EXPECT_EQ(parse_run_name_as_tutorial("a.gpufreq_1.38.trial_1")->frequency, 1e6);
}

TEST(RunFile, SplitsOffTheHostWhateverItsDots) {
  const auto trace = parse_run_file("a.gpufreq_1230.trial_1.trace-node1.example.org");
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->kind, RunFile::Kind::trace);
  EXPECT_EQ(trace->stem, "a.gpufreq_1230.trial_1");
  EXPECT_EQ(trace->host, "node1.example.org");
  const auto report = parse_run_file("a.report");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->kind, RunFile::Kind::report);
  EXPECT_EQ(report->stem, "a");
  EXPECT_EQ(parse_run_file("a.report-n1")->host, "n1");
  EXPECT_FALSE(parse_run_file("a.txt"));
  EXPECT_FALSE(parse_run_file("a.reports"));
  EXPECT_FALSE(parse_run_file(".report"));
  EXPECT_FALSE(parse_run_file("a.trace-"));
}

}  // namespace
}  // namespace mete
