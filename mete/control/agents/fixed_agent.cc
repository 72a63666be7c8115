// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/fixed_agent.h"

#include <algorithm>
#include <limits>

#include "mete/base/text.h"
#include "mete/control/clock_choice.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

AgentInfo make_info() {
  return {.name = "fixed",
          .description = std::string(kFixedDescription),
          .policy = {{"GPU_FREQ",
                      "clock of every GPU, moved to the nearest supported one; NAN: the top clock",
                      "Hz", kNan, 0, std::numeric_limits<double>::infinity()}},
          .domain = Domain::gpu,
          .signals = {},
          .control = "GPU_CORE_FREQUENCY_MAX_CONTROL",
          .period_seconds = 0.05};
}

class FixedAgent final : public Agent {
 public:
  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    if (policy.size() != 1) return fail(Errc::invalid, "policy: the agent fixed takes GPU_FREQ");
    clocks_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // The clock as an upper limit: out of the device's range is an error, between two supported
      // clocks is not.
      METE_TRY_VOID(ClockChoice::make(parts[i], i, kNan, policy[0], "GPU_FREQ", "GPU_FREQ"));
      METE_TRY(const auto any, ClockChoice::make(parts[i], i, kNan, kNan, "", ""));
      clocks_.push_back(any.nearest(policy[0]));
    }
    return {};
  }

  void step(const Observation& /*observation*/, PolicyValues /*policy*/,
            std::span<double> decisions) noexcept override {
    const std::size_t n = std::min(decisions.size(), clocks_.size());
    for (std::size_t i = 0; i < n; ++i) decisions[i] = clocks_[i];
  }

  std::vector<std::pair<std::string, std::string>> report_lines() const override {
    std::vector<std::pair<std::string, std::string>> lines;
    for (std::size_t i = 0; i < clocks_.size(); ++i) {
      lines.emplace_back(fmt::format("GPU {} Fixed Frequency (Hz)", i),
                         fmt::format("{:.16g}", clocks_[i]));
    }
    return lines;
  }

 private:
  AgentInfo info_ = make_info();
  std::vector<double> clocks_;
};

}  // namespace

Result<std::unique_ptr<Agent>> make_fixed_agent(const AgentContext& /*context*/) {
  return std::unique_ptr<Agent>(std::make_unique<FixedAgent>());
}

}  // namespace mete
