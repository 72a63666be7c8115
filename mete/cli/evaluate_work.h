// The work of evaluate: every kernel under test × every goal × every repeat, and the baselines.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/stats.h"
#include "mete/cli/command.h"
#include "mete/cli/evaluate_data.h"
#include "mete/cli/evaluate_trial.h"
#include "mete/control/agent.h"
#include "mete/study/evaluation.h"

namespace mete {

struct EvaluatePlan {
  std::string agent;
  std::string policy;  ///< of the agent's other fields: "GPU_FREQ_MIN=900MHz"
  AgentContext context;
  std::vector<EvaluationGoal> goals;
  std::size_t repeats = 1;
  TrialOptions trial;
};

struct ScoredTrial {
  Score score;
  Trial trial;
  std::size_t repeat = 0;
  RelativeCost
      run;  ///< of the whole trial, probing counted, against the same work at the top clock
  double probing_seconds = 0;  ///< more than the same work takes at the top clock; may be negative
  double probing_joules = 0;
};

struct ProbingSummary {
  double steps = 0;  ///< mean, up to the last change of the clock
  std::size_t steps_most = 0;
  double seconds = 0;        ///< mean time up to the last change
  double joules = 0;         ///< mean energy up to the last change
  double extra_seconds = 0;  ///< mean, against the same work at the top clock
  double extra_joules = 0;
  std::size_t unsettled = 0;  ///< trials that still changed in their last steps
  RelativeCost run;           ///< mean over whole trials, probing counted
};

struct Baseline {
  std::string name;
  std::string words;
  std::vector<Score> scores;
};

struct EvaluationResult {
  std::vector<ScoredTrial> trials;
  ScoreSummary summary;
  ProbingSummary probing;
  std::vector<Baseline> baselines;
  /// Over the repeats, 95 %; unbounded with one repeat.
  Interval regret;
  Interval energy_saved;
  Interval slowdown;
};

Result<EvaluationResult> evaluate_agent(const EvaluationData& data, const EvaluatePlan& plan,
                                        const Context& context);

/// How the agent is made and told the goal. Invalid if it takes no such goal.
Result<ControllerMaker> controller_maker(const EvaluatePlan& plan, const EvaluationGoal& goal);

struct ProgramArm {
  std::string name;
  Spent spent;
  RelativeCost cost;  ///< against the top clock
  double requests = 0;
  std::vector<std::pair<std::string, std::string>> report;
};
/// A program under the agent and at every fixed clock of the board, the highest first; the agent
/// comes before these.
Result<std::vector<ProgramArm>> evaluate_program(const Board& board, const std::string& program,
                                                 const EvaluatePlan& plan);

}  // namespace mete
