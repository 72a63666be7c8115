// How often this thread took memory: operator new counts.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace mete::test {

/// Calls of operator new by this thread so far.
std::size_t allocations() noexcept;

}  // namespace mete::test
