// The checks that every provider makes of a request, so that all refuse alike and with the same
// words. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

#include "mete/signal/provider.h"

namespace mete {

/// The row of `info` that the request names. `parts` is how many parts the provider knows of the
/// request's domain. Errc::invalid for an unknown name, for another domain than the native one and
/// for an index out of range; the error says what there is.
Result<std::size_t> find_signal(const ProviderInfo& info, const Request& request, int parts);
Result<std::size_t> find_control(const ProviderInfo& info, const Request& request, int parts);

}  // namespace mete
