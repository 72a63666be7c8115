// operator new of the measure tests. A file of its own: where the compiler sees its body, it takes
// free() for a mistake. SPDX-License-Identifier: BSD-3-Clause
#include <cstdlib>
#include <new>

#include "mete/measure/allocations_test_support.h"

namespace {
thread_local std::size_t g_count = 0;
}

std::size_t mete::test::allocations() noexcept { return g_count; }

void* operator new(std::size_t size) {
  ++g_count;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++g_count;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t /*size*/) noexcept { std::free(p); }
