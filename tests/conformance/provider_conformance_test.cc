// The contract of mete/signal/provider.h, held against every provider. A new provider adds one line
// to kCases. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "templates/provider/power_meter_provider.h"
#include "tests/conformance/allocations.h"
#include "tests/conformance/board_world.h"
#include "tests/conformance/nvidia_world.h"
#include "tests/conformance/provider_world.h"
#include "tests/fixtures/sys/rapl_sys.h"
#include "tests/fixtures/sys/sensor_sys.h"
#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/provider/hwmon/hwmon_provider.h"
#include "mete/provider/jetson/jetson_provider.h"
#include "mete/provider/linux/linux_provider.h"
#include "mete/provider/rapl/rapl_provider.h"
#include "mete/provider/time/time_provider.h"
#include "mete/signal/platform.h"

namespace mete::test {
namespace {

void busy_cpus(fake::FakeSys& sys) { sys.all_tick(1, 3); }
void power_meter(fake::FakeSys& sys) {
  sys.write("/sys/class/power_meter/power_milliwatts", "253125\n");
}
void still(fake::FakeSys&) {}
/// With a psys of fine steps: one that counts whole joules tells no power within the suite's 50 ms.
void two_sockets_fine_psys(fake::FakeSys& sys) {
  fake::rapl_two_sockets(sys);
  sys.write("/sys/class/powercap/intel-rapl:2/max_energy_range_uj", "262143328850\n");
}
std::unique_ptr<Provider> rapl(SysRoot root, const Clock& clock) {
  return make_rapl_provider(std::move(root), clock);
}

std::vector<ProviderCase> all_cases() {
  return {
      on_clock("time", [](VirtualClock& clock) { return make_time_provider(clock, clock.now()); }),
      on_tree("linux_intel_two_sockets", make_linux_provider, fake::intel_two_sockets, busy_cpus),
      on_tree("linux_amd_one_socket", make_linux_provider, fake::amd_one_socket, busy_cpus),
      on_tree("linux_arm_big_little", make_linux_provider, fake::arm_big_little, busy_cpus),
      on_tree("linux_virtual_machine", make_linux_provider, fake::virtual_machine, busy_cpus),
      on_tree("linux_with_holes", make_linux_provider, fake::with_holes, busy_cpus),
      on_tree("linux_clock_per_core", make_linux_provider, fake::clock_per_core, busy_cpus),
      on_tree("linux_clock_per_package", make_linux_provider, fake::clock_per_package, busy_cpus),
      on_tree("linux_nothing", make_linux_provider, fake::nothing, still),
      on_clocked_tree("rapl_desktop", rapl, fake::rapl_desktop, fake::rapl_tick),
      on_clocked_tree("rapl_two_sockets", rapl, two_sockets_fine_psys, fake::rapl_tick),
      on_clocked_tree("rapl_dies", rapl, fake::rapl_dies, fake::rapl_tick),
      on_clocked_tree("rapl_amd", rapl, fake::rapl_amd, fake::rapl_tick),
      on_clocked_tree("rapl_container", rapl, fake::rapl_container, still),
      on_clocked_tree("jetson_nano", make_jetson_provider, fake::jetson_nano, still),
      on_clocked_tree("jetson_tx2", make_jetson_provider, fake::jetson_tx2, still),
      on_clocked_tree("jetson_agx_xavier", make_jetson_provider, fake::jetson_agx_xavier, still),
      on_clocked_tree("jetson_agx_orin", make_jetson_provider, fake::jetson_agx_orin, still),
      on_clocked_tree("jetson_none", make_jetson_provider, fake::nothing, still),
      on_clocked_tree("hwmon_grace", make_hwmon_provider, fake::hwmon_grace, still),
      on_clocked_tree("hwmon_mixed", make_hwmon_provider, fake::hwmon_mixed, still),
      on_clocked_tree("hwmon_none", make_hwmon_provider, fake::nothing, still),
      on_this_machine("linux_here", make_linux_provider),
      on_board("board_v100", "v100", "vectorAdd:70ms", 2),
      on_board("board_jetson_agx", "jetson-agx", "gemm-float-1024:70ms", 1),
      on_nvml("nvml_two_gpus", METE_FAKE_NVML, "gpus=2"),
      on_nvml("nvml_old_driver", METE_FAKE_NVML_OLD, "gpus=1"),
      on_nvml("nvml_divided", METE_FAKE_NVML, "gpus=2;mig=1"),
      on_nvml("nvml_no_gpu", METE_FAKE_NVML, "gpus=0"),
      on_dcgm("dcgm_two_gpus", METE_FAKE_DCGM, "gpus=2"),
      on_dcgm("dcgm_no_fp64", METE_FAKE_DCGM, "gpus=1;unsupported=1006"),
      on_dcgm("dcgm_no_engine", METE_FAKE_DCGM, "gpus=1;unplug"),
      on_tree("template_power_meter", make_power_meter_provider, power_meter, still),
      on_tree("template_absent", make_power_meter_provider, fake::nothing, still),
  };
}

Topology topology_of(const Provider& provider) {
  Topology topology;
  provider.describe(topology);
  return topology;
}

std::vector<Request> requests_of(const Provider& provider, const std::string& name, Domain domain) {
  std::vector<Request> out;
  const int count = topology_of(provider).count(domain);
  for (int i = 0; i < count; ++i) out.push_back({name, domain, i});
  return out;
}

class ProviderConformance : public ::testing::TestWithParam<ProviderCase> {
 protected:
  void SetUp() override {
    world_ = GetParam().make();
    provider_ = world_->provider();
  }
  /// Every signal of every part that can be pushed; element h describes handle h.
  std::vector<SignalInfo> push_all() {
    std::vector<SignalInfo> pushed;
    for (const auto& info : provider_->info().signals) {
      for (const auto& request : requests_of(*provider_, info.name, info.domain)) {
        const auto handle = provider_->push_signal(request);
        if (!handle) continue;
        EXPECT_EQ(*handle, static_cast<int>(pushed.size()))
            << "handles are dense, in the order of pushing";
        pushed.push_back(info);
      }
    }
    return pushed;
  }
  std::vector<Request> controls_of(Provider& provider) {
    std::vector<Request> out;
    for (const auto& info : provider.info().controls) {
      for (auto& r : requests_of(provider, info.name, info.domain)) out.push_back(r);
    }
    return out;
  }
  std::unique_ptr<World> world_;
  std::unique_ptr<Provider> provider_;
};

bool one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == std::string::npos;
}

TEST_P(ProviderConformance, DescribesItself) {
  const ProviderInfo& info = provider_->info();
  EXPECT_TRUE(std::regex_match(info.name, std::regex("[a-z][a-z0-9_]*"))) << info.name;
  EXPECT_TRUE(one_line(info.description));
  const std::regex name("[A-Z][A-Z0-9_]*(::[A-Z0-9_:#]+)?");
  const std::set<std::string> units{"s", "Hz", "W",   "J", "B", "1",
                                    "",  "°C", "B/s", "V", "A", "1/s"};
  std::set<std::string> seen;
  for (const auto& s : info.signals) {
    EXPECT_TRUE(std::regex_match(s.name, name)) << s.name;
    EXPECT_TRUE(seen.insert(s.name).second) << s.name << " twice";
    EXPECT_TRUE(one_line(s.description)) << s.name;
    EXPECT_EQ(units.count(s.unit), 1U) << s.name << ": unit '" << s.unit << "' is not SI";
    EXPECT_EQ(canonical_name(s.name), s.name) << "an old name";
    EXPECT_GT(topology_of(*provider_).count(s.domain), 0) << s.name;
  }
  seen.clear();
  for (const auto& c : info.controls) {
    EXPECT_TRUE(std::regex_match(c.name, name)) << c.name;
    EXPECT_TRUE(seen.insert(c.name).second) << c.name << " twice";
    EXPECT_TRUE(one_line(c.description)) << c.name;
    EXPECT_EQ(units.count(c.unit), 1U) << c.name << ": unit '" << c.unit << "' is not SI";
    EXPECT_EQ(canonical_name(c.name), c.name) << "an old name";
    EXPECT_GT(topology_of(*provider_).count(c.domain), 0) << c.name;
  }
  EXPECT_EQ(!info.controls.empty(), provider_->controls() != nullptr && !info.controls.empty());
  for (const auto& a : info.absences) {
    EXPECT_TRUE(one_line(a.what));
    EXPECT_TRUE(one_line(a.why));
    EXPECT_TRUE(one_line(a.next));
  }
  if (info.available) {
    EXPECT_FALSE(info.signals.empty() && info.controls.empty());
  } else {
    EXPECT_TRUE(info.signals.empty() && info.controls.empty());
    EXPECT_FALSE(info.absences.empty()) << "an absent provider says why";
  }
}

TEST_P(ProviderConformance, EverySignalCanBePushedOrSaysWhyNot) {
  for (const auto& info : provider_->info().signals) {
    int pushed = 0;
    for (const auto& request : requests_of(*provider_, info.name, info.domain)) {
      const auto handle = provider_->push_signal(request);
      if (handle) {
        ++pushed;
      } else {
        EXPECT_TRUE(one_line(handle.error().what));
        EXPECT_NE(handle.error().what.find(info.name), std::string::npos) << handle.error().what;
        EXPECT_NE(handle.error().code, Errc::internal);
      }
    }
    EXPECT_GT(pushed, 0) << info.name << " is offered but no part has it";
  }
}

TEST_P(ProviderConformance, RefusesWhatDoesNotExist) {
  const auto refused = [&](const Request& request) {
    const auto handle = provider_->push_signal(request);
    ASSERT_FALSE(handle.has_value()) << request.name << " " << request.index;
    EXPECT_EQ(handle.error().code, Errc::invalid) << handle.error().what;
    EXPECT_TRUE(one_line(handle.error().what));
    if (Controls* controls = provider_->controls()) {
      EXPECT_EQ(controls->push(request).error().code, Errc::invalid);
      EXPECT_EQ(controls->limits(request).error().code, Errc::invalid);
      EXPECT_EQ(controls->save(request).error().code, Errc::invalid);
      EXPECT_EQ(controls->restore(request, "1").error().code, Errc::invalid);
    }
  };
  refused({"NO_SUCH_SIGNAL", Domain::board, 0});
  refused({"", Domain::board, 0});
  const Topology topology = topology_of(*provider_);
  for (const auto& info : provider_->info().signals) {
    for (const int index : {-1, topology.count(info.domain), 1 << 30})
      refused({info.name, info.domain, index});
    refused({info.name, Domain::nic, 0});
  }
  EXPECT_EQ(push_all().empty(), !provider_->info().available) << "refusals use up no handles";
}

TEST_P(ProviderConformance, ReadsFillEveryHandleAndTakeNoMemory) {
  const auto pushed = push_all();
  std::vector<Reading> out(pushed.size());
  for (int batch = 0; batch < 5; ++batch) {
    world_->advance();
    const Reading untouched{-12345.5, Errc::internal};
    std::fill(out.begin(), out.end(), untouched);
    const std::size_t before = allocations();
    provider_->read_batch(out);
    provider_->read_batch(out);
    EXPECT_EQ(allocations(), before) << "the sampling path takes no memory";
    for (std::size_t h = 0; h < out.size(); ++h) {
      EXPECT_NE(out[h].value, untouched.value) << pushed[h].name;
      if (!out[h].ok()) continue;
      EXPECT_TRUE(std::isfinite(out[h].value)) << pushed[h].name;
      if (pushed[h].unit == "1") {
        EXPECT_GE(out[h].value, 0) << pushed[h].name;
        EXPECT_LE(out[h].value, 1) << pushed[h].name;
      }
    }
  }
  if (world_->may_write()) {
    for (std::size_t h = 0; h < out.size(); ++h)
      EXPECT_TRUE(out[h].ok()) << pushed[h].name << " after 50 ms";
  }
}

TEST_P(ProviderConformance, ConstantsStayAndCountsOnlyGrow) {
  const auto pushed = push_all();
  std::vector<Reading> first(pushed.size());
  provider_->read_batch(first);
  std::vector<Reading> last = first;
  for (int batch = 0; batch < 10; ++batch) {
    world_->advance();
    std::vector<Reading> now(pushed.size());
    provider_->read_batch(now);
    for (std::size_t h = 0; h < now.size(); ++h) {
      if (!now[h].ok() || !last[h].ok()) continue;
      if (pushed[h].behavior == Behavior::constant) {
        EXPECT_EQ(now[h].value, first[h].value) << pushed[h].name;
      }
      if (pushed[h].behavior == Behavior::monotone) {
        EXPECT_GE(now[h].value, last[h].value) << pushed[h].name;
      }
    }
    last = now;
  }
}

TEST_P(ProviderConformance, WorksBehindThePlatform) {
  const auto signals = provider_->info().signals;
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(std::move(provider_));
  Platform platform(std::move(providers));
  std::vector<int> handles;
  for (const auto& info : signals) {
    const auto handle = platform.push_signal({info.name, Domain::board, 0});
    if (handle) handles.push_back(*handle);
  }
  for (int i = 0; i < 3; ++i) {
    world_->advance();
    const std::size_t before = allocations();
    platform.read_batch();
    EXPECT_EQ(allocations(), before);
  }
  for (const int handle : handles) EXPECT_LE(platform.faults(handle), 3U);
}

TEST_P(ProviderConformance, LimitsAreSane) {
  for (const auto& request : controls_of(*provider_)) {
    const auto limits = provider_->controls()->limits(request);
    ASSERT_TRUE(limits.has_value()) << limits.error().what;
    EXPECT_TRUE(std::isfinite(limits->min) && std::isfinite(limits->max));
    EXPECT_LE(limits->min, limits->max);
    for (std::size_t i = 0; i < limits->supported.size(); ++i) {
      EXPECT_GE(limits->supported[i], limits->min);
      EXPECT_LE(limits->supported[i], limits->max);
      if (i > 0) {
        EXPECT_GT(limits->supported[i], limits->supported[i - 1]) << "ascending, each once";
      }
    }
  }
}

/// What a control's signal of the same name says, if there is one.
std::optional<double> read_back(World& world, const Request& request) {
  const auto provider = world.provider();
  const auto handle = provider->push_signal(request);
  if (!handle) return std::nullopt;
  std::vector<Reading> out(1);
  provider->read_batch(out);
  return out[0].or_nan();
}

std::vector<double> settings_of(const ControlLimits& limits) {
  if (!limits.supported.empty()) return limits.supported;
  return {limits.min, (limits.min + limits.max) / 2, limits.max};
}

TEST_P(ProviderConformance, ControlsAreWrittenReadBackAndGivenBack) {
  if (!world_->may_write()) GTEST_SKIP() << "the controls of this machine are not ours to write";
  for (const auto& request : controls_of(*provider_)) {
    SCOPED_TRACE(report_name(request));
    const auto writer = world_->provider();
    Controls& controls = *writer->controls();
    const auto original = controls.save(request);
    ASSERT_TRUE(original.has_value()) << original.error().what;
    EXPECT_TRUE(one_line(*original));
    const auto original_value = read_back(*world_, request);
    ASSERT_EQ(controls.push(request).value_or(-1), 0);
    const auto limits = controls.limits(request);
    ASSERT_TRUE(limits.has_value());
    for (const double setting : settings_of(*limits)) {
      const std::vector<double> values{setting};
      const auto written = controls.write_batch(values);
      ASSERT_TRUE(written.has_value()) << setting << ": " << written.error().what;
      if (const auto now = read_back(*world_, request)) {
        EXPECT_DOUBLE_EQ(*now, setting);
      }
      const auto saved = controls.save(request);
      const std::vector<double> leave{std::nan("")};
      EXPECT_TRUE(controls.write_batch(leave).has_value());
      EXPECT_EQ(controls.save(request).value_or("?"), *saved) << "NaN leaves it as it is";
    }
    // As after a crash: another instance gives it back from the text alone.
    const auto rescuer = world_->provider();
    const auto restored = rescuer->controls()->restore(request, *original);
    ASSERT_TRUE(restored.has_value()) << restored.error().what;
    EXPECT_EQ(controls.save(request).value_or("?"), *original);
    EXPECT_EQ(read_back(*world_, request), original_value);
    for (const char* nonsense : {"", "x", "1 2 3 4 5 6", "-1 -2 kHz", "nan"}) {
      EXPECT_FALSE(rescuer->controls()->restore(request, nonsense).has_value()) << nonsense;
    }
    EXPECT_EQ(controls.save(request).value_or("?"), *original) << "nonsense changes nothing";
  }
}

TEST_P(ProviderConformance, SettingEverythingAndGivingItBackInEitherOrder) {
  if (!world_->may_write()) GTEST_SKIP() << "the controls of this machine are not ours to write";
  const auto requests = controls_of(*provider_);
  if (requests.empty()) GTEST_SKIP() << "no controls";
  for (const bool backwards : {true, false}) {
    const auto writer = world_->provider();
    Controls& controls = *writer->controls();
    std::vector<std::string> saved;
    std::vector<double> lowest;
    for (const auto& request : requests) {
      saved.push_back(controls.save(request).value_or("?"));
      ASSERT_TRUE(controls.push(request).has_value());
      lowest.push_back(controls.limits(request)->min);
    }
    ASSERT_TRUE(controls.write_batch(lowest).has_value());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const std::size_t at = backwards ? requests.size() - 1 - i : i;
      const auto restored = controls.restore(requests[at], saved[at]);
      EXPECT_TRUE(restored.has_value()) << restored.error().what;
    }
    for (std::size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(controls.save(requests[i]).value_or("?"), saved[i]) << report_name(requests[i]);
    }
  }
}

TEST_P(ProviderConformance, SurvivesHardwareThatGoesAway) {
  const auto pushed = push_all();
  const auto requests = controls_of(*provider_);
  Controls* controls = provider_->controls();
  if (controls != nullptr) {
    for (const auto& request : requests) EXPECT_TRUE(controls->push(request).has_value());
  }
  std::vector<double> settings(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i)
    settings[i] = controls->limits(requests[i])->min;
  if (!world_->remove()) GTEST_SKIP() << "this one cannot go away";
  std::vector<Reading> out(pushed.size());
  provider_->read_batch(out);
  for (std::size_t h = 0; h < out.size(); ++h) {
    if (pushed[h].behavior != Behavior::constant) {
      EXPECT_FALSE(out[h].ok()) << pushed[h].name;
    }
  }
  if (controls != nullptr && !requests.empty()) {
    EXPECT_FALSE(controls->write_batch(settings).has_value());
    for (const auto& request : requests) {
      EXPECT_FALSE(controls->save(request).has_value());
      EXPECT_FALSE(controls->push(request).has_value());
    }
  }
  for (const auto& info : provider_->info().signals) {
    EXPECT_FALSE(provider_->push_signal({info.name, info.domain, 0}).has_value()) << info.name;
  }
  EXPECT_FALSE(world_->provider()->info().available) << "a fresh instance finds nothing";
}

/// Sensors are named after what the machine calls them: the book has a row for each family.
std::string book_name(const std::string& name) {
  for (const std::string family : {"HWMON::", "JETSON::"}) {
    if (name.rfind(family, 0) == 0) return family + "*" + name.substr(name.rfind('_'));
  }
  return name;
}

TEST_P(ProviderConformance, IsInTheBookOfSignals) {
  if (provider_->info().name == "power_meter") GTEST_SKIP() << "templates are not in the book";
  const auto page = read_file(METE_SOURCE_DIR "/docs/signals.md");
  ASSERT_TRUE(page.has_value()) << page.error().what;
  // "| `NAME` | unit | .. |": a row names the signal and its unit.
  for (const auto& info : provider_->info().signals) {
    const std::string row =
        fmt::format("| `{}` | {} |", book_name(info.name), info.unit.empty() ? "-" : info.unit);
    EXPECT_NE(page->find(row), std::string::npos) << "docs/signals.md lacks the row: " << row;
  }
  for (const auto& info : provider_->info().controls) {
    EXPECT_NE(page->find(fmt::format("| `{}` | {} |", info.name, info.unit)), std::string::npos)
        << "docs/signals.md lacks the control " << info.name;
  }
}

TEST(AllocationCounter, Counts) {
  const std::size_t before = allocations();
  const auto one = std::make_unique<std::string>(100, 'x');
  EXPECT_EQ(allocations(), before + 2) << "the string and its text";
}

INSTANTIATE_TEST_SUITE_P(All, ProviderConformance, ::testing::ValuesIn(all_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace mete::test
