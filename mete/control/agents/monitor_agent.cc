// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/monitor_agent.h"

#include <algorithm>
#include <limits>

namespace mete {
namespace {

class MonitorAgent final : public Agent {
 public:
  const AgentInfo& info() const override { return info_; }
  Result<void> start(std::span<const PartLimits> /*parts*/, PolicyValues policy) override {
    if (policy.empty()) return {};
    return fail(Errc::invalid, "policy: the agent monitor takes none");
  }
  void step(const Observation& /*observation*/, PolicyValues /*policy*/,
            std::span<double> decisions) noexcept override {
    std::fill(decisions.begin(), decisions.end(), std::numeric_limits<double>::quiet_NaN());
  }

 private:
  // The period of GEOPM 3's monitor agent.
  AgentInfo info_{"monitor", std::string(kMonitorDescription), {}, Domain::board, {}, "", 0.2};
};

}  // namespace

Result<std::unique_ptr<Agent>> make_monitor_agent(const AgentContext& /*context*/) {
  return std::unique_ptr<Agent>(std::make_unique<MonitorAgent>());
}

}  // namespace mete
