// What sweep and tune share: from options to a plan, and a place to run its points.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/cli/command.h"
#include "mete/cli/target.h"
#include "mete/study/local_engine.h"
#include "mete/study/runner.h"

namespace mete {

struct SweepOptions {
  TargetOptions target;
  std::vector<std::string> controls;  ///< "NAME=spec"
  std::size_t continuous_points = 10;
  std::int64_t trials = 3;
  std::size_t reference_every = 10;
  std::string out;
  std::string agent = "monitor";
  std::string policy;
  std::string model;
  std::vector<std::string> signals;
  std::string period = "50ms";
  std::string app;
  std::string app_config;
  OpenOptions open;
  RunnerOptions runner;
  std::vector<std::string> command;
};

/// Checks everything that can be checked before the first run, the command of a board included.
/// `notes` gets what the user should know of the choices made.
Result<StudyPlan> plan_sweep(const SweepOptions& options, const Context& context,
                             std::vector<std::string>& notes);

/// A site per point on the options' target. Options and context outlive it.
MakePointSite point_sites(const TargetOptions& target, const Context& context);

/// Opens or resumes the folder and runs what is left, with a progress line titled `title`.
struct SweepDone {
  OpenStudy study;
  StudyOutcome outcome;
};
Result<SweepDone> run_sweep(const StudyPlan& plan, const SweepOptions& options,
                            const Context& context, const std::string& title);

/// The failure or interruption of a sweep as an error that says how to go on; nothing if it is
/// complete.
Result<void> check_complete(const SweepDone& done);

/// The signals whose sum is a run's energy: those of the GPUs if a GPU's control is varied or there
/// is nothing else, else those of CPUs and memory. Empty if none is here.
std::vector<std::string> choose_energy_signals(const Platform& platform,
                                               const std::vector<StudyAxis>& axes);

}  // namespace mete
