// The agent that measures what each clock does to the program as it runs, and settles on the clock
// that serves the owner's goal best. It is given signals, the supported clocks and a model of how
// work in general answers to the clock (mete/learn/response_model.h); it knows no device's answers.
//
// How it sees, decides and waits is described in docs/agents/frontier.md; dwell and dead band are
// the constants of frontier_part.h and frontier_sight.h.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"
#include "mete/learn/response_model.h"

namespace mete {

inline constexpr std::string_view kFrontierDescription =
    "Tries clocks as the program runs, and keeps the best for GPU_PHI or MAX_SLOWDOWN "
    "(frontier@package: of the CPUs)";
/// Of more supported clocks, so many evenly spread ones may be chosen.
inline constexpr std::size_t kMostClocks = 128;

/// Policy GPU_PHI (frontier@package: CPU_PHI) or MAX_SLOWDOWN; neither: a phi of 0.5. The model is
/// the context's, else the file that it names, else the generic one.
Result<std::unique_ptr<Agent>> make_frontier_agent(const AgentContext& context);

}  // namespace mete
