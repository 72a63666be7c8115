// The agent against the figures of GEOPM's own unit test (GPUActivityAgentTest.cpp), and against
// its rules at other values of phi, worked out by hand.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/gpu_activity_agent.h"

#include <cmath>
#include <limits>
#include <map>

#include <gtest/gtest.h>

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMega = 1e6;

/// GEOPM's device: 135 to 1530 MHz, any clock between.
std::vector<PartLimits> one_gpu() { return {{135e6, 1530e6, {}}}; }

/// What a fresh agent decides, MHz.
double decide(double activity, double utilization, double phi, double efficient = kNan) {
  const auto agent = make_gpu_activity_agent({}).value();
  const std::vector<double> policy{phi, efficient};
  EXPECT_TRUE(agent->start(one_gpu(), policy));
  const std::vector<double> row{activity, utilization};
  std::vector<double> decision(1);
  agent->step({0, 1, row}, policy, decision);
  return decision[0] / kMega;
}

TEST(GpuActivityAgent, FiguresOfGeopmsUnitTest) {
  EXPECT_DOUBLE_EQ(1530, decide(1, 1, kNan));
  EXPECT_DOUBLE_EQ(1181.25, decide(0.5, 1, kNan));
  EXPECT_DOUBLE_EQ(902.25, decide(0.1, 1, kNan));
  EXPECT_DOUBLE_EQ(832.5, decide(0, 1, kNan));
  EXPECT_DOUBLE_EQ(1530, decide(987654321, 1, kNan));
  EXPECT_DOUBLE_EQ(832.5, decide(-12345, 1, kNan));
}

TEST(GpuActivityAgent, ActivityIsAShareOfTheTimeInUse) {
  EXPECT_DOUBLE_EQ(1530, decide(0.5, 0.5, 0.5)) << "busy whenever it is in use";
  EXPECT_DOUBLE_EQ(1181.25, decide(0.25, 0.5, 0.5));
  EXPECT_DOUBLE_EQ(1181.25, decide(0.5, 3, 0.5)) << "utilisation is at most 1";
  EXPECT_DOUBLE_EQ(1181.25, decide(0.5, 0, 0.5)) << "no utilisation: activity alone";
  EXPECT_DOUBLE_EQ(1181.25, decide(0.5, -1, 0.5));
  EXPECT_DOUBLE_EQ(1181.25, decide(0.5, kNan, 0.5));
  EXPECT_DOUBLE_EQ(1530, decide(0.9, 0.3, 0.5)) << "more active than in use: clipped";
}

TEST(GpuActivityAgent, PhiMovesTheEndsOfTheRange) {
  struct Case {
    double phi, idle, busy;
  };
  // R = 697.5: at 0.25 the bottom is 832.5 + R/2, at 0.75 the top is 1530 - R/2.
  for (const Case& c : {Case{0, 1530, 1530}, Case{0.25, 1181.25, 1530}, Case{0.5, 832.5, 1530},
                        Case{0.75, 832.5, 1181.25}, Case{1, 832.5, 832.5}}) {
    EXPECT_DOUBLE_EQ(c.idle, decide(0, 1, c.phi)) << c.phi;
    EXPECT_DOUBLE_EQ(c.busy, decide(1, 1, c.phi)) << c.phi;
    EXPECT_DOUBLE_EQ(c.busy, decide(kNan, 1, c.phi)) << c.phi << ": unseen is not slowed";
    EXPECT_DOUBLE_EQ((c.idle + c.busy) / 2, decide(0.5, 1, c.phi)) << c.phi;
  }
}

TEST(GpuActivityAgent, TheEfficientClockIsThePolicysIfItSays) {
  EXPECT_DOUBLE_EQ(1000, decide(0, 1, 0.5, 1e9));
  EXPECT_DOUBLE_EQ(1265, decide(0.5, 1, 0.5, 1e9));
  for (const double wrong : {100e6, 1600e6, kInfinity, -1.0}) {
    const auto agent = make_gpu_activity_agent({}).value();
    const auto started = agent->start(one_gpu(), std::vector<double>{0.5, wrong});
    ASSERT_FALSE(started) << wrong;
    EXPECT_NE(std::string::npos, started.error().what.find("GPU_FREQ_EFFICIENT"));
  }
}

TEST(GpuActivityAgent, AbsurdReadingsStayInTheRange) {
  for (const double activity : {-kInfinity, -1e308, -0.0, 1e-308, 1e308, kInfinity}) {
    for (const double utilization : {-kInfinity, 0.0, 1e-308, 1e308, kInfinity}) {
      for (const double phi : {0.0, 0.3, 0.5, 0.8, 1.0}) {
        const auto range = resolve_activity_range(832.5e6, 1530e6, phi);
        const auto wanted = activity_clock(range, activity, utilization);
        EXPECT_GE(wanted.clock, range.efficient) << activity << " " << utilization << " " << phi;
        EXPECT_LE(wanted.clock, range.max) << activity << " " << utilization << " " << phi;
      }
    }
  }
}

TEST(GpuActivityAgent, OnlySupportedClocksAreAskedForWhereThereAreSome) {
  const std::vector<PartLimits> parts{{135e6, 1530e6, {135e6, 900e6, 1200e6, 1530e6}}};
  const auto agent = make_gpu_activity_agent({}).value();
  const std::vector<double> policy{0.5, kNan};
  ASSERT_TRUE(agent->start(parts, policy));
  std::vector<double> decision(1);
  agent->step({0, 1, std::vector<double>{0.5, 1}}, policy, decision);
  EXPECT_EQ(1200e6, decision[0]);  // 1181.25
}

std::map<std::string, std::string> lines_of(const Agent& agent) {
  const auto lines = agent.report_lines();
  return {lines.begin(), lines.end()};
}

TEST(GpuActivityAgent, ReportsWhatGeopmReports) {
  const auto agent = make_gpu_activity_agent({}).value();
  const std::vector<double> policy{0.75, kNan};
  const std::vector<PartLimits> two{one_gpu()[0], one_gpu()[0]};
  ASSERT_TRUE(agent->start(two, policy));
  std::vector<double> decisions(2);
  agent->step({0, 2, std::vector<double>{0.9, 0.3, 0.5, 1}}, policy, decisions);
  agent->step({0, 2, std::vector<double>{-1, 1, 1, 1}}, policy, decisions);
  agent->step({0, 2, std::vector<double>{kNan, 1, 9, 1}}, policy, decisions);
  auto lines = lines_of(*agent);
  EXPECT_EQ("2", lines["GPU Clipped Frequency Requests"]);
  EXPECT_EQ("1181250000", lines["Resolved Max Frequency"]);
  EXPECT_EQ("832500000", lines["Resolved Efficient Frequency"]);
  EXPECT_EQ("348750000", lines["Resolved Frequency Range"]);
}

TEST(GpuActivityAgent, GpusThatDifferAreReportedEach) {
  const auto agent = make_gpu_activity_agent({}).value();
  const std::vector<PartLimits> two{one_gpu()[0], {200e6, 1000e6, {}}};
  ASSERT_TRUE(agent->start(two, std::vector<double>{0.5, kNan}));
  auto lines = lines_of(*agent);
  EXPECT_EQ("832500000", lines["GPU 0 Resolved Efficient Frequency"]);
  EXPECT_EQ("600000000", lines["GPU 1 Resolved Efficient Frequency"]);
}

}  // namespace
}  // namespace mete
