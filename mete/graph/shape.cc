// SPDX-License-Identifier: BSD-3-Clause
#include "mete/graph/shape.h"

#include <fmt/format.h>

namespace mete {

std::uint64_t plus(std::uint64_t a, std::uint64_t b) { return a > kTooMany - b ? kTooMany : a + b; }

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return 0;
  return a > kTooMany / b ? kTooMany : a * b;
}

std::uint64_t bytes_of(DataType type) { return type == DataType::i64 ? 8 : 4; }

std::string_view data_type_name(DataType type) { return type == DataType::i64 ? "i64" : "f32"; }

std::uint64_t Shape::elements() const {
  std::uint64_t count = 1;
  for (const auto size : dims_)
    count = size > 0 ? times(count, static_cast<std::uint64_t>(size)) : 0;
  return count;
}

std::string Shape::text() const {
  return dims_.empty() ? "scalar" : fmt::format("{}", fmt::join(dims_, "x"));
}

}  // namespace mete
