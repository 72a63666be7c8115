// Program: what a board's GPUs run, as phases of kernels and idle gaps. The text form is described
// in docs/formats/program.md. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/provider/board/board.h"

namespace mete {

/// A kernel run again and again, or nothing for a while.
struct Phase {
  enum class Kind { kernel, idle };
  Kind kind = Kind::idle;
  std::size_t kernel = 0;  ///< place in Board::kernels; of no meaning for idle
  /// kernel: how many times it runs, not always a whole number, so that all runs take `seconds` at
  /// the top clock.
  double count = 0;
  double seconds = 0;  ///< at the board's top clock; of an idle gap, at any clock
};

struct Program {
  std::string text;  ///< as the user named it, for reports
  std::vector<Phase> phases;
  [[nodiscard]] double seconds_at_top_clock() const;
};

/// How long "NAME" without a time runs, at the top clock.
inline constexpr double kDefaultProgramSeconds = 10;

/// "KERNEL", "KERNEL:20s", or the path of a file of phases.
Result<Program> load_program(const std::string& name_or_path, const Board& board);
/// The text of a file of phases; errors name `file` and the line.
Result<Program> parse_program(std::string_view text, const std::string& file, const Board& board);

}  // namespace mete
