// The profiler against kernels whose times are known exactly: each advances a clock by what its
// operands' places say. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mete/base/files.h"
#include "mete/graph/ops.h"
#include "mete/graph/training.h"
#include "mete/profile/charged_run.h"
#include "mete/profile/kernel_key.h"
#include "mete/profile/operands.h"
#include "mete/profile/profile_graph.h"
#include "mete/profile/profile_test_support.h"

namespace mete {
namespace {

using profile_test::KnownBench;

/// x -> relu -> relu -> add(both): the second relu has the first one's key, unless one is warm.
Graph small_graph() {
  GraphBuilder b("small");
  const auto x = b.input("x", {8, 64});
  const auto y = b.add(kReluOp, {x});
  const auto z = b.add(kReluOp, {y});
  b.add_result(b.add(kAddOp, {y, z}));
  return *b.finish();
}

Attributes shaped(Shape shape) {
  Attributes attributes;
  attributes.shape = std::move(shape);
  return attributes;
}

TEST(Slots, EachPieceOfMemoryOnce) {
  GraphBuilder b("slots");
  const auto w = b.parameter("w", {4, 4});
  const auto x = b.input("x", {4, 4});
  const auto twice = b.add(kAddOp, {x, x});
  const auto view = b.add(kReshapeOp, {twice}, shaped({2, 8}));
  const auto sum = b.add(kAddOp, {view, view});
  const auto back = b.add(kReshapeOp, {sum}, shaped({4, 4}));
  const auto mixed = b.add(kMultiplyOp, {twice, back});
  b.add_result(b.add(kSgdOp, {w, mixed}));
  const Graph graph = *b.finish();
  const Liveness live = liveness_of(graph, graph.nodes.size(), false);
  const NodeSlots add = slots_of(graph, live, 0);
  EXPECT_EQ(add.groups.size(), 2U) << "x is one piece of memory";
  EXPECT_EQ(add.of_input, (std::vector<std::uint32_t>{0, 0}));
  EXPECT_EQ(add.of_output, (std::vector<std::uint32_t>{1}));
  const NodeSlots multiply = slots_of(graph, live, 4);
  EXPECT_EQ(multiply.groups.size(), 3U) << "a view is its source's memory: " << live.groups.size();
  EXPECT_EQ(multiply.groups[0], add.groups[1]);
  const NodeSlots sgd = slots_of(graph, live, 5);
  EXPECT_EQ(sgd.groups.size(), 2U) << "updated where it lies";
  EXPECT_EQ(sgd.of_output[0], sgd.of_input[0]);
}

TEST(Traffic, WhatIsReadTwiceIsChargedOnce) {
  GraphBuilder b("traffic");
  const auto x = b.input("x", {4, 4});
  b.add_result(b.add(kAddOp, {x, x}));
  const Graph graph = *b.finish();
  const Liveness live = liveness_of(graph, 1, false);
  const auto traffic = slot_traffic(graph, 0, slots_of(graph, live, 0));
  EXPECT_EQ(traffic.read, (std::vector<double>{64, 0}));
  EXPECT_EQ(traffic.written, (std::vector<double>{0, 64}));
  const auto slow = open_tier(*parse_tier("throttled:2,3"), {1e9, 1e9});
  EXPECT_NEAR(charge_of(traffic, 0, **slow), 0, 1e-18);
  EXPECT_NEAR(charge_of(traffic, 1, **slow), 64e-9, 1e-15);
  EXPECT_NEAR(charge_of(traffic, 2, **slow), 128e-9, 1e-15);
  EXPECT_NEAR(charge_of(traffic, 3, **slow), 192e-9, 1e-15);
}

TEST(Key, TellsApartWhatMatters) {
  const Graph graph = small_graph();
  const Liveness live = liveness_of(graph, 3, false);
  const std::vector<Layout> plain(graph.tensors.size(), Layout::plain);
  const KernelJob job = job_of(graph, 0, plain, 1);
  const NodeSlots slots = slots_of(graph, live, 0);
  const std::string key = kernel_key(job, slots, {false, false});
  const auto differs = [&](const std::function<void(KernelJob&, NodeSlots&)>& change) {
    KernelJob other = job;
    NodeSlots places = slots;
    change(other, places);
    return kernel_key(other, places, {false, false}) != key;
  };
  EXPECT_FALSE(differs([](KernelJob&, NodeSlots&) {}));
  EXPECT_TRUE(differs([](KernelJob& j, NodeSlots&) { j.op = &kGeluOp; }));
  EXPECT_TRUE(differs([](KernelJob& j, NodeSlots&) { j.inputs[0].type.shape = {64, 8}; }));
  EXPECT_TRUE(differs([](KernelJob& j, NodeSlots&) { j.inputs[0].type.type = DataType::i64; }));
  EXPECT_TRUE(differs([](KernelJob& j, NodeSlots&) { j.outputs[0].layout = Layout::blocked; }));
  EXPECT_TRUE(differs([](KernelJob&, NodeSlots& s) { s.of_output[0] = 0; }));
  EXPECT_NE(kernel_key(job, slots, {true, false}), key) << "warm";
  // Padding and dilation are what AutoTM's key forgets.
  const std::vector<std::function<void(Attributes&)>> changes = {
      [](Attributes& a) { a.kernel[1] = 3; },
      [](Attributes& a) { a.stride[0] = 2; },
      [](Attributes& a) { a.dilation[1] = 2; },
      [](Attributes& a) { a.pad[3] = 1; },
      [](Attributes& a) { a.groups = 2; },
      [](Attributes& a) { a.count_padding = true; },
      [](Attributes& a) { a.transpose_a = true; },
      [](Attributes& a) { a.transpose_b = true; },
      [](Attributes& a) { a.scale = 1.0000000000000002; },
      [](Attributes& a) { a.epsilon = 1e-6; },
      [](Attributes& a) { a.axis = 2; },
      [](Attributes& a) { a.begin = 1; },
      [](Attributes& a) { a.end = 1; },
      [](Attributes& a) { a.shape = {1}; },
      [](Attributes& a) { a.order = {1, 0}; },
      [](Attributes& a) { a.offset = 1; },
      [](Attributes& a) { a.low = -1; },
      [](Attributes& a) { a.high = 1; },
  };
  std::map<std::string, int> seen;
  for (const auto& change : changes) {
    KernelJob other = job;
    change(other.attributes);
    ++seen[kernel_key(other, slots, {false, false})];
  }
  EXPECT_EQ(seen.size(), changes.size());
  EXPECT_EQ(seen.count(key), 0U);
}

TEST(Warm, IsWhatHalfACacheStillHolds) {
  const Graph graph = small_graph();  // tensors of 2 KiB
  const Liveness live = liveness_of(graph, 3, false);
  std::vector<NodeSlots> slots;
  for (NodeId n = 0; n < 3; ++n) slots.push_back(slots_of(graph, live, n));
  using Rows = std::vector<std::vector<bool>>;
  // Node 1 reads y after 4 KiB (x, y); node 2 reads y after the 4 KiB (y, z) since its last touch,
  // and z as well.
  EXPECT_EQ(warm_slots(graph, live, slots, 16384),
            (Rows{{false, false}, {true, false}, {true, true, false}}));
  EXPECT_EQ(warm_slots(graph, live, slots, 8191),
            (Rows{{false, false}, {false, false}, {false, false, false}}));
}

TEST(Operands, CopiesOutgrowTheCacheAndDoNotOverlap) {
  const OperandPlan plan({1000, 64, 5000}, 40'000, Rng(1));
  EXPECT_GE(plan.copies() * 6064, 80'000U);
  std::vector<std::pair<std::size_t, std::size_t>> pieces;
  for (std::size_t copy = 0; copy < plan.copies(); ++copy) {
    for (std::size_t slot = 0; slot < 3; ++slot) {
      EXPECT_EQ(plan.offset(copy, slot) % 64, 0U);
      pieces.emplace_back(plan.offset(copy, slot), plan.offset(copy, slot) + plan.slot_bytes(slot));
    }
  }
  std::sort(pieces.begin(), pieces.end());
  for (std::size_t i = 1; i < pieces.size(); ++i) EXPECT_LE(pieces[i - 1].second, pieces[i].first);
  EXPECT_LE(pieces.back().second, plan.pool_bytes());
  EXPECT_EQ(OperandPlan({1 << 20}, 1000, Rng(1)).copies(), 1U);
  EXPECT_EQ(OperandPlan({1}, 1 << 30, Rng(1)).copies(), OperandPlan::kMostCopies);
}

TEST(Operands, IndicesAndLabelsAreValid) {
  GraphBuilder b("indices");
  const auto table = b.parameter("table", {7, 4});
  const auto rows = b.input("rows", {50}, DataType::i64);
  const auto logits = b.add(kEmbeddingOp, {table, rows});
  const auto labels = b.input("labels", {50}, DataType::i64);
  b.add_result(b.add(kCrossEntropyOp, {logits, labels}));
  const Graph graph = *b.finish();
  const Liveness live = liveness_of(graph, 2, false);
  const std::vector<Layout> plain(graph.tensors.size(), Layout::plain);
  for (const auto& [node, limit] : {std::pair{0U, 7}, std::pair{1U, 4}}) {
    const KernelJob job = job_of(graph, node, plain, 1);
    const NodeSlots slots = slots_of(graph, live, node);
    std::vector<std::uint64_t> sizes;
    for (const auto group : slots.groups) sizes.push_back(live.groups[group].bytes);
    const OperandPlan plan(sizes, 1, Rng(1));
    std::vector<std::byte> pool(plan.pool_bytes());
    fill_operands(job, slots, plan, pool.data(), 5);
    std::vector<std::int64_t> values(50);
    std::memcpy(values.data(), pool.data() + plan.offset(0, slots.of_input[1]), 400);
    std::vector<int> counts(static_cast<std::size_t>(limit), 0);
    for (const auto value : values) {
      ASSERT_GE(value, 0);
      ASSERT_LT(value, limit);
      ++counts[static_cast<std::size_t>(value)];
    }
    EXPECT_LT(*std::max_element(counts.begin(), counts.end()), 50) << "not all the same";
    float first = 0;
    std::memcpy(&first, pool.data() + plan.offset(0, slots.of_input[0]), 4);
    EXPECT_LE(std::abs(first), 1);
    EXPECT_NE(first, 0);
  }
}

TEST(Profile, EqualJobsAreMeasuredOnce) {
  KnownBench bench;
  bench.time = [](const auto& slow) { return 1e-3 + 2e-3 * slow[0]; };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile) << profile.error().what;
  // Both relus read something not touched before or long ago: the cache is a single byte here.
  EXPECT_EQ(profile->of_node, (std::vector<std::uint32_t>{0, 0, 1}));
  ASSERT_EQ(profile->kernels.size(), 2U);
  EXPECT_EQ(profile->effort.measured, 2U);
  // Relu: 4 masks; add: 3 slots, 4 of the model and 3 held out; 10 repeats of each.
  EXPECT_EQ(profile->effort.runs, 10U * (4 + 7));
  EXPECT_NEAR(profile->kernels[0].seconds(0), 1e-3, 1e-7);
  EXPECT_NEAR(profile->kernels[0].seconds(1), 3e-3, 1e-7);
  EXPECT_NEAR(profile->all_fast_seconds(), 3e-3, 1e-6);
  EXPECT_NEAR(profile->all_slow_seconds(), 9e-3, 1e-6);
  EXPECT_TRUE(profile->kernels[1].additive);
  EXPECT_LT(profile->kernels[1].held_out_error, 1e-3);
  EXPECT_EQ(profile->kernels[1].timings.size(), 7U);
  EXPECT_TRUE(std::isnan(profile->kernels[0].timings[0].joules));
  EXPECT_EQ(profile->environment.machine, "test machine");
  EXPECT_EQ(profile->environment.libraries, "known 1");
}

TEST(Profile, AdditivePredictionsOfPlacementsNotMeasured) {
  KnownBench bench;
  bench.time = [](const auto& slow) {
    double seconds = 1e-3;
    for (std::size_t i = 0; i < slow.size(); ++i) {
      seconds += static_cast<double>(i + 1) * 1e-4 * slow[i];
    }
    return seconds;
  };
  GraphBuilder b("wide");
  std::vector<TensorId> parts;
  for (int i = 0; i < 7; ++i) parts.push_back(b.input("x" + std::to_string(i), {2, 3}));
  b.add_result(b.add(kConcatOp, parts));
  const auto profile = bench.run(*b.finish());
  ASSERT_TRUE(profile) << profile.error().what;
  const KernelProfile& kernel = profile->kernels[0];
  ASSERT_EQ(kernel.slots, 8U);
  EXPECT_EQ(kernel.timings.size(), 1U + 8U + 3U) << "n + 1 placements, and 3 held out";
  EXPECT_TRUE(kernel.additive);
  EXPECT_FALSE(kernel.complete());
  for (std::uint32_t mask = 0; mask < 256; ++mask) {
    double expected = 1e-3;
    for (std::uint32_t slot = 0; slot < 8; ++slot) {
      if ((mask >> slot & 1U) != 0) expected += (slot + 1) * 1e-4;
    }
    EXPECT_NEAR(kernel.seconds(mask), expected, 1e-6) << mask;
  }
}

TEST(Profile, KernelsThatAreNotAdditiveAreMeasuredInFull) {
  KnownBench bench;
  // A copy within either memory costs nothing, as AutoTM's reshape: far from additive.
  bench.time = [](const auto& slow) {
    for (const double one : slow) {
      if (one != slow[0]) return 5e-3;
    }
    return 1e-3;
  };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  for (const auto& kernel : profile->kernels) {
    EXPECT_FALSE(kernel.additive);
    EXPECT_TRUE(kernel.complete());
    EXPECT_GT(kernel.held_out_error, 1) << "predicted 9 ms, took 1";
    EXPECT_NEAR(kernel.seconds(kernel.all_slow()), 1e-3, 1e-7);
    EXPECT_NEAR(kernel.seconds(1), 5e-3, 1e-7);
  }
}

TEST(Profile, TooManyTensorsForATableIsSaid) {
  KnownBench bench;
  bench.time = [](const auto& slow) {
    double seconds = 1e-3;
    for (const double one : slow) seconds *= 1 + one;
    return seconds;
  };
  GraphBuilder b("wide");
  std::vector<TensorId> parts;
  for (int i = 0; i < 7; ++i) parts.push_back(b.input("x" + std::to_string(i), {2, 3}));
  b.add_result(b.add(kConcatOp, parts));
  const auto profile = bench.run(*b.finish());
  ASSERT_TRUE(profile);
  EXPECT_FALSE(profile->kernels[0].additive);
  EXPECT_FALSE(profile->kernels[0].complete());
}

TEST(Profile, NoiseAloneDoesNotMakeAKernelNonAdditive) {
  KnownBench bench;
  auto rng = std::make_shared<Rng>(7);
  bench.time = [rng](const auto& slow) {
    return (1e-3 + 1e-3 * slow[0]) * (1 + 0.2 * rng->uniform());
  };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  for (const auto& kernel : profile->kernels) {
    EXPECT_TRUE(kernel.additive) << kernel.held_out_error;
    EXPECT_GT(kernel.timings[0].spread_seconds, 1e-5);
  }
}

TEST(Profile, MediansIgnoreAStall) {
  KnownBench bench;
  auto runs = std::make_shared<int>(0);
  bench.time = [runs](const auto&) { return ++*runs % 5 == 0 ? 1.0 : 1e-3; };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  EXPECT_NEAR(profile->kernels[0].seconds(0), 1e-3, 1e-6);
}

TEST(Profile, MediansOutliveASpellInWhichEverythingIsSlow) {
  KnownBench bench;
  // As long as 10 repeats of the first kernel take, and more: only kernels that are measured at
  // several times have anything else to show.
  constexpr int kSpell = 48;
  auto runs = std::make_shared<int>(0);
  bench.time = [runs](const auto& slow) {
    return (1e-3 + 1e-3 * slow[0]) * (++*runs <= kSpell ? 1.5 : 1);
  };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  for (const auto& kernel : profile->kernels) {
    EXPECT_NEAR(kernel.seconds(0), 1e-3, 1e-6);
    EXPECT_NEAR(kernel.seconds(1), 2e-3, 1e-6);
    EXPECT_TRUE(kernel.additive);
  }
}

TEST(Profile, MoreRepeatsAreAddedToThoseThatAreThere) {
  KnownBench bench;
  bench.time = [](const auto&) { return 1e-3; };
  bench.repeats = 4;
  const auto few = bench.run(small_graph());
  ASSERT_TRUE(few);
  EXPECT_EQ(few->effort.runs, 4U * 11);
  bench.repeats = 10;
  bench.time = [](const auto&) { return 3e-3; };
  const auto more = bench.run(small_graph());
  ASSERT_TRUE(more);
  EXPECT_EQ(more->effort.runs, 6U * 11);
  EXPECT_EQ(more->kernels[0].timings[0].repeats, 10U);
  EXPECT_NEAR(more->kernels[0].seconds(0), 3e-3, 1e-6) << "six of ten";
  bench.repeats = 4;
  const auto enough = bench.run(small_graph());
  ASSERT_TRUE(enough);
  EXPECT_EQ(enough->effort.runs, 0U);
}

TEST(Profile, SlowTierIsChargedAtTheEndOfEachRun) {
  KnownBench bench;
  bench.charge = 1e-9;  // a byte
  bench.time = [](const auto&) { return 1e-3; };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  EXPECT_NEAR(profile->kernels[0].seconds(1), 1e-3 + 2048e-9, 2e-7);
  EXPECT_NEAR(profile->kernels[0].seconds(3), 1e-3 + 4096e-9, 2e-7);
  EXPECT_TRUE(profile->environment.emulated);
}

TEST(Profile, AnInterruptedOneGoesOnWhereItStopped) {
  KnownBench bench;
  bench.time = [](const auto&) { return 1e-3; };
  const Graph graph = small_graph();
  bench.interrupt.after = 60;  // looks: in the second sitting
  const auto stopped = bench.run(graph);
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().what.find("of 2 kernels 0 are measured and 2 begun"), std::string::npos)
      << stopped.error().what;
  const int before = bench.runs;
  bench.interrupt.after = -1;
  const auto rest = bench.run(graph);
  ASSERT_TRUE(rest) << rest.error().what;
  EXPECT_EQ(rest->effort.measured, 2U);
  // Four of ten repeats were kept: of four placements of one kernel, and seven of the other.
  EXPECT_EQ(rest->effort.runs, 6U * (4 + 7));
  EXPECT_EQ(bench.runs - before, 66 + 2 * 2 * 2) << "with two to warm up in either sitting";
  const auto again = bench.run(graph);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->effort.runs, 0U);
  EXPECT_EQ(bench.runs - before, 66 + 2 * 2 * 2);
  EXPECT_EQ(again->all_fast_seconds(), rest->all_fast_seconds());
}

TEST(Profile, CopiesAreTimedAndKept) {
  KnownBench bench;
  bench.charge = 1e-9;
  bench.time = [](const auto&) { return 1e-3; };
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  // The bench's clock moves by looks alone: what is left is the charge.
  EXPECT_NEAR(profile->copies.fast_to_slow, 1e9, 2e7);
  EXPECT_NEAR(profile->copies.slow_to_fast, 1e9, 2e7);
}

TEST(Profile, JoulesAreOfOneRun) {
  KnownBench bench;
  bench.time = [](const auto& slow) { return 1e-3 + 1e-3 * slow[0]; };
  bench.watts = 40;
  const auto profile = bench.run(small_graph());
  ASSERT_TRUE(profile);
  EXPECT_NEAR(profile->kernels[0].timings[0].joules, 0.04, 1e-4);
  EXPECT_NEAR(profile->kernels[0].timings[1].joules, 0.08, 1e-4);
}

TEST(Profile, WhatCannotRunIsToldBeforeAnythingIsMeasured) {
  KnownBench bench;
  bench.refuses = "add";
  bench.time = [](const auto&) { return 1e-3; };
  const auto profile = bench.run(small_graph());
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().code, Errc::unsupported);
  EXPECT_NE(profile.error().what.find("(add)"), std::string::npos) << profile.error().what;
  EXPECT_EQ(bench.runs, 0);
  bench.refuses.clear();
  bench.room = 100;
  const auto small = bench.run(small_graph());
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, Errc::unavailable);
}

TEST(Profile, AWholeStepWithPlainKernels) {
  GraphBuilder b("tiny");
  const auto x = b.input("x", {2, 3});
  const auto labels = b.input("labels", {2}, DataType::i64);
  const auto w = b.parameter("w", {3, 4});
  const auto logits = b.add(kMatMulOp, {x, w});
  const auto loss = b.add_all(kCrossEntropyOp, {logits, labels});
  b.set_loss(loss[0]);
  b.add_result(loss[0]);
  const auto step = training_step(*b.finish(), 0.1);
  ASSERT_TRUE(step) << step.error().what;
  KnownBench bench;
  bench.plain = true;
  const auto profile = bench.run(*step);
  ASSERT_TRUE(profile) << profile.error().what;
  EXPECT_GT(profile->all_fast_seconds(), 0);
  for (const auto& kernel : profile->kernels) EXPECT_EQ(kernel.implementation, "reference");
}

}  // namespace
}  // namespace mete
