// The agent that asks a small classifier: GEOPM's ffnet, for GPUs.
//
// A feed-forward network scores how much the present looks like each of the regions it was trained
// on; a frequency map says the best clock of each region for every phi; the decision is the mean of
// these clocks, weighted by the softmax of the scores. A step with a score that is NaN decides
// nothing: the clock stays. What differs from GEOPM is told in docs/agents/ffnet.md.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"
#include "mete/learn/ffnet.h"

namespace mete {

inline constexpr std::string_view kFfnetDescription =
    "Mixes the best clocks of known regions by a network's scores (GEOPM's ffnet)";

/// Reads the network (--model) and the frequency map (--frequency-map) if the context names them;
/// one without the other is refused. With neither, the agent can tell what it is but start()
/// refuses.
Result<std::unique_ptr<Agent>> make_ffnet_agent(const AgentContext& context);
/// With both at hand. Its signals are those that the network names, each once. Refused if the map
/// has no clock for any of the network's outputs; one that it does not name has the top clock.
Result<std::unique_ptr<Agent>> make_ffnet_agent(FeedForwardNet net, FrequencyMap map);

}  // namespace mete
