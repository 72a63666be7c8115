// The built-in agents. To add one: its header here, and a line in kAgents.
// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include "mete/base/text.h"
#include "mete/control/agent.h"
#include "mete/control/agents/ffnet_agent.h"
#include "mete/control/agents/fixed_agent.h"
#include "mete/control/agents/frontier_agent.h"
#include "mete/control/agents/gpu_activity_agent.h"
#include "mete/control/agents/monitor_agent.h"
#include "mete/control/agents/torch_agent.h"

namespace mete {
namespace {

constexpr std::array<AgentEntry, 6> kAgents{{
    {"monitor", kMonitorDescription, make_monitor_agent},
    {"fixed", kFixedDescription, make_fixed_agent},
    {"torch", kTorchDescription, make_torch_agent},
    {"gpu_activity", kGpuActivityDescription, make_gpu_activity_agent},
    {"ffnet", kFfnetDescription, make_ffnet_agent},
    {"frontier", kFrontierDescription, make_frontier_agent},
}};

}  // namespace

std::span<const AgentEntry> builtin_agents() { return kAgents; }

Result<std::unique_ptr<Agent>> make_agent(std::string_view name, const AgentContext& context) {
  std::vector<std::string> names;
  for (const auto& entry : kAgents) {
    if (entry.name == name) return entry.make(context);
    names.emplace_back(entry.name);
  }
  auto hint = did_you_mean(name, names);
  if (hint.empty()) hint = "; there are " + join(names, ", ");
  return fail(Errc::invalid, "unknown agent '{}'{}", name, hint);
}

}  // namespace mete
