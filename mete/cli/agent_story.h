// What an agent did in a run and why, read back from the run's own report and trace.
//
//   curve      what it believed of every clock, and what it found (agent frontier)
//   decision   a clock asked for, or a thing noticed, with its reason
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/table.h"
#include "mete/study/evaluation.h"

namespace mete {

struct AgentCurve {
  std::string words;  ///< the report's line about this piece of work
  std::vector<double> clock;
  std::vector<double> believed_time, believed_doubt, believed_energy;
  std::vector<double> found_time, found_doubt, found_energy;
  std::vector<bool> tried;
  std::optional<double> settled;  ///< Hz
};

struct AgentStory {
  std::string agent;
  std::optional<EvaluationGoal> goal;  ///< as its policy says, if it says
  double seconds = 0;                  ///< of the run
  double joules = 0;                   ///< of all GPUs; NaN if not measured
  std::vector<AgentCurve> curves;      ///< of GPU 0
  Table samples;                       ///< of GPU 0, as decisions() draws them
  Table made;                          ///< likewise
  std::size_t changes = 0;             ///< of the clock asked for
  double last_asked = 0;               ///< Hz; NaN if nothing was
};

/// Errors name the file.
Result<AgentStory> read_agent_story(const std::string& report, const std::string& trace);

}  // namespace mete
