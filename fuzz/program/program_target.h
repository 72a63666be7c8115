// What any bytes must do in the reader of board programs: be refused in one line that names the
// file, or give a bounded list of phases. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <string_view>

#include "fuzz/check.h"

#include "mete/provider/board/program.h"

namespace mete::fuzz {

inline const Board& program_board() {
  static const Board kBoard = [] {
    Board board;
    board.clocks = {1e9, 2e9};
    for (const auto* name : {"k", "gemm-float-1024", "a/b"}) {
      board.kernels.push_back({name, "", {{0.002, 50, {}}, {0.001, 90, {}}}});
    }
    return board;
  }();
  return kBoard;
}

inline void program_target(std::string_view bytes) {
  const auto program = parse_program(bytes, "file", program_board());
  if (!program) {
    require_fair(program.error(), "file");
    return;
  }
  require(!program->phases.empty() && program->phases.size() <= 100'000, "1 to 100,000 phases");
  for (const Phase& phase : program->phases) {
    require(phase.seconds > 0 && phase.seconds <= 1e6, "a time above 0");
    if (phase.kind == Phase::Kind::kernel) {
      require(phase.kernel < program_board().kernels.size() && phase.count > 0, "a kernel");
    }
  }
  require(program->seconds_at_top_clock() <= 1.01e6, "a bounded time");
}

}  // namespace mete::fuzz
