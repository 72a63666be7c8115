// What tune found, as text, as tune.json and as tune.html.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/cli/tune_choice.h"
#include "mete/cli/tune_steps.h"

namespace mete {

struct TuneResult {
  StudyPlan plan;  ///< of the program's sweep
  std::string created;
  bool replayed = false;
  Goal goal;
  std::vector<SweptClock> clocks;
  std::vector<StudyPoint> sweep_points;  ///< finished, without references
  Drift drift;
  std::vector<std::string> learned_from;  ///< app-configs
  ModelStep model;
  std::string agent;         ///< --agent; "" where the torch agent ran
  std::string agent_policy;  ///< what it was given
  Choice choice;
  Verification verification;
  std::vector<ArmChange> changes;
  TuneVerdict verdict;
  std::vector<std::string> notes;
  std::string command_line;  ///< of the sweep's command, for the page
  std::string directory;
};

/// What to type to run the program as recommended.
std::string recommended_command(const TuneResult& result, const TuneOptions& options);
std::string tune_text(const TuneResult& result, const TuneOptions& options);
Json tune_json(const TuneResult& result, const TuneOptions& options);
/// Reads the traces of the first repeat for the timeline.
Result<std::string> tune_html(const TuneResult& result, const TuneOptions& options);

}  // namespace mete
