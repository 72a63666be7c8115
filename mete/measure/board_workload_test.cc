// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/board_workload.h"

#include <csignal>

#include <gtest/gtest.h>

namespace mete {
namespace {

using namespace std::chrono_literals;

struct Node {
  VirtualClock clock;
  std::unique_ptr<Machine> machine =
      Machine::make(load_board(METE_SOURCE_DIR "/tests/fixtures/boards/tiny.csv").value(),
                    MachineOptions::exact(), 2, clock, 1)
          .value();
  BoardWorkload workload{*machine, load_program("compute:1s", machine->board()).value()};
};

TEST(BoardWorkload, EndsWhenTheLastGpuHasFinished) {
  Node node;
  node.machine->set_range(1, {500e6, 500e6});
  ASSERT_TRUE(node.workload.start());
  EXPECT_EQ(node.workload.describe(), "compute:1s on 2 GPU(s) of board tiny");
  int periods = 0;
  for (Nanoseconds deadline = 300ms; !node.workload.wait_until(deadline); deadline += 300ms) {
    EXPECT_EQ(node.clock.now(), deadline) << "not before the deadline, not after it";
    ++periods;
  }
  EXPECT_EQ(periods, 13);
  EXPECT_EQ(node.clock.now(), 4s) << "at the end itself, not at the deadline after it";
  EXPECT_TRUE(node.workload.status().ok());
  EXPECT_TRUE(node.workload.wait_until(10s));
  EXPECT_EQ(node.clock.now(), 4s);
}

TEST(BoardWorkload, StopsAtThePresentTime) {
  Node node;
  ASSERT_TRUE(node.workload.start());
  EXPECT_FALSE(node.workload.wait_until(100ms));
  node.workload.stop(SIGINT);
  EXPECT_TRUE(node.workload.wait_until(1s));
  EXPECT_EQ(node.clock.now(), 100ms);
  EXPECT_EQ(node.workload.status().code, 130);
  EXPECT_EQ(node.workload.status().signal, SIGINT);
  ASSERT_TRUE(node.workload.start());
  EXPECT_TRUE(node.workload.wait_until(10s));
  EXPECT_EQ(node.clock.now(), 1100ms);
  EXPECT_TRUE(node.workload.status().ok());
  node.workload.stop(SIGTERM);
  EXPECT_TRUE(node.workload.status().ok()) << "it had ended already";
}

}  // namespace
}  // namespace mete
