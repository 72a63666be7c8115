// The agent that only watches: every run without an agent of its own has this one.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"

namespace mete {

inline constexpr std::string_view kMonitorDescription = "Watches, and changes nothing";

/// Takes no policy and no model.
Result<std::unique_ptr<Agent>> make_monitor_agent(const AgentContext& context);

}  // namespace mete
