// SPDX-License-Identifier: BSD-3-Clause
#include "mete/profile/charged_run.h"

#include <algorithm>

namespace mete {

SlotTraffic slot_traffic(const Graph& graph, NodeId node, const NodeSlots& slots) {
  const OperandTraffic traffic = traffic_of(graph, node);
  SlotTraffic sums{std::vector<double>(slots.groups.size(), 0),
                   std::vector<double>(slots.groups.size(), 0)};
  for (std::size_t i = 0; i < slots.of_input.size(); ++i) {
    double& read = sums.read[slots.of_input[i]];
    read = std::max(read, static_cast<double>(traffic.read[i]));
  }
  for (std::size_t i = 0; i < slots.of_output.size(); ++i) {
    double& written = sums.written[slots.of_output[i]];
    written = std::max(written, static_cast<double>(traffic.written[i]));
  }
  return sums;
}

double charge_of(const SlotTraffic& traffic, std::uint32_t slow_mask, const Tier& slow) {
  double read = 0;
  double written = 0;
  for (std::size_t slot = 0; slot < traffic.read.size(); ++slot) {
    if ((slow_mask >> slot & 1U) == 0) continue;
    read += traffic.read[slot];
    written += traffic.written[slot];
  }
  return slow.charge_seconds(read, written);
}

Result<double> run_charged(Kernel& kernel, std::span<const void* const> inputs,
                           std::span<void* const> outputs, double charge_seconds,
                           const Clock& clock) {
  const Nanoseconds begin = clock.now();
  METE_TRY_VOID(kernel.run(inputs, outputs));
  if (charge_seconds > 0) hold_until(clock.now(), charge_seconds, clock);
  return to_seconds(clock.now() - begin);
}

}  // namespace mete
