// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/fixed_agent.h"

#include <algorithm>
#include <limits>

#include "mete/base/text.h"
#include "mete/control/agents/steered_domain.h"
#include "mete/control/clock_choice.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

AgentInfo make_info(const SteeredKind& kind) {
  AgentInfo info;
  info.name = "fixed";
  info.description = std::string(kFixedDescription);
  info.policy = {
      {kind.field("FREQ"),
       fmt::format("clock of every {}, moved to the nearest supported one; NAN: the top clock",
                   kind.label),
       "Hz", kNan, 0, std::numeric_limits<double>::infinity()}};
  info.domain = kind.domain;
  info.control = std::string(kind.control);
  info.period_seconds = 0.05;
  info.domains = steered_domains();
  return info;
}

class FixedAgent final : public Agent {
 public:
  explicit FixedAgent(const SteeredKind& kind) : kind_(kind), info_(make_info(kind)) {}
  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    const std::string& field = info_.policy.front().name;
    if (policy.size() != 1) return fail(Errc::invalid, "policy: the agent fixed takes {}", field);
    clocks_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // The clock as an upper limit: out of the device's range is an error, between two supported
      // clocks is not.
      METE_TRY_VOID(ClockChoice::make(parts[i], i, kNan, policy[0], field, field));
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
      lines.emplace_back(fmt::format("{} {} Fixed Frequency (Hz)", kind_.label, i),
                         fmt::format("{:.16g}", clocks_[i]));
    }
    return lines;
  }

 private:
  const SteeredKind& kind_;
  AgentInfo info_;
  std::vector<double> clocks_;
};

}  // namespace

Result<std::unique_ptr<Agent>> make_fixed_agent(const AgentContext& context) {
  return std::unique_ptr<Agent>(std::make_unique<FixedAgent>(steered_kind(context.domain)));
}

}  // namespace mete
