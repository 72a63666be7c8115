// The agent that follows the core activity: GEOPM's gpu_activity, which needs no model.
//
// From its efficient clock Fe to its top clock Fmax, a GPU gets as much of the range as its cores
// were active while it was in use:
//   range   phi > 0.5: the top comes down, to Fe at phi = 1; phi < 0.5: the bottom goes up, to Fmax
//           at phi = 0; phi = 0.5: all of it
//   clock   bottom + (top - bottom) · activity / utilisation (both at most 1; utilisation 0 or
//           missing: activity alone), clamped to the range; activity missing: the top
// Source: GEOPM 3.1, GPUActivityAgent.cpp. What differs here is told in
// docs/agents/gpu-activity.md. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <string_view>

#include "mete/control/agent.h"

namespace mete {

inline constexpr std::string_view kGpuActivityDescription =
    "Gives every GPU clock as its cores are active (GEOPM's gpu_activity)";

/// The clocks between which a GPU is steered, Hz: GEOPM's "resolved" frequencies.
struct ActivityRange {
  double efficient = 0;
  double max = 0;
};

/// `efficient` ≤ `max`. phi NaN: 0.5.
ActivityRange resolve_activity_range(double efficient, double max, double phi) noexcept;

struct ActivityClock {
  double clock = 0;      ///< Hz, in the range
  bool clipped = false;  ///< the formula gave a clock outside the range
};
ActivityClock activity_clock(const ActivityRange& range, double core_activity,
                             double utilization) noexcept;

/// Policy GPU_PHI, and GPU_FREQ_EFFICIENT in Hz (NaN: the middle of the device's range).
Result<std::unique_ptr<Agent>> make_gpu_activity_agent(const AgentContext& context);

}  // namespace mete
