// What every fuzz target asks of a reader, whatever bytes it was given: an error is one fair line.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "mete/base/result.h"

namespace mete::fuzz {

/// Aborts where it does not hold: a fuzzer and a test both notice that.
inline void require(bool holds, std::string_view what = "a property of the reader") {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

/// One line that begins with `where` and blames the input, of a length that fits a terminal or two.
inline void require_fair(const Error& error, std::string_view where) {
  require(error.code == Errc::invalid, error.what);
  require(error.what.starts_with(where), error.what);
  require(error.what.find('\n') == std::string::npos, error.what);
}

}  // namespace mete::fuzz
