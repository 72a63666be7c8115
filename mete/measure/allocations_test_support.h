// How often this thread took memory: the test program counts in operator new.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace mete::test {

std::size_t allocations() noexcept;

}  // namespace mete::test
