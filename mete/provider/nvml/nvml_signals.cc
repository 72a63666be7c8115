// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_signals.h"

#include <array>

namespace mete {
namespace {

using enum Aggregation;
using enum Behavior;
using enum Source;

constexpr std::array<NvmlSignal, 17> kSignals{{
    {"GPU_CORE_FREQUENCY_STATUS", "core clock (SM) at this moment", "Hz", average, variable,
     sampled, NvmlValue::core_clock, 100},
    {"GPU_UNCORE_FREQUENCY_STATUS", "clock of the device memory at this moment", "Hz", average,
     variable, sampled, NvmlValue::memory_clock, 100},
    {"GPU_POWER", "power of the whole board, as nvmlDeviceGetPowerUsage tells it", "W", sum,
     variable, sampled, NvmlValue::power, 20},
    {"GPU_POWER_INSTANT", "power of the whole board at this moment (POWER_INSTANT)", "W", sum,
     variable, sampled, NvmlValue::power_instant, 20},
    {"GPU_POWER_AVERAGE", "power of the whole board, mean of the last second (POWER_AVERAGE)", "W",
     sum, variable, sampled, NvmlValue::power_average, 100},
    {"GPU_ENERGY", "energy since the driver was loaded, as the GPU counts it", "J", sum, monotone,
     counter, NvmlValue::energy, 20},
    {"GPU_ENERGY_INTEGRATED",
     "energy since the first reading, integrated from the driver's buffer of power samples", "J",
     sum, monotone, integrated, NvmlValue::energy_integrated, 100},
    {"GPU_ENERGY_CHECK",
     "energy counter against integrated power: 0 too early to tell, 1 they agree, 2 they do not",
     "", max, label, integrated, NvmlValue::energy_check, 100, Format::integer},
    {"GPU_UTILIZATION", "part of the driver's last sample period in which a kernel ran", "1",
     average, variable, sampled, NvmlValue::utilization, 100},
    {"GPU_MEMORY_USED", "device memory in use", "B", sum, variable, sampled, NvmlValue::memory_used,
     100},
    {"GPU_MEMORY_TOTAL", "device memory", "B", sum, constant, sampled, NvmlValue::memory_total, 0},
    {"GPU_TEMPERATURE", "temperature of the chip", "°C", average, variable, sampled,
     NvmlValue::temperature, 500},
    {"GPU_CLOCK_REASONS",
     "why the clocks are not higher: NVML's bits (1 idle, 2 set by a user, 4 power cap, 8 hardware "
     "slowdown, 0x20 and 0x40 heat, 0x80 power brake)",
     "", integer_bitwise_or, label, sampled, NvmlValue::clock_reasons, 100, Format::hex},
    {"GPU_CORE_FREQUENCY_MIN_AVAIL", "lowest core clock that can be set", "Hz", expect_same,
     constant, sampled, NvmlValue::lowest_clock, 0},
    {"GPU_CORE_FREQUENCY_MAX_AVAIL", "highest core clock that can be set", "Hz", expect_same,
     constant, sampled, NvmlValue::highest_clock, 0},
    {"GPU_CORE_FREQUENCY_STEP", "mean step between core clocks that can be set", "Hz", expect_same,
     constant, sampled, NvmlValue::clock_step, 0},
    {kGpuPowerLimitControl, "present power limit", "W", sum, variable, sampled,
     NvmlValue::power_limit, 500},
}};

}  // namespace

SignalInfo NvmlSignal::info() const {
  return {name, description, unit, Domain::gpu, aggregation, behavior, source, format};
}

std::span<const NvmlSignal> nvml_signals() { return kSignals; }

}  // namespace mete
