// What makes two kernels the same to a profile, in words. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/kernel/kernel.h"
#include "mete/profile/profile.h"

namespace mete {

/// Op, all attributes that differ from the defaults, type and layout of each operand with its
/// slot, and which slots are warm:
/// "conv pad=1,1,1,1 (f32 16x64x56x56 blocked @0 warm, f32 .. @1) -> (f32 .. @2)".
/// Threads are of the environment.
std::string kernel_key(const KernelJob& job, const NodeSlots& slots, const std::vector<bool>& warm);

/// Per slot of each node: whether what it reads was touched so shortly before that half a cache of
/// `cache_bytes` still holds it. What a node only writes is not warm.
std::vector<std::vector<bool>> warm_slots(const Graph& graph, const Liveness& liveness,
                                          const std::vector<NodeSlots>& slots,
                                          std::uint64_t cache_bytes);

}  // namespace mete
