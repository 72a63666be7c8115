// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/board_truth.h"

namespace mete {

MeasuredKernel program_truth(const Program& program, const Board& board,
                             const MachineOptions& machine) {
  const double idle = machine.idle_power.value_or(board.lowest_watts());
  MeasuredKernel truth{program.text, board.clocks, {}, {}};
  for (const double clock : board.clocks) {
    double seconds = 0;
    double joules = 0;
    for (const Phase& phase : program.phases) {
      if (phase.kind == Phase::Kind::idle) {
        seconds += phase.seconds;
        joules += phase.seconds * idle;
        continue;
      }
      const OperatingPoint point = board.at(phase.kernel, clock);
      seconds += phase.count * point.seconds;
      joules += phase.count * point.seconds * point.watts;
    }
    truth.seconds.push_back(seconds);
    truth.watts.push_back(joules / seconds);
  }
  return truth;
}

Result<MeasuredKernel> load_truth(const TargetOptions& target, const std::string& word) {
  METE_TRY(const Board board, load_board(target.board));
  METE_TRY(const MachineOptions machine, parse_machine_options(target.board_options));
  METE_TRY(const Program program, load_program(word, board));
  return program_truth(program, board, machine);
}

}  // namespace mete
