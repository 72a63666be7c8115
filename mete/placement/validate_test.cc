// The judge, by examples worked out by hand.
// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "mete/placement/placement.h"

namespace mete {
namespace {

/// Tensor 0 (100 bytes) is made by kernel 0, idle during 1 and 2, and read by kernel 3; tensor 1
/// (60 bytes) lives from kernel 1 to 2. Moves: 10 bytes/s out, 20 bytes/s in.
Problem example() {
  Problem problem;
  problem.rates = {.fast_to_slow = 10, .slow_to_fast = 20};
  problem.add_tensor(100);
  problem.add_tensor(60);
  problem.add_kernel("make", {0}, {1, 4});
  problem.add_kernel("other", {1}, {2, 3});
  problem.add_kernel("more", {1}, {3, 9});
  problem.add_additive_kernel("read", {0}, 5, {7});
  return problem;
}

Placement moved() {
  Placement out;
  out.tensors = {{.in_fast = {1, 1}, .kept_fast = {0}}, {.in_fast = {1, 1}, .kept_fast = {1}}};
  return out;
}

void expect_refused(const Placement& placement, std::string_view words,
                    std::uint64_t limit = kNoLimit) {
  const auto verdict = validate(example(), placement, limit);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Errc::invalid);
  EXPECT_NE(verdict.error().what.find(words), std::string::npos) << verdict.error().what;
}

TEST(Validate, ExampleIsSound) { EXPECT_TRUE(check(example())); }

TEST(Validate, KeepingCostsMemoryAndNoTime) {
  auto placement = moved();
  placement.tensors[0].kept_fast = {1};
  const auto verdict = validate(example(), placement).value();
  EXPECT_DOUBLE_EQ(verdict.seconds, 1 + 2 + 3 + 5);
  EXPECT_EQ(verdict.peak_bytes, 160U);
  expect_refused(placement, "above the limit of 159", 159);
}

TEST(Validate, AMoveAwayAndBackIsPaidTwice) {
  const auto verdict = validate(example(), moved(), 100).value();
  EXPECT_DOUBLE_EQ(verdict.stall_seconds, 100.0 / 10 + 100.0 / 20);
  EXPECT_DOUBLE_EQ(verdict.seconds, 11 + 15);
  EXPECT_EQ(verdict.peak_bytes, 100U);
  EXPECT_EQ(verdict.moves_to_slow + verdict.moves_to_fast, 2U);
}

TEST(Validate, BornSlowNeedsNoWrite) {
  auto placement = moved();
  placement.tensors[0].in_fast = {0, 1};
  EXPECT_DOUBLE_EQ(validate(example(), placement).value().seconds, 4 + 2 + 3 + 5 + 100.0 / 20);
  placement.tensors[0].in_fast = {0, 0};
  EXPECT_DOUBLE_EQ(validate(example(), placement).value().seconds, 4 + 2 + 3 + 12);
}

TEST(Validate, ChunksHideBehindKernelsAndHoldMemory) {
  auto placement = moved();
  // 20 bytes take 2 s to leave during kernel 1 (2 s); 60 bytes take 3 s to return in kernel 2 (3
  // s).
  placement.chunks = {{.tensor = 0, .gap = 0, .to_fast = false, .kernel = 1, .bytes = 20},
                      {.tensor = 0, .gap = 0, .to_fast = true, .kernel = 2, .bytes = 60}};
  auto verdict = validate(example(), placement).value();
  EXPECT_DOUBLE_EQ(verdict.stall_seconds, 80.0 / 10 + 40.0 / 20);
  EXPECT_EQ(verdict.peak_bytes, 160U);  // a tensor that is on its way takes its whole room
  placement.chunks[0].bytes = 50;       // 5 s beside a kernel of 2 s
  verdict = validate(example(), placement).value();
  EXPECT_DOUBLE_EQ(verdict.stall_seconds, 50.0 / 10 + 40.0 / 20 + 3);
}

TEST(Validate, RulesThatMayNotBeBroken) {
  auto placement = moved();
  placement.tensors.pop_back();
  expect_refused(placement, "places 1 tensors");
  placement = moved();
  placement.tensors[1].kept_fast = {};
  expect_refused(placement, "tensor 1");
  placement = moved();
  placement.tensors[1].in_fast = {1, 0};
  expect_refused(placement, "not there at both");
  placement = moved();
  placement.tensors[0].in_fast[0] = 2;
  expect_refused(placement, "neither 0 nor 1");
}

TEST(Validate, ChunksThatMayNotBe) {
  const MoveChunk good{.tensor = 0, .gap = 0, .to_fast = true, .kernel = 2, .bytes = 60};
  const auto with = [](std::vector<MoveChunk> chunks) {
    auto placement = moved();
    placement.chunks = std::move(chunks);
    return placement;
  };
  EXPECT_TRUE(validate(example(), with({good})));
  auto bad = good;
  bad.kernel = 3;  // the use itself
  expect_refused(with({bad}), "not between");
  bad = good;
  bad.kernel = 4;
  expect_refused(with({bad}), "does not exist");
  bad = good;
  bad.bytes = 101;
  expect_refused(with({bad}), "more bytes than it has");
  expect_refused(with({good, good}), "more bytes than it has");
  bad = good;
  bad.tensor = 1;  // which is kept
  bad.bytes = 1;
  expect_refused(with({bad}), "while it is kept");
  // The copy back may not begin while the copy out goes on.
  bad = good;
  bad.to_fast = false;
  expect_refused(with({good, bad}), "not between");
}

TEST(Validate, WhatCannotRunIsRefused) {
  auto problem = example();
  problem.kernels[3].slow_seconds = {kCannotRun};
  auto placement = moved();
  placement.tensors[0].in_fast = {1, 0};
  const auto verdict = validate(problem, placement);
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().what.find("kernel 3 (read)"), std::string::npos);
}

}  // namespace
}  // namespace mete
