// TIME: seconds since an origin, from whatever clock the session runs by.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/clock.h"
#include "mete/signal/provider.h"

namespace mete {

/// TIME is 0 when `clock` says `origin`: pass clock.now() to count from here. The clock must
/// outlive the provider.
std::unique_ptr<Provider> make_time_provider(const Clock& clock, Nanoseconds origin);

}  // namespace mete
