// The agent that holds every GPU at one clock: the baseline that a learned agent must beat.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"

namespace mete {

inline constexpr std::string_view kFixedDescription = "Holds every GPU at one clock";

/// Policy GPU_FREQ in Hz, moved to the nearest clock that the device supports; NaN: its top clock.
Result<std::unique_ptr<Agent>> make_fixed_agent(const AgentContext& context);

}  // namespace mete
