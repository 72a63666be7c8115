// The agent that asks a clock model: the tutorial's gpu_torch agent, with what that one lacks.
// torch@package does the same for CPU packages, with the rows of kCpuClockModelFeatures.
//
// Every step, all GPUs' rows [core clock (Hz), power (W), utilisation, core activity, memory
// activity, phi] go through the model in one call; its output in GHz becomes a clock. Then
//   limits      clamped to [GPU_FREQ_MIN, GPU_FREQ_MAX], moved to the nearest supported clock;
//   no answer   a row with a missing value, or an output that is NaN, means the top clock, at once:
//               a workload that cannot be seen must not be slowed;
//   dead band   a clock within 1 % of the range between the lowest and the highest choice is not
//               worth a switch; a farther one is taken once kPersistence steps running have wanted
//               to go that way.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"
#include "mete/learn/model.h"

namespace mete {

inline constexpr std::string_view kTorchDescription =
    "Chooses every GPU's clock (torch@package: CPU's) with a TorchScript model (--model)";
inline constexpr double kDeadBandShare = 0.01;
inline constexpr int kPersistence = 2;

/// Loads the model if the context names one. Without, the agent can tell what it is but start()
/// refuses.
Result<std::unique_ptr<Agent>> make_torch_agent(const AgentContext& context);
/// With any model: for tests, and for programs that bring their own.
std::unique_ptr<Agent> make_model_agent(std::unique_ptr<Model> model, Domain domain = Domain::gpu);

}  // namespace mete
