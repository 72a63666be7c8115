// SPDX-License-Identifier: BSD-3-Clause
#include "templates/agent/idle_agent.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "mete/control/clock_choice.h"

namespace mete {
namespace {

// 1. Say what the agent takes, sees and sets. Signals are the columns of an observation's rows.
AgentInfo make_info() {
  return {.name = "idle",
          .description = std::string(kIdleDescription),
          .policy = {{"IDLE_BELOW", "utilisation below which a GPU is idle", "1", 0.05, 0, 1}},
          .domain = Domain::gpu,
          .signals = {"GPU_UTILIZATION"},
          .control = "GPU_CORE_FREQUENCY_MAX_CONTROL",
          .period_seconds = 0.1};
}

/// A pause shorter than this many steps is not worth a clock switch.
constexpr int kPatience = 3;

class IdleAgent final : public Agent {
 public:
  const AgentInfo& info() const override { return info_; }

  // 2. Check the policy, and take all the memory that step() will need. May be called again.
  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    if (policy.size() != info_.policy.size()) {
      return fail(Errc::invalid, "policy: the agent idle takes IDLE_BELOW");
    }
    gpus_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      METE_TRY(auto choice, ClockChoice::make(parts[i], i, NAN, NAN, "", ""));
      gpus_.push_back({std::move(choice), 0});
    }
    return {};
  }

  // 3. Decide: no clock, no I/O, no memory, no exception. A value that is missing is NaN.
  void step(const Observation& observation, PolicyValues policy,
            std::span<double> decisions) noexcept override {
    const std::size_t n = std::min({observation.parts, gpus_.size(), decisions.size()});
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = observation.row(i);
      const bool idle = !row.empty() && row[0] < policy[0];  // false for NaN: do not slow it
      gpus_[i].idle_steps = idle ? std::min(gpus_[i].idle_steps + 1, kPatience) : 0;
      const auto& choice = gpus_[i].choice;
      decisions[i] = gpus_[i].idle_steps >= kPatience ? choice.bottom() : choice.top();
    }
  }

 private:
  struct Gpu {
    ClockChoice choice;
    int idle_steps = 0;
  };
  AgentInfo info_ = make_info();
  std::vector<Gpu> gpus_;
};

}  // namespace

Result<std::unique_ptr<Agent>> make_idle_agent(const AgentContext& /*context*/) {
  return std::unique_ptr<Agent>(std::make_unique<IdleAgent>());
}

}  // namespace mete
