// The agent that holds every GPU (or, as fixed@package, every CPU package) at one clock: the
// baseline that a learned agent must beat.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"

namespace mete {

inline constexpr std::string_view kFixedDescription =
    "Holds every GPU at one clock (fixed@package: every CPU)";

/// Policy GPU_FREQ (CPU_FREQ) in Hz, moved to the nearest clock that the device supports; NaN: its
/// top clock.
Result<std::unique_ptr<Agent>> make_fixed_agent(const AgentContext& context);

}  // namespace mete
