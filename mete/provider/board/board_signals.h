// The signals and controls of a board as a table: what the provider offers, and where each value
// comes from. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "mete/signal/info.h"

namespace mete {

enum class BoardValue {
  clock,
  power,
  energy,
  utilization,
  activity,
  lowest_clock,
  highest_clock,
  clock_step,
  min_control,
  max_control,
  kernels,
};

struct BoardSignal {
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  Aggregation aggregation;
  Behavior behavior;
  BoardValue value;
  std::size_t activity = 0;  ///< of BoardValue::activity: the place in kActivityColumns
};

inline constexpr std::string_view kMinClockControl = "GPU_CORE_FREQUENCY_MIN_CONTROL";
inline constexpr std::string_view kMaxClockControl = "GPU_CORE_FREQUENCY_MAX_CONTROL";

std::span<const BoardSignal> board_signals();

}  // namespace mete
