// EPOCH_COUNT: what the program under observation counts itself, with mete::progress() of its
// region marks (docs/regions.md). Outside of a run there is no such program, and the provider says
// so. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "mete/signal/provider.h"

namespace mete {

/// `epochs`: the run's count, in memory that the program shares; null outside of a run. Must
/// outlive the provider.
std::unique_ptr<Provider> make_region_provider(const std::atomic<std::uint64_t>* epochs);

}  // namespace mete
