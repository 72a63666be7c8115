// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/trace_file.h"

#include <cmath>

#include "mete/base/files.h"
#include "mete/base/rng.h"
#include "mete/base/text.h"
#include "mete/dataset/sweep_fixture.h"

namespace mete {
namespace {

using testing::shared_data;
using testing::slurp;
using testing::TempFolder;

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// The simplest reader there is, for GEOPM's dialect and good files: the judge.
std::vector<std::vector<std::string>> simple_rows(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  for (const auto line : split(text, '\n')) {
    if (line.empty() || line[0] == '#') continue;
    rows.emplace_back();
    for (const auto cell : split(line, '|')) rows.back().emplace_back(cell);
  }
  return rows;
}

TEST(TraceFile, ReadsARealTraceOfGeopm) {
  const auto path = shared_data("geopm/power_governor.trace-mcfly1");
  if (!path_exists(path)) GTEST_SKIP() << path << " is not here";
  const auto rows = simple_rows(slurp(path));
  for (const std::size_t block : {64U, 1000U, 1U << 18U}) {
    auto trace = TraceFile::open(path, {.block_bytes = block});
    ASSERT_TRUE(trace) << trace.error().what;
    EXPECT_EQ(trace->preamble("agent"), "power_governor");
    EXPECT_EQ(trace->preamble("start_time"), "Thu Oct 03 08:19:34 2019");
    EXPECT_EQ(trace->dialect(), TraceDialect::geopm);
    ASSERT_EQ(trace->columns().size(), rows[0].size());
    std::size_t row = 0;
    while (trace->next()) {
      ++row;
      ASSERT_LT(row, rows.size());
      for (std::size_t c = 0; c < rows[0].size(); ++c) {
        if (trace->columns()[c].is_text) {
          EXPECT_EQ(trace->text(c), rows[row][c]);
        } else {
          EXPECT_TRUE(same(trace->numbers()[c], *parse_double(rows[row][c]))) << row << " " << c;
        }
      }
    }
    EXPECT_EQ(row, rows.size() - 1);
    EXPECT_EQ(trace->problem(), "");
    EXPECT_NE(trace->find("CPU_FREQUENCY_STATUS", Domain::board, 0), TraceFile::npos)
        << "FREQUENCY";
    EXPECT_TRUE(trace->columns()[trace->find("REGION_HASH", Domain::board, 0)].is_text);
  }
}

TEST(TraceFile, KnowsNamesOfEveryGeneration) {
  const auto column = describe_column("NVML::TOTAL_ENERGY_CONSUMPTION-board_accelerator-3");
  EXPECT_EQ(column.signal, "GPU_ENERGY");
  EXPECT_EQ(column.domain, Domain::gpu);
  EXPECT_EQ(column.index, 3);
  EXPECT_EQ(describe_column("DCGM::SM_ACTIVE-gpu-0").signal, "GPU_CORE_ACTIVITY");
  EXPECT_EQ(describe_column("TIME").domain, Domain::board);
  EXPECT_EQ(describe_column("MSR::PERF_STATUS:FREQ#-cpu-12").index, 12);
  EXPECT_EQ(describe_column("A-B").signal, "A-B");
  EXPECT_EQ(describe_column("A-nosuch-1").signal, "A-nosuch-1");
  EXPECT_EQ(describe_column("-gpu-0").signal, "-gpu-0");
}

TEST(TraceFile, AddsUpTheDifferencesOfBaseAgent) {
  TempFolder folder;
  const auto path = folder.write("t",
                                 "TIME|ENERGY_PACKAGE-board-0|GPU_ENERGY-gpu-0|GPU_POWER-gpu-0\n"
                                 "nan|nan|nan|nan\n"
                                 "0.5|10.5|1|100\n"
                                 "0.25|nan|2|110.5\n"
                                 "0.5|4|0.5|120\n");
  auto trace = TraceFile::open(path);
  ASSERT_TRUE(trace) << trace.error().what;
  EXPECT_EQ(trace->dialect(), TraceDialect::base_agent);
  const double nan = NAN;
  const std::vector<std::vector<double>> want{
      {0, nan, nan, nan}, {0.5, 10.5, 1, 100}, {0.75, nan, 3, 110.5}, {1.25, 14.5, 3.5, 120}};
  for (const auto& row : want) {
    ASSERT_TRUE(trace->next());
    for (std::size_t c = 0; c < 4; ++c) EXPECT_TRUE(same(trace->numbers()[c], row[c])) << c;
  }
  EXPECT_FALSE(trace->next());
  auto raw = TraceFile::open(path, {.absolute = false});
  ASSERT_TRUE(raw->next() && raw->next() && raw->next());
  EXPECT_EQ(raw->numbers()[0], 0.25);
}

TEST(TraceFile, TellsACutFileAndUsesWhatIsWhole) {
  TempFolder folder;
  auto trace = TraceFile::open(folder.write("t", "TIME|A\n1|2\n3|4\n5|6"));
  ASSERT_TRUE(trace);
  int rows = 0;
  while (trace->next()) ++rows;
  EXPECT_EQ(rows, 2);
  EXPECT_NE(trace->problem().find("t: line 4: cut off"), std::string::npos) << trace->problem();
}

TEST(TraceFile, LeavesOutBadRowsAndNamesTheFirst) {
  TempFolder folder;
  auto trace =
      TraceFile::open(folder.write("t", "TIME|A|B\n1|2|3\n4|5\n\n6|x7|8\n9|10|11|12\n13|14|15\n"));
  ASSERT_TRUE(trace);
  std::vector<double> times;
  while (trace->next()) times.push_back(trace->numbers()[0]);
  EXPECT_EQ(times, (std::vector<double>{1, 13}));
  EXPECT_EQ(trace->problem(), folder.path("t") + ": line 3: 2 cells, expected 3; 3 rows left out");
  auto words = TraceFile::open(folder.write("w", "TIME|A\r\n1|2\r\n\r\n1|abc\r\n"));
  while (words->next()) continue;
  EXPECT_EQ(words->problem(),
            folder.path("w") + ": line 4: column A: expected a number, got 'abc'; row left out");
}

TEST(TraceFile, StopsAtABadRowWhereRowsAreDifferences) {
  TempFolder folder;
  auto trace = TraceFile::open(folder.write("t", "TIME|A-board-0\n1|2\n1|x\n1|2\n"));
  int rows = 0;
  while (trace->next()) ++rows;
  EXPECT_EQ(rows, 1);
  EXPECT_NE(trace->problem().find("line 3"), std::string::npos) << trace->problem();
}

TEST(TraceFile, PassesOverThePreambleOfAnAppendedRun) {
  TempFolder folder;
  auto trace = TraceFile::open(folder.write("t", "# a: b\nTIME|A\n1|2\n# a: b\nTIME|A\n3|4\n"));
  std::vector<double> times;
  while (trace->next()) times.push_back(trace->numbers()[0]);
  EXPECT_EQ(times, (std::vector<double>{1, 3}));
  EXPECT_EQ(trace->problem(), "");
}

TEST(TraceFile, RefusesWhatIsNoTrace) {
  TempFolder folder;
  EXPECT_NE(TraceFile::open(folder.write("e", "")).error().what.find("is empty"),
            std::string::npos);
  EXPECT_NE(TraceFile::open(folder.write("p", "# a: b\n")).error().what.find("header"),
            std::string::npos);
  EXPECT_NE(TraceFile::open(folder.write("c", "time,value\n1,2\n")).error().what.find("line 1"),
            std::string::npos);
  EXPECT_FALSE(TraceFile::open(folder.path()));
  EXPECT_FALSE(TraceFile::open(folder.path("none")));
  auto header_only = TraceFile::open(folder.write("h", "TIME|A\n"));
  ASSERT_TRUE(header_only);
  EXPECT_FALSE(header_only->next());
  EXPECT_EQ(header_only->problem(), "");
  EXPECT_FALSE(TraceFile::open(folder.write("l", std::string(std::size_t{17} << 20U, 'x'))));
  auto long_row =
      TraceFile::open(folder.write("r", "TIME|A\n" + std::string(std::size_t{17} << 20U, '1')));
  ASSERT_TRUE(long_row);
  EXPECT_FALSE(long_row->next());
  EXPECT_NE(long_row->problem().find("line 2: longer"), std::string::npos) << long_row->problem();
}

TEST(TraceFile, ReadsAnyBytesWithoutHarm) {
  TempFolder folder;
  Rng rng(3);
  const std::string letters = "0123456789.|\n\r-+ex#naNT ";
  for (int i = 0; i < 300; ++i) {
    std::string text = "TIME|A|REGION_HASH\n";
    for (std::size_t n = rng.below(400); n > 0; --n) text += letters[rng.below(letters.size())];
    const auto path = folder.write("t", text);
    std::vector<std::uint64_t> offsets;
    for (const std::size_t block : {64U, 4096U}) {
      auto trace = TraceFile::open(path, {.block_bytes = block});
      ASSERT_TRUE(trace);
      std::vector<std::uint64_t> seen;
      while (trace->next()) seen.push_back(trace->row_offset());
      if (block == 64) offsets = seen;
      EXPECT_EQ(seen, offsets) << text;
    }
    for (const auto at : offsets) EXPECT_TRUE(at == 0 || text[at - 1] == '\n');
  }
}

TEST(TraceTable, GivesNamedColumnsByAnyName) {
  TempFolder folder;
  const auto path = folder.write("t", testing::trace_text(1.38e9));
  const auto table = read_trace_table(path, {"TIME", "NVML::POWER-gpu-0", "REGION_HASH"});
  ASSERT_TRUE(table) << table.error().what;
  EXPECT_EQ(table->rows(), 10U);
  EXPECT_EQ(table->columns()[0].unit, "s");
  EXPECT_EQ(table->columns()[1].name, "GPU_POWER-gpu-0");
  EXPECT_EQ(table->columns()[1].unit, "W");
  EXPECT_EQ(table->columns()[2].texts()[0], "0x725e8066");
  EXPECT_NE(read_trace_table(path, {"GPU_POWR-gpu-0"}).error().what.find("did you mean"),
            std::string::npos);
  EXPECT_FALSE(read_trace_table(path, {}, 5));
}

}  // namespace
}  // namespace mete
