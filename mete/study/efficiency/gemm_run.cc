// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/gemm_run.h"

#include <fmt/format.h>

namespace mete {

std::string GemmPoint::size_text() const {
  return square() ? fmt::format("{}", rows) : fmt::format("{}x{}", rows, depth);
}

double GemmPoint::operations() const {
  const auto m = static_cast<double>(rows);
  return m * m * (2.0 * static_cast<double>(depth) - 1.0);
}

}  // namespace mete
