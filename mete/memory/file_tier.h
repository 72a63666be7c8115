// Tiers whose pools are mapped files: persistent memory, and files through the page cache.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/memory/tier.h"

namespace mete {

/// For TierKind::dax and TierKind::file: see open_tier().
Result<std::unique_ptr<Tier>> open_file_tier(const TierSpec& spec, const SysRoot& sys);

}  // namespace mete
