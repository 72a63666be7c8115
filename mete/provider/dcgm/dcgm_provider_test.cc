// The dcgm provider against a host engine that the fake libdcgm plays.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/dcgm/dcgm_provider.h"

#include <chrono>
#include <cmath>
#include <thread>

#include "tests/fakes/dcgm/fake_engine.h"
#include <gtest/gtest.h>

#include "mete/signal/platform.h"

namespace mete {
namespace {

using fake::FakeDcgm;
using namespace std::chrono_literals;

DcgmOptions options() {
  return {.library = METE_FAKE_DCGM, .start_patience = 5s, .patience = 300ms, .wait = 300ms};
}

class Dcgm : public ::testing::Test {
 protected:
  void SetUp() override { fake_.script("gpus=2;time=manual"); }
  void TearDown() override { fake_.release(); }
  static Platform platform() {
    std::vector<std::unique_ptr<Provider>> providers;
    providers.push_back(make_dcgm_provider(options()));
    return Platform(std::move(providers));
  }
  FakeDcgm fake_{METE_FAKE_DCGM};
};

TEST_F(Dcgm, EachFieldIsTheSignalThatItShouldBe) {
  const std::pair<int, const char*> fields[] = {
      {1001, "GPU_ENGINE_ACTIVITY"}, {1002, "GPU_CORE_ACTIVITY"},   {1003, "GPU_SM_OCCUPANCY"},
      {1004, "GPU_TENSOR_ACTIVITY"}, {1005, "GPU_UNCORE_ACTIVITY"}, {1006, "GPU_FP64_ACTIVITY"},
      {1007, "GPU_FP32_ACTIVITY"},   {1008, "GPU_FP16_ACTIVITY"}};
  for (const auto& [field, name] : fields)
    fake_.script(fmt::format("value={},1,{}", field, (field - 1000) / 10.0));
  auto one = platform();
  for (const auto& [field, name] : fields) {
    EXPECT_DOUBLE_EQ(one.read_signal({name, Domain::gpu, 1}).value_or(-1), (field - 1000) / 10.0);
    EXPECT_DOUBLE_EQ(one.read_signal({name, Domain::gpu, 0}).value_or(-1), 0.5);
  }
  EXPECT_DOUBLE_EQ(one.read_signal({"DCGM::DRAM_ACTIVE", Domain::gpu, 0}).value_or(-1), 0.5);
}

TEST_F(Dcgm, WatchesWhatIsReadAndNothingElse) {
  {
    auto provider = make_dcgm_provider(options());
    EXPECT_EQ(provider->info().signals.size(), 8U);
    EXPECT_EQ(fake_.watches(), 0) << "looking at what there is leaves no counters running";
    ASSERT_TRUE(provider->push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).has_value());
    ASSERT_TRUE(provider->push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 1}).has_value());
    EXPECT_EQ(fake_.watches(), 1);
  }
  const auto begin = std::chrono::steady_clock::now();
  while (fake_.watches() != 0 && std::chrono::steady_clock::now() - begin < 5s)
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(fake_.watches(), 0) << "and none is left behind";
}

TEST_F(Dcgm, AFieldThatAGpuLacksLeavesTheOthers) {
  fake_.script("unsupported=1006");
  auto provider = make_dcgm_provider(options());
  EXPECT_EQ(provider->info().signals.size(), 7U);
  ASSERT_EQ(provider->info().absences.size(), 1U);
  EXPECT_EQ(provider->info().absences[0].what, "GPU_FP64_ACTIVITY");
  EXPECT_NE(provider->info().absences[0].why.find("not supported"), std::string::npos);
}

TEST_F(Dcgm, BlanksAreNoValues) {
  auto one = platform();
  const int core = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).value();
  const std::pair<const char*, Errc> blanks[] = {{"blank=1002,0", Errc::retry},
                                                 {"blank=1002,1", Errc::retry},
                                                 {"blank=1002,2", Errc::unsupported},
                                                 {"blank=1002,3", Errc::denied}};
  for (const auto& [script, fault] : blanks) {
    fake_.script(script);
    one.read_batch();
    EXPECT_EQ(one.sample(core).fault, fault) << script;
  }
  const auto refused = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::denied);
}

TEST_F(Dcgm, NonsenseIsAFault) {
  auto one = platform();
  const int core = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).value();
  for (const char* value : {"-0.5", "7", "nan", "inf"}) {
    fake_.script(fmt::format("value=1002,0,{}", value));
    one.read_batch();
    EXPECT_EQ(one.sample(core).fault, Errc::failed) << value;
  }
  fake_.script("value=1002,0,1.004");
  one.read_batch();
  EXPECT_DOUBLE_EQ(one.value(core), 1);
}

TEST_F(Dcgm, GpusThatItDoesNotServeKeepTheirNumbers) {
  fake_.script("only=1");
  auto one = platform();
  EXPECT_EQ(one.topology().count(Domain::gpu), 2);
  EXPECT_TRUE(one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 1}).has_value());
  const auto refused = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0});
  EXPECT_EQ(refused.error().what, "GPU_CORE_ACTIVITY: gpu 0: DCGM does not serve this GPU");
}

TEST_F(Dcgm, ALostGpuAndALostEngineAreFaults) {
  auto one = platform();
  const int first = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).value();
  const int second = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 1}).value();
  fake_.script("lose=1");
  one.read_batch();
  EXPECT_TRUE(one.sample(first).ok());
  EXPECT_EQ(one.sample(second).fault, Errc::gone);
  fake_.script("unplug");
  one.read_batch();
  EXPECT_EQ(one.sample(first).fault, Errc::gone);
}

TEST_F(Dcgm, ValuesThatStandStillGrowOld) {
  auto one = platform();
  const int core = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).value();
  fake_.advance(1s);
  one.read_batch();
  EXPECT_TRUE(one.sample(core).ok());
  fake_.script("frozen");
  const auto begin = std::chrono::steady_clock::now();
  while (one.sample(core).ok() && std::chrono::steady_clock::now() - begin < 10s) {
    std::this_thread::sleep_for(10ms);
    fake_.advance(100ms);
    one.read_batch();
  }
  EXPECT_EQ(one.sample(core).fault, Errc::unavailable);
}

TEST_F(Dcgm, AnEngineThatHangsIsMarked) {
  auto one = platform();
  const int core = one.push_signal({"GPU_CORE_ACTIVITY", Domain::gpu, 0}).value();
  fake_.script("hang=dcgmGetLatestValuesForFields,1");
  const auto begin = std::chrono::steady_clock::now();
  do {
    std::this_thread::sleep_for(10ms);
    one.read_batch();
  } while (one.sample(core).ok() && std::chrono::steady_clock::now() - begin < 10s);
  EXPECT_EQ(one.sample(core).fault, Errc::unavailable);
  const auto refused = one.push_signal({"GPU_FP16_ACTIVITY", Domain::gpu, 0});
  EXPECT_NE(refused.error().what.find("does not answer"), std::string::npos);
}

TEST_F(Dcgm, WhicheverCallFailsItSaysWhy) {
  for (const char* function :
       {"dcgmInit", "dcgmConnect", "dcgmGetAllSupportedDevices", "dcgmFieldGroupCreate",
        "dcgmWatchFields", "dcgmUpdateAllFields", "dcgmGetLatestValuesForFields",
        "dcgmUnwatchFields", "dcgmFieldGroupDestroy", "dcgmDisconnect"}) {
    for (const int from : {1, 2, 9}) {
      for (const int code : {-3, -21, -29}) {
        SCOPED_TRACE(fmt::format("{} from call {} on: {}", function, from, code));
        fake_.script(fmt::format("gpus=2;fail={},{},{}", function, from, code));
        auto provider = make_dcgm_provider(options());
        if (!provider->info().available) {
          EXPECT_FALSE(provider->info().absences.empty());
        }
        std::vector<Reading> out;
        for (const auto& info : provider->info().signals) {
          if (const auto handle = provider->push_signal({info.name, Domain::gpu, 1})) {
            out.emplace_back();
          } else {
            EXPECT_NE(handle.error().what.find(info.name), std::string::npos);
          }
        }
        provider->read_batch(out);
        for (const Reading& reading : out) {
          if (reading.ok()) {
            EXPECT_DOUBLE_EQ(reading.value, 0.5);
          }
        }
      }
    }
  }
}

TEST(DcgmAbsent, SaysTheNextStep) {
  DcgmOptions elsewhere = options();
  elsewhere.library = "";
  elsewhere.root = SysRoot("/nowhere");
  const auto none = make_dcgm_provider(elsewhere);
  EXPECT_FALSE(none->info().available);
  EXPECT_NE(none->info().absences.at(0).why.find("not installed"), std::string::npos);
  FakeDcgm fake(METE_FAKE_DCGM);
  fake.script("gpus=1;unplug");
  const auto off = make_dcgm_provider(options());
  EXPECT_NE(off->info().absences.at(0).why.find("127.0.0.1"), std::string::npos);
  EXPECT_NE(off->info().absences.at(0).next.find("nv-hostengine"), std::string::npos);
}

}  // namespace
}  // namespace mete
