// SPDX-License-Identifier: BSD-3-Clause
#include "mete/execute/executor.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "mete/execute/copy_engine.h"
#include "mete/kernel/initial_values.h"
#include "mete/memory/copy.h"
#include "mete/profile/charged_run.h"

namespace mete {

Result<NodeKernels> NodeKernels::make(const Graph& graph, std::span<const Layout> layouts,
                                      std::span<KernelLibrary* const> libraries, int threads) {
  NodeKernels out;
  for (NodeId n = 0; n < graph.nodes.size(); ++n) {
    if (is_free_view(graph, n, layouts)) {
      out.kernels_.emplace_back();
      continue;
    }
    auto chosen = choose_kernel(libraries, job_of(graph, n, layouts, threads));
    if (!chosen) return chosen.error().within(graph.layers[graph.nodes[n].layer].name);
    out.kernels_.push_back(std::move(*chosen));
  }
  return out;
}

std::uint64_t NodeKernels::scratch_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& chosen : kernels_) sum += chosen.kernel ? chosen.kernel->scratch_bytes() : 0;
  return sum;
}

namespace {

/// A step of the plan with everything looked up that would cost time in it.
struct ReadyStep {
  StepKind kind = StepKind::run;
  Kernel* kernel = nullptr;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  double charge_seconds = 0;
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
  std::size_t bytes = 0;
  bool to_fast = false;
  bool from_fast = false;
};

constexpr std::uint64_t kHashStart = 0xCBF29CE484222325ULL;  // FNV-1a, eight bytes at a time
constexpr std::uint64_t kHashPrime = 0x100000001B3ULL;

std::uint64_t hash_bytes(std::uint64_t hash, const std::byte* data, std::size_t bytes) {
  std::size_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + at, 8);
    hash = (hash ^ word) * kHashPrime;
    hash ^= hash >> 29U;
  }
  for (; at < bytes; ++at) hash = (hash ^ static_cast<std::uint64_t>(data[at])) * kHashPrime;
  return hash;
}

}  // namespace

struct Executor::Impl {
  Impl(ExecutionPlan given, const ExecutorSetup& s)
      : plan(std::move(given)),
        setup(s),
        to_slow(s.fast, s.slow, s.clock),
        to_fast(s.slow, s.fast, s.clock) {}

  [[nodiscard]] std::byte* at(PoolPlace place) const {
    return (place.fast ? fast : slow)->data() + place.offset;
  }
  [[nodiscard]] const Tier& tier(bool is_fast) const { return is_fast ? setup.fast : setup.slow; }
  [[nodiscard]] const Tensor& tensor(TensorId id) const { return setup.graph.tensors[id]; }

  /// What the slow operands of a step are charged.
  [[nodiscard]] double charge(const PlanStep& step) const {
    const NodeSlots slots = slots_of(setup.graph, setup.liveness, step.node);
    std::uint32_t mask = 0;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (!step.inputs[i].fast) mask |= 1U << slots.of_input[i];
    }
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      if (!step.outputs[i].fast) mask |= 1U << slots.of_output[i];
    }
    const SlotTraffic traffic = slot_traffic(setup.graph, step.node, slots);
    return charge_of(traffic, mask, setup.slow) +
           charge_of(traffic, ~mask & ((1U << slots.groups.size()) - 1), setup.fast);
  }

  void prepare() {
    for (const auto& step : plan.steps) {
      ReadyStep ready;
      ready.kind = step.kind;
      if (step.kind == StepKind::run) {
        ready.kernel = &setup.kernels.of(step.node);
        for (const auto& place : step.inputs) ready.inputs.push_back(at(place));
        for (const auto& place : step.outputs) ready.outputs.push_back(at(place));
        ready.charge_seconds = charge(step);
      } else if (step.kind != StepKind::wait) {
        ready.from = at(step.from);
        ready.to = at(step.to);
        ready.bytes = step.bytes;
        ready.from_fast = step.from.fast;
        ready.to_fast = step.to.fast;
      }
      steps.push_back(std::move(ready));
    }
  }

  Result<void> run(ReadyStep& step) {
    switch (step.kind) {
      case StepKind::run: {
        const auto done =
            run_charged(*step.kernel, step.inputs, step.outputs, step.charge_seconds, setup.clock);
        if (!done) return done.error();
        return {};
      }
      case StepKind::copy:
        charged_copy(step.to, tier(step.to_fast), step.from, tier(step.from_fast), step.bytes,
                     setup.threads, setup.clock);
        return {};
      case StepKind::begin:
        (step.to_fast ? to_fast : to_slow).begin(step.to, step.from, step.bytes);
        return {};
      case StepKind::wait:
        wait();
        return {};
    }
    return {};
  }

  void wait() {
    to_fast.wait();
    to_slow.wait();
  }

  Result<StepTimes> run_all() {
    StepTimes times;
    times.of_step.reserve(steps.size());
    const Nanoseconds began = setup.clock.now();
    Nanoseconds last = began;
    for (auto& step : steps) {
      if (setup.interrupt.signal() != 0) return fail(Errc::failed, "interrupted");
      METE_TRY_VOID(run(step));
      const Nanoseconds now = setup.clock.now();
      times.of_step.push_back(to_seconds(now - last));
      last = now;
    }
    times.seconds = to_seconds(last - began);
    return times;
  }

  struct Delivery {
    std::byte* to = nullptr;
    std::vector<std::byte> bytes;
  };

  ExecutionPlan plan;
  ExecutorSetup setup;
  std::unique_ptr<Pool> fast;
  std::unique_ptr<Pool> slow;
  std::vector<ReadyStep> steps;
  std::vector<Delivery> inputs;
  CopyEngine to_slow;
  CopyEngine to_fast;
};

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;
Executor::~Executor() = default;

Result<Executor> Executor::make(ExecutionPlan plan, const ExecutorSetup& setup) {
  METE_TRY_VOID(verify(plan, setup.graph, setup.layouts));
  auto impl = std::make_unique<Impl>(std::move(plan), setup);
  // A plan that uses one memory only still gets an address in the other.
  METE_TRY(impl->fast, setup.fast.make_pool(std::max<std::size_t>(impl->plan.fast_bytes, 64)));
  METE_TRY(impl->slow, setup.slow.make_pool(std::max<std::size_t>(impl->plan.slow_bytes, 64)));
  impl->prepare();
  return Executor(std::move(impl));
}

void Executor::fill(std::uint64_t seed) {
  const Rng rng(seed);
  impl_->inputs.clear();
  for (const auto& held : impl_->plan.begins) {
    const Tensor& tensor = impl_->tensor(held.tensor);
    std::vector<std::int64_t> plain((tensor.bytes() + 7) / 8);
    fill_initial(impl_->setup.graph, held.tensor, plain.data(), rng.fork(held.tensor));
    std::byte* const to = impl_->at(held.place);
    convert_layout(tensor.type, plain.data(), Layout::plain, to, impl_->setup.layouts[held.tensor]);
    if (tensor.role == TensorRole::input) {
      impl_->inputs.push_back({to, std::vector<std::byte>(to, to + tensor.bytes())});
    }
  }
}

Result<StepTimes> Executor::step() {
  for (const auto& input : impl_->inputs) {
    std::memcpy(input.to, input.bytes.data(), input.bytes.size());
  }
  auto times = impl_->run_all();
  impl_->wait();
  return times;
}

const ExecutionPlan& Executor::plan() const { return impl_->plan; }

std::uint64_t Executor::digest() const {
  std::vector<HeldTensor> all;
  for (const auto& held : impl_->plan.begins) {
    if (impl_->tensor(held.tensor).role == TensorRole::parameter) all.push_back(held);
  }
  all.insert(all.end(), impl_->plan.results.begin(), impl_->plan.results.end());
  std::sort(all.begin(), all.end(),
            [](const HeldTensor& a, const HeldTensor& b) { return a.tensor < b.tensor; });
  std::uint64_t hash = kHashStart;
  for (const auto& held : all) {
    hash = hash_bytes((hash ^ held.tensor) * kHashPrime, impl_->at(held.place),
                      impl_->tensor(held.tensor).bytes());
  }
  return hash;
}

double Executor::loss() const {
  for (const auto& held : impl_->plan.results) {
    if (held.tensor != impl_->setup.graph.loss) continue;
    float value = 0;
    if (impl_->tensor(held.tensor).bytes() != sizeof(value)) break;
    std::memcpy(&value, impl_->at(held.place), sizeof(value));
    return static_cast<double>(value);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace mete
