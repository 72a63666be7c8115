// The text against what a collector's rules say of it, the addresses, and the answers to requests.
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/text.h"
#include "mete/cli/export_server.h"
#include "mete/cli/export_text.h"

namespace mete {
namespace {

WatchedValue told(std::string name, std::string unit, Domain domain, int index, double value,
                  Behavior behavior = Behavior::variable, Source source = Source::sampled) {
  WatchedValue out;
  out.info.name = name;
  out.info.description = "of a test";
  out.info.unit = std::move(unit);
  out.info.domain = domain;
  out.info.behavior = behavior;
  out.info.source = source;
  out.request = {std::move(name), domain, index};
  out.value = value;
  return out;
}

std::string name_of(const char* signal, const char* unit, Behavior behavior = Behavior::variable) {
  return metric_name(told(signal, unit, Domain::board, 0, 1, behavior).info);
}

TEST(MetricName, HasBaseUnitsAndNoWordTwice) {
  EXPECT_EQ(name_of("CPU_ENERGY", "J", Behavior::monotone), "mete_cpu_joules_total");
  EXPECT_EQ(name_of("GPU_POWER", "W"), "mete_gpu_watts");
  EXPECT_EQ(name_of("GPU_POWER_INSTANT", "W"), "mete_gpu_instant_watts");
  EXPECT_EQ(name_of("GPU_ENERGY_CHECK", ""), "mete_gpu_energy_check");
  EXPECT_EQ(name_of("CPU_FREQUENCY_STATUS", "Hz"), "mete_cpu_frequency_status_hertz");
  EXPECT_EQ(name_of("HWMON::NVME#1:COMPOSITE_TEMPERATURE", "°C"), "mete_hwmon_temperature_celsius");
  EXPECT_EQ(name_of("HWMON::INA3221:VDD_IN_POWER", "W"), "mete_hwmon_watts");
  EXPECT_EQ(name_of("HWMON::X", ""), "mete_hwmon_hwmon_x");
}

TEST(MetricsText, TellsPartsZonesAndSourcesAndLeavesOutTheUnknown) {
  std::vector<WatchedValue> values{
      told("CPU_ENERGY", "J", Domain::package, 1, 12.5, Behavior::monotone, Source::counter),
      told("GPU_POWER", "W", Domain::gpu, 0, std::numeric_limits<double>::quiet_NaN()),
      told("GPU_POWER", "W", Domain::gpu, 1, 100),
      told("HWMON::A\"B:C_POWER", "W", Domain::board, 0, 3)};
  values[0].zone = "package";
  const std::string text = metrics_text(values, {}, MetricsFormat::prometheus);
  EXPECT_NE(text.find("# TYPE mete_cpu_joules_total counter\n"
                      "mete_cpu_joules_total{domain=\"package\",package=\"1\",zone=\"package\","
                      "source=\"counter\"} 12.5\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("gpu=\"0\""), std::string::npos);
  EXPECT_NE(text.find("mete_gpu_watts{domain=\"gpu\",gpu=\"1\",source=\"sampled\"} 100\n"),
            std::string::npos);
  EXPECT_NE(text.find("sensor=\"A\\\"B:C\""), std::string::npos) << text;
  EXPECT_EQ(text.find("nan"), std::string::npos);
}

TEST(MetricsText, ProcessesAreToldByNameWhateverTheyCallThemselves) {
  ExporterFacts facts;
  WatchedProcess process;
  process.pid = 42;
  process.name =
      "a\"b\\\n\x01\xff\xc3\xa4\xed\xa0\x80";  // the last: half of a pair, which is no UTF-8
  process.cgroup = "/system.slice/docker-1.scope";
  process.cpu_seconds = 3;
  process.cpus = 1.5;
  process.rss_bytes = std::numeric_limits<double>::quiet_NaN();
  process.joules = {10, std::numeric_limits<double>::quiet_NaN(), 2};
  process.watts = {5, std::numeric_limits<double>::quiet_NaN(), 1};
  facts.processes.push_back(process);
  const std::string text = metrics_text({}, facts, MetricsFormat::prometheus);
  const std::string who =
      "{pid=\"42\",name=\"a\\\"b\\\\???\xc3\xa4???\",cgroup=\"/system.slice/docker-1.scope\"";
  EXPECT_NE(text.find("mete_process_watts" + who + ",zone=\"package\"} 5\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("mete_process_joules_total" + who + ",zone=\"gpu\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("mete_process_cpus_ratio" + who + "} 1.5\n"), std::string::npos);
  EXPECT_EQ(text.find("zone=\"dram\""), std::string::npos);  // unknown is absent
  EXPECT_EQ(text.find("resident"), std::string::npos);
  EXPECT_EQ(text.find("mete_process_gpu_ratio"), std::string::npos);
  EXPECT_EQ(metrics_text({}, {}, MetricsFormat::prometheus).find("mete_process_"),
            std::string::npos);
}

TEST(MetricsText, NeverTellsOneSeriesTwice) {
  // Two names that a metric's name cannot hold apart.
  const std::vector<WatchedValue> values{told("A::B", "W", Domain::board, 0, 1),
                                         told("A_B", "W", Domain::board, 0, 2)};
  const std::string text = metrics_text(values, {}, MetricsFormat::prometheus);
  EXPECT_EQ(text.find("mete_a_b_watts{"), text.rfind("mete_a_b_watts{"));
}

TEST(MetricsText, OpenMetricsNamesFamiliesWithoutTotalAndEnds) {
  const std::vector<WatchedValue> values{
      told("CPU_ENERGY", "J", Domain::package, 0, 1, Behavior::monotone)};
  const std::string text = metrics_text(values, {}, MetricsFormat::openmetrics);
  EXPECT_NE(text.find("# TYPE mete_cpu_joules counter\n# UNIT mete_cpu_joules joules\n"),
            std::string::npos);
  EXPECT_NE(text.find("\nmete_cpu_joules_total{"), std::string::npos);
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

TEST(MetricsText, SumsThatOnlyBeganCanBeLeftOut) {
  const std::vector<WatchedValue> values{
      told("GPU_ENERGY_INTEGRATED", "J", Domain::gpu, 0, 50, Behavior::monotone,
           Source::integrated),
      told("GPU_ENERGY", "J", Domain::gpu, 0, 7, Behavior::monotone, Source::counter)};
  EXPECT_NE(metrics_text(values, {}, MetricsFormat::prometheus).find("integrated_joules"),
            std::string::npos);
  const std::string text = metrics_text(values, {}, MetricsFormat::prometheus, false);
  EXPECT_EQ(text.find("integrated_joules"), std::string::npos);
  EXPECT_NE(text.find("mete_gpu_joules_total{"), std::string::npos);
}

TEST(ListenAddress, TakesAddressesAndSaysWhatIsWrong) {
  const auto v4 = parse_listen_address("127.0.0.1:9464");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 9464);
  EXPECT_EQ(parse_listen_address("localhost:0")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address("[::1]:80")->host, "::1");
  for (const char* bad : {"", ":", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                          "127.0.0.1:-1", "::1:9464", "[]:1", "example.org:80", "127.0.0.1:9 "}) {
    const auto result = parse_listen_address(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Errc::invalid);
    EXPECT_NE(result.error().what.find("127.0.0.1:9464"), std::string::npos);
  }
}

std::string status_of(const std::string& head) {
  const std::string text =
      http_answer(head, [](MetricsFormat format) { return std::string(content_type(format)); });
  return text.substr(9, 3);
}

TEST(HttpAnswer, OnlyGetMetrics) {
  EXPECT_EQ(status_of("GET /metrics HTTP/1.1\r\n\r\n"), "200");
  EXPECT_EQ(status_of("GET /metrics?x=1 HTTP/1.0\n\n"), "200");
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), "404");
  EXPECT_EQ(status_of("GET /metrics/../../etc/passwd HTTP/1.1\r\n\r\n"), "404");
  EXPECT_EQ(status_of("POST /metrics HTTP/1.1\r\n\r\n"), "405");
  for (const std::string& bad :
       {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("GET /metrics\r\n\r\n"),
        std::string("GET  /metrics HTTP/1.1\r\n\r\n"), std::string("GET /metrics HTTP/2\r\n\r\n"),
        std::string("GET /met\0rics HTTP/1.1\r\n\r\n", 26),
        std::string("\x16\x03\x01\x02 a HTTP/1.1\r\n\r\n")}) {
    EXPECT_EQ(status_of(bad), "400") << bad;
  }
}

TEST(HttpAnswer, TheCollectorChoosesTheFormat) {
  const MetricsPage page = [](MetricsFormat format) {
    return std::string(format == MetricsFormat::openmetrics ? "open" : "plain");
  };
  EXPECT_TRUE(http_answer("GET /metrics HTTP/1.1\r\naccept: application/openmetrics-text;"
                          "version=1.0.0,text/plain;q=0.5\r\n\r\n",
                          page)
                  .ends_with("\r\n\r\nopen"));
  EXPECT_TRUE(
      http_answer("GET /metrics HTTP/1.1\r\nX: y\r\n\r\n", page).ends_with("\r\n\r\nplain"));
}

}  // namespace
}  // namespace mete
