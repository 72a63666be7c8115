// Memory bandwidth by the four loops of McCalpin's STREAM (copy, scale, add, triad), on the CPU.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/result.h"

namespace mete {

struct StreamResult {
  std::string kernel;
  std::vector<double>
      bytes_per_second;  ///< one per repeat; bytes as STREAM counts them: what the loop names
};
/// Arrays of doubles of 128 MiB each, more than any cache; `failed` if the results are not what the
/// loops must give.
Result<std::vector<StreamResult>> run_stream(int threads, int repeats, const Clock& clock);

}  // namespace mete
