// An agent to copy: lowers a GPU's clock while it has nothing to do. See README.md beside this
// file. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"

namespace mete {

inline constexpr std::string_view kIdleDescription = "Lowers the clock of idle GPUs";

/// Policy IDLE_BELOW: the utilisation below which a GPU counts as idle.
Result<std::unique_ptr<Agent>> make_idle_agent(const AgentContext& context);

}  // namespace mete
