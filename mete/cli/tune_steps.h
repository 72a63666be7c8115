// The steps of tune before its choice: sweeps, training table, model; and after it: the
// verification runs. Each leaves its files in the output folder.
//
//   OUT/sweep/        the sweep of the program (mete.sweep/1)
//   OUT/sweep-NAME/   sweeps of other programs to learn from, if any
//   OUT/training.h5   OUT/model.pt
//   OUT/runs/         reports and traces of the verification runs
//   OUT/tune.json     OUT/tune.html
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mete/cli/sweep_setup.h"
#include "mete/cli/tune_choice.h"
#include "mete/control/agent.h"
#include "mete/dataset/training_table.h"

namespace mete {

struct TuneOptions {
  TargetOptions target;
  std::optional<double> phi;
  std::string max_slowdown;
  std::string clocks = "auto";  ///< what --control takes after =, or "auto"
  std::int64_t trials = 3;
  std::size_t repeats = 5;
  std::string agent;   ///< runs in place of the torch agent; "" for that
  std::string policy;  ///< of `agent`; "": what the goal says
  std::string model;
  std::optional<std::size_t> epochs;
  std::vector<std::string> learn_from;  ///< programs besides the one to tune, one word each
  std::string period = "50ms";
  std::string out;
  bool json = false;
  std::vector<std::string> command;
};

/// What the model step did.
struct ModelStep {
  std::string path;  ///< empty: there is no model, `absent` says why
  std::string absent;
  bool given = false;  ///< --model
  std::size_t epochs = 0;
  bool epochs_chosen = false;  ///< by us, not by --epochs
  std::size_t examples = 0;
  double mean_error = 0;   ///< Hz, on the training data
  double guess_error = 0;  ///< Hz, of always the same guess
  double seconds = 0;
  std::vector<std::string> notes;
};

/// The clocks of the device: an axis spec of at most kAutoClocks evenly chosen ones for "auto". The
/// errors are those of a machine that tune cannot work on, with the next step.
inline constexpr std::size_t kAutoClocks = 12;
Result<std::string> clock_spec(const TuneOptions& options, Platform& platform);

/// The sweep of the program, then those to learn from. All complete.
Result<std::vector<SweepDone>> run_sweeps(const TuneOptions& options, const std::string& spec,
                                          const Context& context, std::vector<std::string>& notes);

/// --agent made once, so that what is wrong with it is told before the sweep; its info.
Result<AgentInfo> check_own_agent(const TuneOptions& options);
/// Its policy: --policy, or the goal under the name that the agent gives it.
std::string own_policy(const TuneOptions& options, const AgentInfo& info, const Goal& goal,
                       double phi);

/// Table and model. A build without the torch plugin, or data from which nothing can be learned,
/// give a step without a model, not an error.
Result<ModelStep> make_model(const TuneOptions& options, const std::vector<SweepDone>& sweeps,
                             const Context& context);

/// One arm as it is run.
struct ArmPlan {
  std::string name;  ///< "baseline", "torch", "agent", "fixed"
  double clock = 0;  ///< set before it starts, Hz
  std::string agent = "monitor";
  std::string policy;
  std::string model;
};
struct ArmRecord {
  std::string arm;
  std::size_t repeat = 0;  ///< from 1
  std::size_t order = 0;   ///< from 1: place in time
  double seconds = 0;
  double joules = 0;
  std::string report;
  std::string trace;
};
struct Verification {
  std::vector<ArmRuns> arms;  ///< in the order of the plans
  std::vector<ArmRecord> records;
  Source source = Source::counter;
  std::vector<std::string> warnings;
};
/// Every arm `repeats` times, interleaved: in each repeat all arms once, in an order of its own, so
/// that drift of the machine meets all alike.
Result<Verification> verify_arms(const TuneOptions& options, const StudyPlan& plan,
                                 const std::vector<ArmPlan>& arms, const Context& context);

}  // namespace mete
