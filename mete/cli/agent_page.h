// What was chosen and why, as parts of a page: believed and measured frontier, decisions over time,
// regret where the truth is known. Shared by run and tune.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/cli/agent_story.h"
#include "mete/measure/session.h"
#include "mete/plot/page.h"
#include "mete/study/evaluation.h"

namespace mete {

/// One figure per piece of work that the agent told apart. `truth` is that of the whole program: it
/// is drawn where there is one piece of work.
Result<std::vector<Figure>> belief_figures(const AgentStory& story,
                                           const std::optional<MeasuredKernel>& truth);

/// Clock and decisions over time, and the decisions as a table with their reasons.
Result<Figure> decision_figure(const AgentStory& story);
TableBlock decision_table(const AgentStory& story);

/// One way the program was run, or could have been.
struct RegretRow {
  std::string name;
  double clock = 0;  ///< Hz; NaN: no one clock
  RelativeCost cost;
};
/// Objective and regret of each, judged by the board's table. The best clock there was and the top
/// clock are added.
TableBlock regret_table(const EvaluationGoal& goal, const MeasuredKernel& truth,
                        std::vector<RegretRow> rows);

struct RunPage {
  std::string command;
  std::string target;
  bool replayed = false;
  int gpus = 1;
  std::optional<MeasuredKernel> truth;
  std::string report, trace;
  const RunResult* result = nullptr;  ///< of this run, for its regions; null: not known
};
/// The page of `mete run --page`.
Result<std::string> run_html(const RunPage& run);

}  // namespace mete
