// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/policy.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "mete/base/files.h"

namespace mete {
namespace {

AgentInfo torch_info() { return make_agent("torch", {}).value()->info(); }

std::string error_of(const std::string& policy) {
  const auto info = torch_info();
  const auto named = parse_policy(policy, info);
  if (!named) return named.error().what;
  const auto resolved = resolve_policy(*named, info);
  return resolved ? "it was not refused" : resolved.error().what;
}

TEST(Policy, IsWrittenAsGeopmagentWritesIt) {
  const auto info = torch_info();
  EXPECT_EQ(R"({"GPU_FREQ_MIN": "NAN", "GPU_FREQ_MAX": "NAN", "GPU_PHI": 0})",
            policy_json(parse_policy("NAN,NAN,0", info).value()));
  EXPECT_EQ(R"({"GPU_FREQ_MIN": "NAN", "GPU_FREQ_MAX": 1200000000, "GPU_PHI": 0.4})",
            policy_json(parse_policy("nan, 1.2e9, 0.4", info).value()));
  EXPECT_EQ("{}", policy_json(NamedValues{}));
}

TEST(Policy, AllFormsSayTheSame) {
  const auto info = torch_info();
  const auto expected = resolve_policy(parse_policy("NAN,1.2e9,0.25", info).value(), info).value();
  ASSERT_EQ(3U, expected.size());
  EXPECT_TRUE(std::isnan(expected[0]));
  EXPECT_EQ(1.2e9, expected[1]);
  const auto path = ::testing::TempDir() + "/mete-policy-test.policy";
  ASSERT_TRUE(write_file_atomically(path, R"({"GPU_FREQ_MAX": 1.2e9, "GPU_PHI": 0.25})"));
  for (const std::string& form :
       {std::string("GPU_PHI=0.25,GPU_FREQ_MAX=1.2GHz"),
        std::string("GPU_PHI=0.25, GPU_FREQ_MAX=1200MHz"),
        std::string(R"({"GPU_FREQ_MAX": 1200000000, "GPU_PHI": 0.25, "GPU_FREQ_MIN": "NAN"})"),
        path}) {
    const auto values = resolve_policy(parse_policy(form, info).value(), info).value();
    EXPECT_EQ(expected[1], values[1]) << form;
    EXPECT_EQ(expected[2], values[2]) << form;
  }
}

TEST(Policy, NothingAndNanMeanTheDefault) {
  const auto info = torch_info();
  for (const auto* policy : {"", "NAN", "NAN,NAN,NAN", "GPU_PHI=nan", "{}"}) {
    const auto values = resolve_policy(parse_policy(policy, info).value(), info).value();
    EXPECT_EQ(0.5, values[2]) << policy;
    EXPECT_TRUE(std::isnan(values[0]));
  }
}

TEST(Policy, AFractionMayBeTypedInPerCent) {
  const auto info = make_agent("frontier", {}).value()->info();
  for (const auto* policy :
       {"MAX_SLOWDOWN=10%", "MAX_SLOWDOWN=10 %", "nan, 10%", "MAX_SLOWDOWN=0.1"}) {
    const auto values = resolve_policy(parse_policy(policy, info).value(), info).value();
    EXPECT_NEAR(0.1, values[1], 1e-15) << policy;
  }
  for (const auto* policy : {"MAX_SLOWDOWN=%", "MAX_SLOWDOWN=ten%", "MAX_SLOWDOWN=10%%"}) {
    EXPECT_FALSE(parse_policy(policy, info)) << policy;
  }
  EXPECT_FALSE(parse_policy("GPU_FREQ_MAX=10%", torch_info())) << "a clock is no fraction";
}

TEST(Policy, WhatIsWrongIsNamed) {
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos ? ::testing::AssertionSuccess()
                                                : ::testing::AssertionFailure() << text;
  };
  EXPECT_TRUE(has(error_of("GPU_PHI=1.5"), "GPU_PHI is 1.5, expected 0 to 1"));
  EXPECT_TRUE(has(error_of("GPU_PHY=0.5"), "did you mean GPU_PHI?"));
  EXPECT_TRUE(has(error_of("1,2,3,4"), "has 4 values, but the agent torch takes 3"));
  EXPECT_TRUE(has(error_of("GPU_PHI=fast"), "policy: GPU_PHI"));
  EXPECT_TRUE(has(error_of("GPU_PHI=0.1,GPU_PHI=0.2"), "given twice"));
  EXPECT_TRUE(has(error_of("{\"GPU_PHI\": \"low\"}"), "expected a number or \"NAN\""));
  EXPECT_TRUE(has(error_of("{\"GPU_PHI\": }"), "line 1"));
  EXPECT_TRUE(has(error_of("none.policy"), "none.policy"));
  EXPECT_TRUE(has(error_of("GPU_FREQ_MAX=-1Hz"), "at least 0"));
}

TEST(Policy, ReadsGeopmsOwnFile) {
  const std::string path = METE_SOURCE_DIR "/../shared/data/geopm/phi0.policy";
  if (!path_exists(path)) GTEST_SKIP() << path << " is not here";
  const auto named = parse_policy_json(read_file(path).value(), path).value();
  ASSERT_EQ(4U, named.size());
  EXPECT_EQ("GPU_PHI", named[2].first);
  EXPECT_EQ(0, named[2].second);
  EXPECT_TRUE(std::isnan(named[0].second));
  // It holds a CPU agent's field too, which a GPU agent leaves alone; a slip is still a slip.
  const auto values = resolve_policy(named, torch_info());
  ASSERT_TRUE(values) << values.error().what;
  EXPECT_EQ(torch_info().policy.size(), values->size());
  EXPECT_FALSE(resolve_policy({{"CPU_PHY", 0}}, torch_info()));
  EXPECT_FALSE(resolve_policy({{"CPU_PHI", 0}}, make_agent("monitor", {}).value()->info()));
}

TEST(Agents, UnknownNamesGetTheNearest) {
  const auto refused = make_agent("troch", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(Errc::invalid, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().what.find("did you mean torch"));
}

}  // namespace
}  // namespace mete
