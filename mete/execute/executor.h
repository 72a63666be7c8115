// Runs an execution plan in pools of two tiers: kernels where their tensors lie, copies between the
// pools, and copies beside kernels on a thread for each direction. What a throttled tier takes is
// charged as the profiler charges it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/execute/execution_plan.h"
#include "mete/kernel/kernel.h"
#include "mete/memory/tier.h"

namespace mete {

/// A kernel for every node but free views. Plans of one graph share them: they run in turn.
class NodeKernels {
 public:
  /// Errors name the layer.
  static Result<NodeKernels> make(const Graph& graph, std::span<const Layout> layouts,
                                  std::span<KernelLibrary* const> libraries, int threads);
  [[nodiscard]] Kernel& of(NodeId node) const { return *kernels_[node].kernel; }
  [[nodiscard]] std::uint64_t scratch_bytes() const;

 private:
  std::vector<ChosenKernel> kernels_;
};

/// What plans run in. All outlive their executors.
struct ExecutorSetup {
  const Graph& graph;
  const Liveness& liveness;  ///< that the profile was made with: it says what a kernel is charged
  std::span<const Layout> layouts;
  const NodeKernels& kernels;
  Tier& fast;
  Tier& slow;
  int threads = 1;  ///< of copies that the step waits for
  const Clock& clock;
  const Interrupt& interrupt;
};

/// One step as it went.
struct StepTimes {
  double seconds = 0;
  std::vector<double> of_step;  ///< per step of the plan
};

/// One thread uses it.
class Executor {
 public:
  /// Asks verify() first, then takes the pools (`unavailable` if the machine cannot hold them).
  static Result<Executor> make(ExecutionPlan plan, const ExecutorSetup& setup);
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;
  ~Executor();

  /// Parameters and inputs as they are before a first step; the same seed, the same numbers.
  void fill(std::uint64_t seed);
  /// Delivers the inputs, which is not timed, then runs the plan. `failed` once interrupted: then
  /// the parameters are in the middle of a step, and fill() begins anew.
  Result<StepTimes> step();

  [[nodiscard]] const ExecutionPlan& plan() const;
  /// Of all parameters and results, byte for byte: equal work leaves equal digests.
  [[nodiscard]] std::uint64_t digest() const;
  /// The loss of the last step; NaN where the graph has none.
  [[nodiscard]] double loss() const;

 private:
  struct Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mete
