// Plans judged by what they leave behind on a machine that only moves and mixes bytes.
// SPDX-License-Identifier: BSD-3-Clause
#include <functional>

#include <gtest/gtest.h>

#include "mete/execute/execute_test_support.h"

namespace mete {
namespace {

using test::HashMachine;
using test::Subject;

constexpr int kSteps = 2;  // the second finds what the first left

struct Case {
  Subject subject;
  StepProblem step;
  Placement placement;
  ExecutionPlan plan;
};

Result<Case> random_case(std::uint64_t seed) {
  Rng rng(seed);
  Case c;
  METE_TRY(Graph graph, test::random_step(rng));
  c.subject = test::subject_of(std::move(graph), rng);
  const Subject& s = c.subject;
  METE_TRY(c.step, problem_of(s.graph, s.liveness, s.profile, test::random_homes(s, rng)));
  c.placement = test::random_placement(c.step.problem, rng);
  METE_TRY(auto draft,
           draft_plan(s.graph, s.liveness, c.step, c.placement, {.pack_effort = 0.001}));
  c.plan = std::move(draft.plan);
  return c;
}

/// What everything in fast memory leaves, with no reuse of memory at all.
std::map<TensorId, std::vector<std::uint8_t>> left_by_plain(const Subject& s) {
  ExecutionPlan plan;
  std::vector<PoolPlace> at(s.liveness.groups.size());
  for (std::size_t g = 0; g < at.size(); ++g) {
    at[g] = {true, plan.fast_bytes};
    plan.fast_bytes += (s.liveness.groups[g].bytes + 63) / 64 * 64;
  }
  const auto place = [&](TensorId id) { return at[s.liveness.group_of[id]]; };
  for (TensorId id = 0; id < s.graph.tensors.size(); ++id) {
    if (s.graph.tensors[id].producer == kNoNode) plan.begins.push_back({id, place(id)});
  }
  for (NodeId n = 0; n < s.graph.nodes.size(); ++n) {
    if (is_free_view(s.graph, n, s.layouts)) continue;
    PlanStep step;
    step.node = n;
    for (const auto id : s.graph.nodes[n].inputs) step.inputs.push_back(place(id));
    for (const auto id : s.graph.nodes[n].outputs) step.outputs.push_back(place(id));
    plan.steps.push_back(step);
  }
  for (const auto id : s.graph.results) plan.results.push_back({id, place(id)});
  HashMachine machine(plan, s.graph, false);
  for (int i = 0; i < kSteps; ++i) machine.step();
  return machine.left();
}

/// Whether the copies beside kernels are made when they begin or as late as can be.
bool leaves_the_same(const ExecutionPlan& plan, const Subject& s,
                     const std::map<TensorId, std::vector<std::uint8_t>>& expected) {
  for (const bool late : {false, true}) {
    HashMachine machine(plan, s.graph, late);
    for (int i = 0; i < kSteps; ++i) {
      if (!machine.step()) return false;
    }
    if (machine.left() != expected) return false;
  }
  return true;
}

TEST(Plans, OfRandomPlacementsAreLegalAndLeaveTheSame) {
  std::size_t moves = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    auto made = random_case(seed);
    ASSERT_TRUE(made) << made.error().what;
    const Case& c = *made;
    const auto verdict = validate(c.step.problem, c.placement);
    ASSERT_TRUE(verdict) << "seed " << seed << ": " << verdict.error().what;
    const auto judged = verify(c.plan, c.subject.graph, c.subject.layouts);
    ASSERT_TRUE(judged) << "seed " << seed << ": " << judged.error().what;
    EXPECT_TRUE(leaves_the_same(c.plan, c.subject, left_by_plain(c.subject))) << "seed " << seed;
    // Sizes are rounded up in the problem; what chunks leave of the rounding is not copied.
    const double rounding = 64 / c.step.problem.rates.fast_to_slow *
                            static_cast<double>(verdict->moves_to_fast + verdict->moves_to_slow);
    EXPECT_NEAR(c.plan.predicted_seconds, verdict->seconds, rounding) << "seed " << seed;
    moves += verdict->moves_to_fast;
  }
  EXPECT_GT(moves, 100U);
}

/// Changes a plan a little. False if there was nothing to change.
using Mutation = std::function<bool(ExecutionPlan&, Rng&)>;

std::vector<std::size_t> steps_of(const ExecutionPlan& plan, StepKind kind) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (plan.steps[i].kind == kind) out.push_back(i);
  }
  return out;
}

bool drop(ExecutionPlan& plan, Rng& rng, StepKind kind) {
  const auto of_kind = steps_of(plan, kind);
  if (of_kind.empty()) return false;
  plan.steps.erase(plan.steps.begin() +
                   static_cast<std::ptrdiff_t>(of_kind[rng.below(of_kind.size())]));
  return true;
}

bool swap_two(ExecutionPlan& plan, Rng& rng) {
  const auto i = rng.below(plan.steps.size() - 1);
  std::swap(plan.steps[i], plan.steps[std::min(i + 1 + rng.below(4), plan.steps.size() - 1)]);
  return true;
}

bool shift_operand(ExecutionPlan& plan, Rng& rng) {
  const auto runs = steps_of(plan, StepKind::run);
  auto& step = plan.steps[runs[rng.below(runs.size())]];
  auto& places = rng.below(2) == 0 ? step.inputs : step.outputs;
  auto& place = places[rng.below(places.size())];
  place.offset = rng.below(2) == 0 ? place.offset + 64 * (1 + rng.below(4)) : place.offset + 4;
  return true;
}

bool other_pool(ExecutionPlan& plan, Rng& rng) {
  const auto runs = steps_of(plan, StepKind::run);
  auto& step = plan.steps[runs[rng.below(runs.size())]];
  auto& place = step.inputs[rng.below(step.inputs.size())];
  place.fast = !place.fast;
  return true;
}

bool change_copy(ExecutionPlan& plan, Rng& rng) {
  auto copies = steps_of(plan, rng.below(2) == 0 ? StepKind::copy : StepKind::begin);
  if (copies.empty()) return false;
  auto& step = plan.steps[copies[rng.below(copies.size())]];
  switch (rng.below(3)) {
    case 0:
      step.from.offset += 64;
      break;
    case 1:
      step.to.offset += 64;
      break;
    default:
      step.bytes -= step.bytes > 1 ? 1 : 0;
  }
  return true;
}

bool shrink_pool(ExecutionPlan& plan, Rng& rng) {
  auto& bytes = rng.below(2) == 0 ? plan.fast_bytes : plan.slow_bytes;
  if (bytes < 64) return false;
  bytes -= 64;
  return true;
}

TEST(Plans, WhatLeavesOtherBytesIsRefused) {
  const Mutation mutations[] = {
      [](ExecutionPlan& p, Rng& r) { return drop(p, r, StepKind::copy); },
      [](ExecutionPlan& p, Rng& r) { return drop(p, r, StepKind::begin); },
      [](ExecutionPlan& p, Rng& r) { return drop(p, r, StepKind::wait); },
      [](ExecutionPlan& p, Rng& r) { return drop(p, r, StepKind::run); },
      swap_two,
      shift_operand,
      other_pool,
      change_copy,
      shrink_pool,
  };
  for (std::size_t m = 0; m < std::size(mutations); ++m) {
    std::size_t wrong = 0;
    std::size_t refused = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      auto made = random_case(seed);
      ASSERT_TRUE(made) << made.error().what;
      const auto expected = left_by_plain(made->subject);
      Rng rng(seed * 100 + m);
      for (int round = 0; round < 12; ++round) {
        ExecutionPlan plan = made->plan;
        if (!mutations[m](plan, rng)) continue;
        const bool same = leaves_the_same(plan, made->subject, expected);
        const bool accepted = verify(plan, made->subject.graph, made->subject.layouts).has_value();
        wrong += same ? 0 : 1;
        refused += accepted ? 0 : 1;
        EXPECT_FALSE(accepted && !same) << "mutation " << m << ", seed " << seed << "." << round;
      }
    }
    EXPECT_GT(wrong, 0U) << "mutation " << m << " never mattered";
    EXPECT_GE(refused, wrong) << "mutation " << m;
  }
}

TEST(Plans, APoolAboveTheLimitIsRefused) {
  auto made = random_case(5);
  ASSERT_TRUE(made);
  EXPECT_TRUE(
      verify(made->plan, made->subject.graph, made->subject.layouts, made->plan.fast_bytes));
  const auto refused =
      verify(made->plan, made->subject.graph, made->subject.layouts, made->plan.fast_bytes - 1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("above the limit"), std::string::npos);
}

}  // namespace
}  // namespace mete
