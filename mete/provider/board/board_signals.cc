// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/board_signals.h"

#include <array>

namespace mete {
namespace {

using enum Aggregation;
using enum Behavior;

constexpr std::array<BoardSignal, 17> kSignals{{
    {"GPU_CORE_FREQUENCY_STATUS", "core clock at this moment", "Hz", average, variable,
     BoardValue::clock},
    {"GPU_POWER", "power as the board's sensor shows it", "W", sum, variable, BoardValue::power},
    {"GPU_ENERGY", "energy used since the machine was made, the integral of power", "J", sum,
     monotone, BoardValue::energy},
    {"GPU_UTILIZATION", "part of the time since the last read in which a kernel ran", "1", average,
     variable, BoardValue::utilization},
    {"GPU_CORE_ACTIVITY", "part of the time in which a multiprocessor was busy (DCGM SM_ACTIVE)",
     "1", average, variable, BoardValue::activity, 0},
    {"GPU_UNCORE_ACTIVITY", "part of the time in which device memory was busy (DCGM DRAM_ACTIVE)",
     "1", average, variable, BoardValue::activity, 2},
    {"GPU_SM_OCCUPANCY", "resident warps, of the most possible (DCGM SM_OCCUPANCY)", "1", average,
     variable, BoardValue::activity, 1},
    {"GPU_FP16_ACTIVITY", "part of the time in which the FP16 pipe was busy", "1", average,
     variable, BoardValue::activity, 3},
    {"GPU_FP32_ACTIVITY", "part of the time in which the FP32 pipe was busy", "1", average,
     variable, BoardValue::activity, 4},
    {"GPU_FP64_ACTIVITY", "part of the time in which the FP64 pipe was busy", "1", average,
     variable, BoardValue::activity, 5},
    {"GPU_TENSOR_ACTIVITY", "part of the time in which the tensor pipe was busy", "1", average,
     variable, BoardValue::activity, 6},
    {"GPU_CORE_FREQUENCY_MIN_AVAIL", "lowest core clock that can be set", "Hz", expect_same,
     constant, BoardValue::lowest_clock},
    {"GPU_CORE_FREQUENCY_MAX_AVAIL", "highest core clock that can be set", "Hz", expect_same,
     constant, BoardValue::highest_clock},
    {"GPU_CORE_FREQUENCY_STEP", "mean step between core clocks that can be set", "Hz", expect_same,
     constant, BoardValue::clock_step},
    {kMinClockControl, "lower end of the core clock range last asked for", "Hz", expect_same,
     variable, BoardValue::min_control},
    {kMaxClockControl, "upper end of the core clock range last asked for", "Hz", expect_same,
     variable, BoardValue::max_control},
    {"BOARD_KERNELS_COMPLETED",
     "kernels completed since the machine was made, with the part of the present one", "", sum,
     monotone, BoardValue::kernels},
}};

}  // namespace

std::span<const BoardSignal> board_signals() { return kSignals; }

}  // namespace mete
