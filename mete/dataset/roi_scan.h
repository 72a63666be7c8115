// Finds the region of interest of a trace without reading it whole: forwards to the first active
// row, backwards from the end to the last. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/dataset/trace_file.h"
#include "mete/dataset/training_kind.h"

namespace mete {

struct RoiScan {
  bool found = false;           ///< some row was active
  std::uint64_t first_row = 0;  ///< byte offset of the first active row's line
  std::uint64_t last_row = 0;   ///< .. and of the last one's
  /// The highest core clock among some active rows of the beginning and the end, Hz; NaN if
  /// unknown.
  double clock = 0;
  bool replayed = false;  ///< the trace says that a board replayed other hardware's measurements
  std::vector<TraceColumn> columns;  ///< of the trace
};

/// `similar`: the columns of another trace, which mostly has the same; saves describing them anew.
/// Errors: no such file, no header, no column of activity or utilisation of the first part.
Result<RoiScan> scan_roi(const std::string& path, const TrainingKind& kind = kGpuTraining,
                         std::span<const TraceColumn> similar = {});

}  // namespace mete
