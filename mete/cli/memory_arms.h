// Plans run side by side: a step of each in turn, so that drift of the machine meets all of them.
// SPDX-License-Identifier: BSD-3-Clause
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
  [[nodiscard]] Interval interval() const { return mean_interval(seconds); }
};

/// One step of each to warm up, then `steps` of each in turn. Errors name the arm.
Result<std::vector<ArmOutcome>> run_arms(const std::vector<MemoryArm>& arms,
                                         const PlannedGraph& planned, const MemorySetup& setup,
                                         int steps, std::uint64_t seed, const Context& context);

/// profile_graph() with a progress bar.
Result<GraphProfile> profile_with_progress(const PlannedGraph& planned, const MemorySetup& setup,
                                           const MemoryOptions& options, int repeats,
                                           std::uint64_t seed, ProfileStore& store,
                                           const Context& context);

/// How much fast memory: --ratio or --fast-memory, of which one is given.
Result<std::uint64_t> fast_limit(const std::string& ratio, const std::string& fast_memory,
                                 const Problem& problem);

/// "1.234 s [1.230, 1.238]", with "(emulated)" where it is.
std::string interval_text(const Interval& interval, bool emulated);

}  // namespace mete
