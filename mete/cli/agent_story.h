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

/// What kind of part an agent steered, and where its report and trace tell of the first of them.
struct StoryPart {
  std::string noun;    ///< "GPU", "package"
  std::string shown;   ///< what clock and power are of: "GPU 0", "All packages together"
  std::string prefix;  ///< of the report's lines: "GPU 0 "
  std::string domain;  ///< of the trace's columns: "gpu"
  std::string asked, clock, power;    ///< columns of the trace
  std::vector<std::string> energies;  ///< of the report, J
  std::string phi;                    ///< of the policy
};

struct AgentStory {
  StoryPart part;
  std::string agent;
  std::optional<EvaluationGoal> goal;  ///< as its policy says, if it says
  double seconds = 0;                  ///< of the run
  double joules = 0;                   ///< of all such parts; NaN if not measured
  std::vector<AgentCurve> curves;      ///< of the first part
  Table samples;                       ///< of the first part, as decisions() draws them
  Table made;                          ///< likewise
  std::size_t changes = 0;             ///< of the clock asked for
  double last_asked = 0;               ///< Hz; NaN if nothing was
};

/// Errors name the file.
Result<AgentStory> read_agent_story(const std::string& report, const std::string& trace);

}  // namespace mete
