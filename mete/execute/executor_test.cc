// Plans run by the reference kernels: whatever the placement, the bytes are those of the graph run
// in plain memory. SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/executor.h"

#include <csignal>
#include <cstring>

#include <gtest/gtest.h>

#include "mete/execute/execute_test_support.h"
#include "mete/graph/zoo.h"
#include "mete/kernel/run_graph.h"

namespace mete {
namespace {

constexpr int kSteps = 3;

struct Bench {
  std::unique_ptr<KernelLibrary> library = make_reference_library();
  std::unique_ptr<Tier> fast, slow;
  SteadyClock clock;
  NoInterrupt never;

  Bench() {
    fast = std::move(*open_tier({}, {}));
    // So fast that tests do not wait: what is charged is judged where it is computed.
    TierSpec spec;
    spec.kind = TierKind::throttled;
    spec.read_part = spec.write_part = 1.1;
    slow = std::move(*open_tier(spec, {.read = 1e11, .write = 1e11}));
  }
  [[nodiscard]] std::vector<KernelLibrary*> libraries() const { return {library.get()}; }
};

/// Parameters and results after some steps, by GraphRun.
std::map<TensorId, std::vector<std::byte>> plain_run(const test::Subject& s, const Bench& bench) {
  const auto libraries = bench.libraries();
  auto run = GraphRun::make(s.graph, libraries, {.layouts = s.layouts});
  EXPECT_TRUE(run) << run.error().what;
  run->fill(1);
  for (int i = 0; i < kSteps; ++i) EXPECT_TRUE(run->run());
  std::map<TensorId, std::vector<std::byte>> out;
  const auto keep = [&](TensorId id) {
    const std::byte* data = run->data(id);
    out[id].assign(data, data + s.graph.tensors[id].bytes());
  };
  for (TensorId id = 0; id < s.graph.tensors.size(); ++id) {
    if (s.graph.tensors[id].role == TensorRole::parameter) keep(id);
  }
  for (const auto id : s.graph.results) keep(id);
  return out;
}

/// The plan in which nothing moves.
ExecutionPlan all_fast(const test::Subject& s) {
  const auto step =
      problem_of(s.graph, s.liveness, s.profile, homes_of(s.graph, s.liveness, Home::still));
  EXPECT_TRUE(step) << step.error().what;
  Placement placement;
  for (const auto& tensor : step->problem.tensors) {
    placement.tensors.push_back({std::vector<std::uint8_t>(tensor.uses.size(), 1),
                                 std::vector<std::uint8_t>(tensor.uses.size() - 1, 1)});
  }
  const auto draft = draft_plan(s.graph, s.liveness, *step, placement, {.pack_effort = 0.01});
  EXPECT_TRUE(draft) << draft.error().what;
  return draft->plan;
}

/// A random training step with its kernels.
struct Trial {
  test::Subject subject;
  NodeKernels kernels;

  [[nodiscard]] ExecutorSetup setup(const Bench& bench, const Interrupt& interrupt) const {
    return {subject.graph, subject.liveness, subject.layouts, kernels, *bench.fast, *bench.slow, 1,
            bench.clock,   interrupt};
  }
};

Trial make_trial(const Bench& bench, Rng& rng) {
  auto subject = test::subject_of(test::random_step(rng).value(), rng);
  auto kernels = NodeKernels::make(subject.graph, subject.layouts, bench.libraries(), 1).value();
  return {std::move(subject), std::move(kernels)};
}

std::uint64_t digest_of(ExecutionPlan plan, const ExecutorSetup& setup) {
  auto executor = Executor::make(std::move(plan), setup);
  EXPECT_TRUE(executor) << executor.error().what;
  if (!executor) return 0;
  executor->fill(1);
  for (int i = 0; i < kSteps; ++i) {
    const auto times = executor->step();
    EXPECT_TRUE(times) << times.error().what;
    if (!times) return 0;
    EXPECT_EQ(times->of_step.size(), executor->plan().steps.size());
  }
  return executor->digest();
}

TEST(Executor, AllFastLeavesTheBytesOfPlainMemory) {
  const Bench bench;
  Rng rng(1);
  const auto trial = make_trial(bench, rng);
  const auto& s = trial.subject;
  auto executor = Executor::make(all_fast(s), trial.setup(bench, bench.never));
  ASSERT_TRUE(executor) << executor.error().what;
  executor->fill(1);
  for (int i = 0; i < kSteps; ++i) ASSERT_TRUE(executor->step());
  const auto expected = plain_run(s, bench);
  float loss = 0;
  std::memcpy(&loss, expected.at(s.graph.loss).data(), sizeof(loss));
  EXPECT_EQ(executor->loss(), static_cast<double>(loss));
}

TEST(Executor, EveryPlacementLeavesTheBytesOfAllFast) {
  const Bench bench;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Rng rng(seed);
    const auto trial = make_trial(bench, rng);
    const auto& s = trial.subject;
    const auto setup = trial.setup(bench, bench.never);
    const auto expected = digest_of(all_fast(s), setup);
    const auto step = problem_of(s.graph, s.liveness, s.profile, test::random_homes(s, rng));
    ASSERT_TRUE(step) << step.error().what;
    const auto placement = test::random_placement(step->problem, rng);
    const auto draft = draft_plan(s.graph, s.liveness, *step, placement, {.pack_effort = 0.001});
    ASSERT_TRUE(draft) << draft.error().what;
    EXPECT_EQ(digest_of(draft->plan, setup), expected) << "seed " << seed;
  }
}

class Stop final : public Interrupt {
 public:
  [[nodiscard]] int signal() const noexcept override { return SIGINT; }
};

TEST(Executor, StopsBetweenStepsAndRefusesABrokenPlan) {
  const Bench bench;
  Rng rng(2);
  const auto trial = make_trial(bench, rng);
  const Stop stop;
  const auto setup = trial.setup(bench, stop);
  auto plan = all_fast(trial.subject);
  auto executor = Executor::make(plan, setup);
  ASSERT_TRUE(executor);
  executor->fill(1);
  const auto interrupted = executor->step();
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(interrupted.error().code, Errc::failed);
  plan.steps.pop_back();
  EXPECT_FALSE(Executor::make(plan, setup));
}

}  // namespace
}  // namespace mete
