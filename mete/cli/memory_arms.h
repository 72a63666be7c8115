// From a graph's name to its profile; and plans run side by side, a step of each in turn, so that
// drift of the machine meets all of them. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/stats.h"
#include "mete/cli/memory_setup.h"
#include "mete/execute/executor.h"
#include "mete/execute/fitted_plan.h"

namespace mete {

struct MemoryArm {
  std::string name;  ///< "all-fast", "first touch", the optimizer's
  ExecutionPlan plan;
};

struct ArmOutcome {
  std::string name;
  std::vector<double> seconds;       ///< per step run
  std::vector<double> step_seconds;  ///< per step of the plan: the median
  std::uint64_t digest = 0;          ///< of parameters and results after all steps
  double loss = 0;
  /// The median, as of each kernel in the profile: a stall in one of the steps does not shift it.
  [[nodiscard]] Interval interval() const { return median_interval(seconds); }
  [[nodiscard]] double median() const { return median_of(seconds); }
};

/// How many times as long the first takes as the second: the median over the turns, in each of
/// which both ran, so that what slows a whole turn down does not matter.
Interval times_as_long(const ArmOutcome& first, const ArmOutcome& second);

/// What the prediction misses of the placement alone: (all-fast as it ran in a turn + the seconds
/// that the profile says the plan adds to it) / the plan in that turn - 1, the median over the
/// turns. How fast the machine computes in a turn is in both and leaves it alone.
Interval placement_error(double added_seconds, const ArmOutcome& plan, const ArmOutcome& all_fast);

/// One step of each to warm up, then `steps` of each in turn. Errors name the arm.
Result<std::vector<ArmOutcome>> run_arms(const std::vector<MemoryArm>& arms,
                                         const PlannedGraph& planned, const MemorySetup& setup,
                                         int steps, std::uint64_t seed, const Context& context);

/// profile_graph() with a progress bar, and a note where other programs use the machine.
Result<GraphProfile> profile_with_progress(const PlannedGraph& planned, const MemorySetup& setup,
                                           const MemoryOptions& options, int repeats,
                                           std::uint64_t seed, ProfileStore& store,
                                           const Context& context);

/// A training step, what it runs on, and how long each of its kernels takes there.
struct ProfiledStep {
  PlannedGraph planned;
  MemorySetup setup;
  GraphProfile profile;
  /// Where its parameters stay where they are: what a share of "its peak" is taken of.
  Problem still;
};

/// Opens the store, the libraries and the tiers, tells on stderr what is to be noted, and measures
/// what the store does not hold yet, with a progress bar.
Result<ProfiledStep> profile_step(const std::string& graph, const MemoryOptions& options,
                                  int repeats, std::uint64_t seed, const Context& context);

/// `--fast-memory SIZE`.
Result<std::uint64_t> parse_fast_memory(const std::string& size);
/// That one of --ratio and --fast-memory is given and means something: asked before anything is
/// measured, which can take hours.
Result<void> check_fast_memory(const std::string& ratio, const std::string& fast_memory);
/// How much fast memory: --ratio or --fast-memory, of which one is given.
Result<std::uint64_t> fast_limit(const std::string& ratio, const std::string& fast_memory,
                                 const Problem& problem);

/// "1.234 s [1.230, 1.238]", with "(emulated)" where it is.
std::string interval_text(const Interval& interval, bool emulated);

}  // namespace mete
