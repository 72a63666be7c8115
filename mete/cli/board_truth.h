// What a program really costs at every clock, where that is known: on a board, by its table.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "mete/base/result.h"
#include "mete/cli/target.h"
#include "mete/provider/board/board.h"
#include "mete/provider/board/machine_options.h"
#include "mete/provider/board/program.h"
#include "mete/study/evaluation.h"

namespace mete {

/// The program on one GPU, held to each of the board's clocks from beginning to end: no sensor, no
/// noise, no switch.
MeasuredKernel program_truth(const Program& program, const Board& board,
                             const MachineOptions& machine);
/// Of what `mete run --board .. -- WORD` is given.
Result<MeasuredKernel> load_truth(const TargetOptions& target, const std::string& word);

}  // namespace mete
