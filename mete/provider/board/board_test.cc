// Boards: the built-in ones against the published tables, and the errors of bad ones.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/board.h"

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

namespace mete {
namespace {

/// The rows of a CSV without quotes, by plain splitting: a reader of its own, to judge the board's.
std::vector<std::map<std::string, std::string>> plain_rows(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::map<std::string, std::string>> rows;
  std::vector<std::string> header;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> cells;
    std::stringstream stream(line + ",");
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    if (header.empty()) {
      header = cells;
      continue;
    }
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < header.size(); ++i) row[header[i]] = cells.at(i);
  }
  return rows;
}

const OperatingPoint& point_of(const Board& board, const std::string& kernel, double mhz) {
  const auto k = board.find_kernel(kernel).value();
  for (std::size_t c = 0; c < board.clocks.size(); ++c) {
    if (std::abs(board.clocks[c] - mhz * 1e6) < 1) return board.kernels[k].points[c];
  }
  throw std::out_of_range("no such clock");
}

std::string error_of(const std::string& csv) {
  const auto board = parse_board(csv, "b", "b.csv");
  if (board) return "(no error)";
  EXPECT_EQ(board.error().code, Errc::invalid);
  EXPECT_EQ(board.error().what.find('\n'), std::string::npos) << "one line";
  return board.error().what;
}

constexpr const char* kHead = "benchmark,core_mhz,time,power_w\n";

TEST(Board, V100HoldsThePublishedTable) {
  const std::string path = METE_SOURCE_DIR "/../shared/data/v100-dvfs.csv";
  const auto rows = plain_rows(path);
  if (rows.empty()) GTEST_SKIP() << path << " is not here";
  const auto board = load_board("v100");
  ASSERT_TRUE(board) << board.error().what;
  EXPECT_EQ(board->clocks.size(), 10U);
  EXPECT_EQ(board->kernels.size(), 158U);
  EXPECT_NE(board->source.find("Wang"), std::string::npos);
  for (const auto& row : rows) {
    const std::string name =
        row.at("set") == "real" ? row.at("benchmark") : row.at("benchmark") + "/" + row.at("args");
    const auto& point = point_of(*board, name, std::stod(row.at("core_mhz")));
    EXPECT_NEAR(point.seconds * 1e3 / std::stod(row.at("time")), 1, 1e-12) << name;
    EXPECT_NEAR(point.watts / std::stod(row.at("power_w")), 1, 1e-12) << name;
    if (row.at("dram_active").empty()) continue;
    for (std::size_t a = 0; a < kActivityCount; ++a) {
      EXPECT_NEAR(point.activities[a], std::stod(row.at(std::string(kActivityColumns[a]))), 0.51e-4)
          << name;
    }
  }
}

TEST(Board, V100FillsTheOneRowWithoutActivities) {
  const auto board = load_board("v100").value();
  EXPECT_EQ(board.notes.size(), kActivityCount);
  const double below = point_of(board, "shmembench/input005", 502).activities[0];
  const double above = point_of(board, "shmembench/input005", 705).activities[0];
  EXPECT_NEAR(point_of(board, "shmembench/input005", 600).activities[0],
              below + (above - below) * (600 - 502) / (705 - 502), 1e-12);
}

TEST(Board, JetsonHasPlausibleGemms) {
  const auto board = load_board("jetson-agx");
  ASSERT_TRUE(board) << board.error().what;
  EXPECT_EQ(board->kernels.size(), 48U);
  EXPECT_EQ(board->clocks.size(), 14U);
  EXPECT_TRUE(board->notes.empty());
  for (const bool has : board->has_activity) EXPECT_FALSE(has);
  // The peak is 512 lanes x 2 flops x the clock (Xavier's data sheet); the study found 97 % of it
  // at best.
  const auto& point = point_of(*board, "gemm-float-2048", 1377);
  const double flops = 2048.0 * 2048 * (2 * 2048 - 1) / point.seconds;
  EXPECT_GT(flops, 0.9 * 512 * 2 * 1.377e9);
  EXPECT_LT(flops, 512 * 2 * 1.377e9);
}

TEST(Board, InterpolatesTimeInThePeriodAndPowerInTheClock) {
  const auto board = load_board(METE_SOURCE_DIR "/tests/fixtures/boards/tiny.csv");
  ASSERT_TRUE(board) << board.error().what;
  EXPECT_EQ(board->name, "tiny");
  // compute takes 2e6 cycles at every clock: the interpolation must find that between the clocks
  // too.
  for (const double hz : {500e6, 600e6, 750e6, 999e6, 1000e6, 1234e6, 2000e6}) {
    EXPECT_NEAR(board->at(0, hz).seconds, 2e6 / hz, 1e-15);
  }
  EXPECT_NEAR(board->at(0, 1500e6).watts, 150, 1e-9);
  EXPECT_NEAR(board->at(1, 1500e6).activities[2], 0.85, 1e-12);
  EXPECT_DOUBLE_EQ(board->at(0, 1e6).seconds, 4e-3) << "clamped";
  EXPECT_DOUBLE_EQ(board->at(0, 9e9).seconds, 1e-3) << "clamped";
  EXPECT_DOUBLE_EQ(board->lowest_watts(), 50);
}

TEST(Board, NamesKernelsAsShortAsTheyCanBe) {
  const auto board = parse_board(
      "set,benchmark,args,kernel,core_mhz,time,power_w\n"
      "s,one,i0,k,1,1,1\ns,one,i0,k,2,1,1\n"
      "s,args,i0,k,1,1,1\ns,args,i0,k,2,1,1\ns,args,i1,k,1,1,1\ns,args,i1,k,2,1,1\n"
      "s,kern,i0,a,1,1,1\ns,kern,i0,a,2,1,1\ns,kern,i0,b,1,1,1\ns,kern,i0,b,2,1,1\n"
      "s,both,,,1,1,1\ns,both,,,2,1,1\nt,both,,,1,1,1\nt,both,,,2,1,1\n",
      "b", "b.csv");
  ASSERT_TRUE(board) << board.error().what;
  EXPECT_EQ(board->kernel_names(), (std::vector<std::string>{"one", "args/i0", "args/i1", "kern/a",
                                                             "kern/b", "s/both", "t/both"}));
}

TEST(Board, OffersTheNearestKernel) {
  const auto board = load_board("v100").value();
  const auto found = board.find_kernel("vectorAd");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::invalid);
  EXPECT_NE(found.error().what.find("vectorAdd"), std::string::npos) << found.error().what;
  EXPECT_NE(board.find_kernel("xyzzy-plugh").error().what.find("158 kernels"), std::string::npos);
}

TEST(Board, FillsAClockThatOneKernelLacks) {
  const auto board = parse_board(
      std::string(kHead) + "a,500,4,50\na,1000,2,100\na,2000,1,200\nb,500,4,50\nb,2000,1,200\n",
      "b", "b");
  ASSERT_TRUE(board) << board.error().what;
  EXPECT_NEAR(board->kernels[1].points[1].seconds, 2e-3, 1e-15);
  ASSERT_EQ(board->notes.size(), 1U);
  EXPECT_NE(board->notes[0].find("b: no row at 1000 MHz"), std::string::npos);
}

TEST(Board, IgnoresOtherColumnsAndSaysSo) {
  const auto board = parse_board(
      "colour,benchmark,core_mhz,time,power_w,sm_activ\nred,a,1,1,1,9\n,a,2,1,1,x\n", "b", "b");
  ASSERT_TRUE(board) << board.error().what;
  ASSERT_EQ(board->notes.size(), 2U);
  EXPECT_NE((board->notes[0] + board->notes[1]).find("did you mean sm_active"), std::string::npos);
}

TEST(Board, TakesCrlfByteOrderMarkAndQuotes) {
  const auto board = parse_board(
      "\xEF\xBB\xBF# from a "
      "spreadsheet\r\nbenchmark,core_mhz,time,power_w\r\n\"a\",1,1,1\r\n\r\na,2,\"1\",1",
      "b", "b");
  ASSERT_TRUE(board) << board.error().what;
  EXPECT_EQ(board->source, "from a spreadsheet");
}

TEST(Board, RefusesBadCellsWithTheirLine) {
  const std::string good = "a,500,4,50\n";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a,1000,,100", "time is missing"},
      {"a,1000,0,100", "time is '0'"},
      {"a,1000,-1,100", "time is '-1'"},
      {"a,1000,nan,100", "time is 'nan'"},
      {"a,1000,inf,100", "time is 'inf'"},
      {"a,1000,2x,100", "time is '2x'"},
      {"a,1000,2,", "power_w is missing"},
      {"a,1000,2,0", "power_w is '0'"},
      {"a,1000,2,100000", "another unit"},
      {"a,1000000000,2,100", "another unit"},
      {"a,500,2,100", "in line 2 already"},
      {"a,1000,2", "3 cells"},
      {"a,1000,2,100,", "5 cells"},
      {"a b,1000,2,100", "no space"},
      {",1000,2,100", "benchmark is missing"},
      {"\"a,1000,2,100", "never closed"}};
  for (const auto& [row, expected] : cases) {
    const auto error = error_of(kHead + good + row + "\n");
    EXPECT_NE(error.find("b.csv:3: "), std::string::npos) << row << " → " << error;
    EXPECT_NE(error.find(expected), std::string::npos) << row << " → " << error;
  }
}

TEST(Board, RefusesBadFiles) {
  EXPECT_NE(error_of("").find("is empty"), std::string::npos);
  EXPECT_NE(error_of("# only a comment\n").find("is empty"), std::string::npos);
  EXPECT_NE(error_of(kHead).find("no rows"), std::string::npos);
  EXPECT_NE(error_of(std::string(kHead) + "a,500,4,50\n").find("one clock only"),
            std::string::npos);
  EXPECT_NE(error_of("benchmark,core_mhz,time_s,power_w\na,1,1,1\n").find("is it 'time_s'?"),
            std::string::npos);
  EXPECT_NE(error_of("benchmark,core_mhz,time,time,power_w\n").find("two columns"),
            std::string::npos);
  EXPECT_NE(error_of(std::string(kHead) + "a,500,4,50\na,1000,2,9\nb,500,1,1\nb,700,1,1\n")
                .find("b.csv:4: b was measured from"),
            std::string::npos);
  EXPECT_NE(
      error_of("benchmark,core_mhz,time,power_w,sm_active\na,1,1,1,1.5\n").find("sm_active is 1.5"),
      std::string::npos);
  EXPECT_NE(
      error_of(
          "benchmark,core_mhz,time,power_w,sm_active\na,1,1,1,\na,2,1,1,\nb,1,1,1,0\nb,2,1,1,0\n")
          .find("a has no sm_active at any clock"),
      std::string::npos);
  EXPECT_NE(error_of("benchmark,core_mhz,memory_mhz,time,power_w\na,1,5,1,1\na,1,6,1,1\n")
                .find("memory clock"),
            std::string::npos);
  std::string nul(1000, '\0');
  EXPECT_NE(error_of(nul), "(no error)");
}

TEST(Board, RefusesMorePointsThanMemoryShouldHold) {
  std::string csv = kHead;
  // 1,500 kernels with two clocks of their own between two shared ones: 1,500 x 3,002 points.
  for (int k = 0; k < 1500; ++k) {
    csv += fmt::format("k{0},1,1,1\nk{0},{1},1,1\nk{0},{2},1,1\nk{0},9999,1,1\n", k, 10 + 2 * k,
                       11 + 2 * k);
  }
  EXPECT_NE(error_of(csv).find("more than 1000000 points"), std::string::npos) << error_of(csv);
}

TEST(Board, SurvivesEveryTruncation) {
  std::ifstream in(METE_SOURCE_DIR "/tests/fixtures/boards/tiny.csv");
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  ASSERT_FALSE(text.empty());
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto board = parse_board(text.substr(0, n), "b", "b");
    if (board) {
      EXPECT_GE(board->clocks.size(), 2U);
    }
  }
}

TEST(Board, SaysWhichBoardsThereAre) {
  const auto board = load_board("v10");
  ASSERT_FALSE(board);
  EXPECT_EQ(board.error().code, Errc::invalid);
  EXPECT_NE(board.error().what.find("did you mean v100?"), std::string::npos) << board.error().what;
  EXPECT_FALSE(load_board("/nonexistent/folder/x.csv"));
  EXPECT_NE(load_board("/tmp").error().what.find("folder"), std::string::npos);
  EXPECT_EQ(builtin_board_names(), (std::vector<std::string>{"jetson-agx", "v100"}));
}

}  // namespace
}  // namespace mete
