// libFuzzer's entry for one target; fuzz/CMakeLists.txt names the target's header and function.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <cstdint>
#include <string_view>

#include METE_FUZZ_HEADER

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mete::fuzz::METE_FUZZ_FUNCTION({reinterpret_cast<const char*>(data), size});
  return 0;
}
