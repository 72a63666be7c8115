// Questions to a kernel's table of times. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "mete/placement/problem.h"

namespace mete {

/// The slots of a full table that can never be slow: every mask with them is kCannotRun.
inline std::uint32_t forced_slots(const ProblemKernel& kernel) {
  std::uint32_t possible = 0;
  for (std::uint32_t mask = 0; mask < kernel.seconds.size(); ++mask) {
    if (kernel.seconds[mask] != kCannotRun) possible |= mask;
  }
  return static_cast<std::uint32_t>((std::uint64_t{1} << kernel.tensors.size()) - 1) & ~possible;
}

}  // namespace mete
