// Finds the region of interest of a trace without reading it whole: forwards to the first active
// row, backwards from the end to the last. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/dataset/trace_file.h"

namespace mete {

/// A GPU is active above this activity (core activity, or utilisation where a trace has none of
/// that): GEOPM's tutorial's figure.
inline constexpr double kActiveThreshold = 0.05;

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

/// Errors: no such file, no header, no column of activity or utilisation of GPU 0.
Result<RoiScan> scan_roi(const std::string& path);

}  // namespace mete
