// Rows of a table by their numbers, and the update of the rows that were used: a row that was used
// more than once is updated as often. SPDX-License-Identifier: BSD-3-Clause
#include <cstring>

#include "mete/kernel/reference/reference.h"

namespace mete {
namespace {

Result<void> check_rows(std::span<const std::int64_t> rows, std::int64_t count) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= 0 && rows[i] < count) continue;
    return fail(Errc::invalid, "row {} (index {}) of a table: expected 0 to {}", rows[i], i,
                count - 1);
  }
  return {};
}

}  // namespace

Result<void> reference_embedding(const ReferenceRun& run) {
  const auto table = run.input(0);
  const auto rows = run.numbers(1);
  METE_TRY_VOID(check_rows(rows, run.in_shape(0)[0]));
  const auto width = static_cast<std::size_t>(run.in_shape(0)[1]);
  const auto y = run.output(0);
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = table[static_cast<std::size_t>(rows[i / width]) * width + i % width];
  }
  return {};
}

Result<void> reference_embedding_sgd(const ReferenceRun& run) {
  const auto dy = run.input(1);
  const auto rows = run.numbers(2);
  METE_TRY_VOID(check_rows(rows, run.in_shape(0)[0]));
  const auto width = static_cast<std::size_t>(run.in_shape(0)[1]);
  const auto table = run.output(0);
  // The table is updated where it lies; a test may give it another place.
  if (run.out[0] != run.in[0]) std::memcpy(run.out[0], run.in[0], table.size_bytes());
  for (std::size_t i = 0; i < dy.size(); ++i) {
    float& value = table[static_cast<std::size_t>(rows[i / width]) * width + i % width];
    value = rounded(double{value} - run.attributes().scale * double{dy[i]});
  }
  return {};
}

}  // namespace mete
