// The truth of a program is judged by adding up its table by hand.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/board_truth.h"

#include <gtest/gtest.h>

namespace mete {
namespace {

TEST(BoardTruth, AddsUpPhasesAtEachClock) {
  const auto board = parse_board(
      "benchmark,core_mhz,time,power_w\na,500,20,50\na,1000,10,90\nb,500,4,40\nb,1000,4,100\n",
      "tiny", "tiny.csv");
  ASSERT_TRUE(board) << board.error().what;
  const auto program = parse_program("kernel a 1\nkernel b 2\nidle 3\n", "p", *board);
  ASSERT_TRUE(program) << program.error().what;
  MachineOptions machine;
  machine.idle_power = 10;
  const MeasuredKernel truth = program_truth(*program, *board, machine);
  EXPECT_EQ(truth.clocks, (std::vector<double>{5e8, 1e9}));
  EXPECT_NEAR(truth.seconds[1], 1 + 2 + 3, 1e-12);
  EXPECT_NEAR(truth.seconds[1] * truth.watts[1], 90 + 200 + 30, 1e-9);
  EXPECT_NEAR(truth.seconds[0], 2 + 2 + 3, 1e-12);
  EXPECT_NEAR(truth.seconds[0] * truth.watts[0], 100 + 80 + 30, 1e-9);
  // Least energy within the 17 % that the lower clock costs, and not within 16 %.
  EXPECT_EQ(oracle_clock(truth, {.phi = std::nullopt, .max_slowdown = 0.17}), 0U);
  EXPECT_EQ(oracle_clock(truth, {.phi = std::nullopt, .max_slowdown = 0.16}), 1U);
}

TEST(BoardTruth, NamesWhatIsWrong) {
  TargetOptions target;
  target.board = "v100";
  EXPECT_TRUE(load_truth(target, "vectorAdd:2s"));
  EXPECT_FALSE(load_truth(target, "vectorAd:2s"));
  target.board = "no-such-board";
  EXPECT_FALSE(load_truth(target, "vectorAdd"));
}

}  // namespace
}  // namespace mete
