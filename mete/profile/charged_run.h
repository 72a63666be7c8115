// One run of a kernel, with what its slow tier adds: the profiler and the executor both run kernels
// through this, so that what one measures is what the other does. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"
#include "mete/kernel/kernel.h"
#include "mete/memory/tier.h"
#include "mete/profile/profile.h"

namespace mete {

/// Bytes that a run of a node reads and writes of each of its slots. A piece of memory that is read
/// through several inputs is read once: the rest comes from the cache.
struct SlotTraffic {
  std::vector<double> read;
  std::vector<double> written;
};
SlotTraffic slot_traffic(const Graph& graph, NodeId node, const NodeSlots& slots);

/// What the tier adds to a run of which the slots of the mask lie in it.
double charge_of(const SlotTraffic& traffic, std::uint32_t slow_mask, const Tier& slow);

/// Runs the kernel, then waits for `charge_seconds`. How long both took together.
Result<double> run_charged(Kernel& kernel, std::span<const void* const> inputs,
                           std::span<void* const> outputs, double charge_seconds,
                           const Clock& clock);

}  // namespace mete
