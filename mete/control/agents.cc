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
#include "mete/control/outside_agent.h"

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

Result<std::unique_ptr<Agent>> make_for_domain(const AgentEntry& entry, std::string_view domain,
                                               AgentContext context) {
  METE_TRY(context.domain, parse_domain(domain));
  METE_TRY(auto agent, entry.make(context));
  const AgentInfo& info = agent->info();
  if (info.domain == context.domain) return agent;
  std::vector<std::string> can;
  for (const Domain one : info.domains) can.emplace_back(domain_name(one));
  if (can.empty()) can.emplace_back(domain_name(info.domain));
  return fail(Errc::invalid, "the agent {} does not steer a {}; it steers: {}", entry.name, domain,
              join(can, ", "));
}

}  // namespace

std::span<const AgentEntry> builtin_agents() { return kAgents; }

Result<std::unique_ptr<Agent>> make_agent(std::string_view name, const AgentContext& context) {
  if (names_outside_agent(name)) return make_outside_agent(name, context);
  std::vector<std::string> names;
  for (const auto& entry : kAgents) {
    if (entry.name == name) return entry.make(context);
    if (name.starts_with(entry.name) && name.substr(entry.name.size()).starts_with('@')) {
      return make_for_domain(entry, name.substr(entry.name.size() + 1), context);
    }
    names.emplace_back(entry.name);
  }
  auto hint = did_you_mean(name, names);
  if (hint.empty()) hint = "; there are " + join(names, ", ") + ", FILE.py:CLASS and FILE.so";
  return fail(Errc::invalid, "unknown agent '{}'{}", name, hint);
}

}  // namespace mete
