// EPOCH_COUNT and REGION_COUNT: what the program under observation tells of itself, with
// mete::progress() and its region marks (docs/regions.md). Outside of a run there is no such
// program, and the provider says so. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/signal/program_counts.h"
#include "mete/signal/provider.h"

namespace mete {

/// `counts`: the run's; null outside of a run. Must outlive the provider.
std::unique_ptr<Provider> make_region_provider(const ProgramCounts* counts);

}  // namespace mete
