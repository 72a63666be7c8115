// What any bytes must do in the reader of boards: be refused in one line that names the file, or
// give a board that can be run at every clock. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <string_view>

#include "fuzz/check.h"

#include "mete/provider/board/board.h"

namespace mete::fuzz {

inline void require_usable(const OperatingPoint& point) {
  require(std::isfinite(point.seconds) && point.seconds > 0, "a time above 0");
  require(std::isfinite(point.watts) && point.watts > 0, "a power above 0");
  for (const double a : point.activities) require(a >= 0 && a <= 1, "an activity of 0 to 1");
}

inline void board_target(std::string_view bytes) {
  const auto board = parse_board(bytes, "fuzzed", "file");
  if (!board) {
    require_fair(board.error(), "file");
    return;
  }
  const auto& clocks = board->clocks;
  require(clocks.size() >= 2, "two clocks");
  for (std::size_t c = 1; c < clocks.size(); ++c) require(clocks[c] > clocks[c - 1], "ascending");
  require(!board->kernels.empty(), "a kernel");
  require(board->lowest_watts() > 0, "a power above 0");
  for (std::size_t k = 0; k < board->kernels.size(); ++k) {
    const BoardKernel& kernel = board->kernels[k];
    const auto found = board->find_kernel(kernel.name);
    require(found && *found == k, "a kernel is found by its own name");
    require(kernel.points.size() == clocks.size(), "a point per clock");
    for (std::size_t c = 0; c < clocks.size(); ++c) {
      require_usable(kernel.points[c]);
      require(board->at(k, clocks[c]).seconds == kernel.points[c].seconds, "as measured");
      require_usable(board->at(k, clocks[c] + 1e3));
    }
    for (const double hertz : {0.0, -1.0, 1e300, std::numeric_limits<double>::infinity()}) {
      require_usable(board->at(k, hertz));
    }
  }
  for (const auto& note : board->notes) require(note.find('\n') == std::string::npos, note);
}

}  // namespace mete::fuzz
