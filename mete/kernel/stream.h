// Memory bandwidth by the four loops of McCalpin's STREAM (copy, scale, add, triad), on the CPU.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/interrupt.h"
#include "mete/base/result.h"

namespace mete {

struct StreamResult {
  std::string kernel;
  std::vector<double>
      bytes_per_second;  ///< one per repeat; bytes as STREAM counts them: what the loop names
};
/// Doubles of an array, and the scalar of scale and triad.
inline constexpr std::size_t kStreamLength = std::size_t{1} << 24U;
inline constexpr double kStreamScalar = 3;
/// What a, b and c hold everywhere after `repeats` of copy, scale, add, triad from a = 1, b = 2,
/// c = 0: what the judge expects, by the same four steps on one number.
struct StreamValues {
  double a = 1;
  double b = 2;
  double c = 0;
};
StreamValues stream_values(int repeats);
/// Whether an array's element is what it must be.
bool stream_agrees(double element, double expected);

/// Arrays of doubles of 128 MiB each, more than any cache; `failed` if the results are not what the
/// loops must give, `gone` if interrupted.
Result<std::vector<StreamResult>> run_stream(int threads, int repeats, const Clock& clock,
                                             const Interrupt& interrupt);

}  // namespace mete
