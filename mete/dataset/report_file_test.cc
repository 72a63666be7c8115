// Judges: PyYAML through tests/fixtures/dataset/report_values.py for other people's files; figures
// typed here by hand from the text for the rest. SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/report_file.h"

#include <cmath>
#include <cstdio>
#include <set>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/dataset/sweep_fixture.h"

namespace mete {
namespace {

using testing::shared_data;
using testing::slurp;

const std::string kFixtures = METE_SOURCE_DIR "/tests/fixtures/dataset/";

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) text += buffer;
  ::pclose(pipe);
  return text;
}

std::string key(const std::string& host, const std::string& block, const std::string& region,
                const std::string& name, double value) {
  return fmt::format("{}\t{}\t{}\t{}\t{}", host, block, region, name,
                     std::isnan(value) ? 0.125 : value);
}

void add(std::multiset<std::string>& to, const std::string& host, const std::string& block,
         const std::string& region, const ReportTotals& totals) {
  for (const auto& [name, value] : totals.values())
    to.insert(key(host, block, region, name, value));
}

std::multiset<std::string> all_figures(const ReportFile& report) {
  std::multiset<std::string> all;
  for (const auto& host : report.hosts) {
    for (const auto& region : host.regions)
      add(all, host.name, "Regions", region.name, region.totals);
    add(all, host.name, "Unmarked Totals", "", host.unmarked);
    add(all, host.name, "Epoch Totals", "", host.epoch);
    add(all, host.name, "Application Totals", "", host.application);
    for (const auto& [name, totals] : host.others) add(all, host.name, name, "", totals);
  }
  return all;
}

void expect_as_pyyaml(const std::string& path) {
  const auto report = ReportFile::read(path);
  ASSERT_TRUE(report) << report.error().what;
  std::multiset<std::string> want;
  const auto judged =
      output_of("/usr/bin/python3 " + kFixtures + "report_values.py '" + path + "'");
  for (const auto line : split(judged, '\n')) {
    const auto cells = split(line, '\t');
    if (cells.size() != 5) continue;
    want.insert(key(std::string(cells[0]), std::string(cells[1]), std::string(cells[2]),
                    std::string(cells[3]), *parse_double(cells[4])));
  }
  EXPECT_GT(want.size(), 5U);
  const auto got = all_figures(*report);
  for (const auto& figure : want)
    EXPECT_EQ(got.count(figure), want.count(figure)) << path << ": " << figure;
  for (const auto& figure : got) {
    EXPECT_EQ(want.count(figure), got.count(figure)) << path << ": " << figure;
  }
}

TEST(ReportFile, ReadsGeopmsReportsAsPyYamlDoes) {
  if (!testing::have_pandas()) GTEST_SKIP() << "no /usr/bin/python3 with pandas and yaml";
  expect_as_pyyaml(kFixtures + "base_agent.report");
  if (!path_exists(shared_data("geopm"))) GTEST_SKIP() << shared_data("geopm") << " is not here";
  for (const auto* name : {"four-hosts-1.1.report", "test_sleep_report.yaml",
                           "test_sleep_region_report.yaml", "test_sleep_region_map_report.yaml"}) {
    expect_as_pyyaml(shared_data(std::string("geopm/") + name));
  }
}

TEST(ReportFile, ReadsHeadersAndRegionsOfRealReports) {
  if (!path_exists(shared_data("geopm"))) GTEST_SKIP() << shared_data("geopm") << " is not here";
  const auto four = ReportFile::read(shared_data("geopm/four-hosts-1.1.report"));
  ASSERT_TRUE(four) << four.error().what;
  EXPECT_EQ(four->version, "1.1.0+dev429gfa4ab95");
  EXPECT_EQ(four->profile, "nekbone_frequency_map_2100000000.0_1");
  ASSERT_EQ(four->hosts.size(), 4U);
  EXPECT_TRUE(four->policy.starts_with("{\"FREQ_CPU_DEFAULT\": 2100000000"));
  const auto& region = four->hosts[0].regions[0];
  EXPECT_EQ(region.name, "MPI_Allreduce");
  EXPECT_EQ(region.hash, 0x0d94e328U);
  EXPECT_EQ(region.totals.find("frequency (Hz)"), 2.09883e+09);
  EXPECT_EQ(region.totals.find("count"), 12005.0);
  EXPECT_TRUE(four->figure_of_merit.has_value());
  const auto map = ReportFile::read(shared_data("geopm/test_sleep_region_map_report.yaml"));
  ASSERT_TRUE(map);
  EXPECT_EQ(map->profile, "test_sleep_region_map");
  EXPECT_EQ(map->agent, "frequency_map");
  ASSERT_NE(map->host("mcfly1"), nullptr);
  EXPECT_EQ(map->host("mcfly1")->epoch.find("package-energy (J)"), 2160.91);
  EXPECT_EQ(map->host("mcfly1")->application.runtime(), 33.8915);
  EXPECT_EQ(map->host("mcfly1")->agent_values.size(), 1U);
  EXPECT_EQ(map->host("other"), nullptr);
}

TEST(ReportFile, ReadsReportsOfThePythonAgents) {
  const auto report = ReportFile::read(kFixtures + "base_agent.report");
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->profile, "my run: part 2 \"quoted\" # not a comment");
  EXPECT_EQ(report->agent, "base_agent");
  EXPECT_NE(report->policy.find("GPU_FREQUENCY_CONTROL: 1230000000.0"), std::string::npos);
  ASSERT_EQ(report->header.size(), 1U);
  EXPECT_EQ(report->header[0].first, "Wait time (sec)");
  EXPECT_EQ(report->figure_of_merit, 1000.0);
  EXPECT_EQ(report->total_runtime, 21.5);
  const auto& totals = report->hosts.at(0).application;
  EXPECT_EQ(report->hosts[0].name, "node1.example.org");
  EXPECT_EQ(totals.runtime(), 20.25);
  EXPECT_EQ(totals.signal("GPU_ENERGY", Domain::gpu, 0), 3000.5);
  EXPECT_EQ(totals.signal("GPU_ENERGY", Domain::gpu, 1), 4000.5);
  EXPECT_EQ(totals.signal("GPU_FREQUENCY_STATUS", Domain::gpu, 0), 1.23e9);
  EXPECT_EQ(totals.signal("CPU_INSTRUCTIONS_RETIRED", Domain::board, 0), 1e12);
  EXPECT_TRUE(std::isnan(totals.signal("GPU_CORE_ACTIVITY", Domain::gpu, 0).value()));
  EXPECT_TRUE(std::isnan(totals.find("TEMPERATURE_CORE-board-0").value()));
  EXPECT_FALSE(totals.signal("GPU_POWER", Domain::gpu, 0));
  ASSERT_EQ(report->hosts[0].others.size(), 1U);
  EXPECT_EQ(report->hosts[0].others[0].second.find("NVML::POWER-board_accelerator-0"), 100.0);
}

TEST(ReportFile, ReadsUnitsInWords) {
  const auto report = ReportFile::parse(
      "GEOPM Version: 1.0\nHosts:\n  a:\n    Application Totals:\n      runtime (sec): 1e+01\n"
      "      package-energy (joules): 5\n      power (W): \"NAN\"\n",
      "r");
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(report->hosts[0].application.runtime(), 10.0);
  EXPECT_TRUE(std::isnan(report->hosts[0].application.find("power (W)").value()));
}

TEST(ReportFile, NamesFileAndLineOfWhatIsWrong) {
  EXPECT_NE(ReportFile::parse("", "r").error().what.find("r: line 1: is empty"), std::string::npos);
  EXPECT_NE(ReportFile::parse("GEOPM Version: 1\nHosts:\n", "r").error().what.find("cut short"),
            std::string::npos);
  EXPECT_EQ(
      ReportFile::parse("GEOPM Version: 1\nrubbish\n", "r").error().what.rfind("r: line 2: ", 0),
      0U);
  const auto bad = ReportFile::parse("A: b\n\nHosts:\n  h:\n    T: [1\n    U: }\n", "r");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().what.find("r: not YAML: line "), std::string::npos) << bad.error().what;
  const auto line = bad.error().what.substr(bad.error().what.find("line ") + 5);
  EXPECT_GE(std::stoi(line), 4) << bad.error().what;
  EXPECT_FALSE(ReportFile::read("/nonexistent/r"));
}

TEST(ReportFile, SurvivesEveryCut) {
  const auto text = slurp(kFixtures + "base_agent.report");
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto report = ReportFile::parse(std::string_view(text).substr(0, n), "r");
    if (report) continue;
    EXPECT_EQ(report.error().what.rfind("r: ", 0), 0U) << n << " " << report.error().what;
  }
}

}  // namespace
}  // namespace mete
