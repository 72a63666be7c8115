// One trial of an evaluation: a kernel runs for ever on one replayed GPU, from the top clock, and
// the agent acts on it through the same controller that `mete run` uses.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/control/controller.h"
#include "mete/provider/board/board.h"
#include "mete/provider/board/machine_options.h"

namespace mete {

inline constexpr std::size_t kTrialSteps = 50;
inline constexpr double kTrialPeriod = 0.05;
/// A clock that changed in the last steps of a trial is not settled.
inline constexpr std::size_t kStillSteps = 5;

struct TrialOptions {
  MachineOptions machine;
  /// Signals that the agent shall not see.
  std::vector<std::string> hidden;
  std::uint64_t seed = 1;
};

/// Work done and what it cost.
struct Spent {
  double seconds = 0;
  double joules = 0;
  double kernels = 0;
};

struct Trial {
  double clock = 0;       ///< Hz, asked for at the end
  std::size_t steps = 0;  ///< up to the last change
  bool settled = true;
  Spent probing;                                            ///< up to the last change
  Spent run;                                                ///< the whole trial
  std::vector<std::pair<std::string, std::string>> report;  ///< the agent's own lines
};

using ControllerMaker = std::function<Result<std::unique_ptr<Controller>>()>;

/// `board` holds the kernels under test. Errors are the agent's: a signal that the board lacks, a
/// policy that it refuses.
Result<Trial> run_trial(const Board& board, std::size_t kernel, const ControllerMaker& make,
                        const TrialOptions& options);

struct ProgramRun {
  Spent spent;
  double requests = 0;
  std::vector<std::pair<std::string, std::string>> report;
};
/// A whole program (its kernels must be the board's) under an agent, from the top clock to its end.
Result<ProgramRun> run_program(const Board& board, const std::string& program,
                               const ControllerMaker& make, const TrialOptions& options);

}  // namespace mete
