// Copies between pools, as the executor moves tensors. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "mete/memory/tier.h"

namespace mete {

/// Copies n bytes that do not overlap. From 1 MiB on past the caches (streaming stores), where more
/// than one of `threads` joins as each gets 4 MiB or more.
void copy_bytes(void* to, const void* from, std::size_t bytes, int threads) noexcept;

/// Seconds to wait after moving so many bytes: reading is charged by the tier they come from,
/// writing by the one they go to.
double move_charge(const Tier& from, const Tier& to, std::size_t bytes);

/// copy_bytes(), then the wait that the tiers ask for. The seconds it took.
double charged_copy(void* to, const Tier& to_tier, const void* from, const Tier& from_tier,
                    std::size_t bytes, int threads, const Clock& clock) noexcept;

}  // namespace mete
