// libFuzzer's entry for the reader of ffnet's files. With clang, from the project's root:
//
//   clang++ -std=c++20 -g -O1 -I. -fsanitize=fuzzer,address,undefined -DFMT_HEADER_ONLY
//     fuzz/ffnet/ffnet_fuzz.cc mete/learn/ffnet.cc mete/learn/ffnet_reader.cc mete/base/json.cc
//     mete/base/files.cc mete/base/text.cc mete/base/result.cc -o /tmp/ffnet_fuzz
//   /tmp/ffnet_fuzz -max_total_time=600 /tmp/new_inputs fuzz/ffnet/corpus
//
// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/ffnet/ffnet_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mete::fuzz::ffnet_target({reinterpret_cast<const char*>(data), size});
  return 0;
}
