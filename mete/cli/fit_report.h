// What `mete fit` found, as text, JSON and tables. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/table.h"
#include "mete/cli/memory_arms.h"

namespace mete {

struct FittedArm {
  std::string name;
  std::string optimizer;
  FittedPlan fitted;
};

/// The plan first, then all-fast, then first touch.
struct FitReport {
  const Graph* graph = nullptr;
  std::int64_t batch = 1;
  ProfileEnvironment environment;
  CopyRates copies;
  std::vector<FittedArm> arms;
  std::vector<ArmOutcome> outcomes;  ///< per arm
  /// All left the same bytes.
  [[nodiscard]] bool equal() const;
};

/// predicted / measured - 1.
double prediction_error(const FittedArm& arm, const ArmOutcome& outcome);
/// What is left of that error beside all-fast as it ran: the placement's own. See
/// placement_error().
Interval placement_error(const FitReport& report, std::size_t arm);
/// By the profile, how many times as long as the plan first touch takes where all-fast takes what
/// it took in these turns: a machine that computes faster than when it was profiled has more to
/// gain from a placement.
double predicted_speedup_as_all_fast_ran(const FitReport& report);
/// How much longer all-fast took than its profile says: what has changed of the machine since.
double machine_drift(const FitReport& report);
Json json_of(const FitReport& report);
/// Every step of the plan: what, where, predicted and measured seconds.
Table step_table(const FitReport& report);
void print_fit(const FitReport& report);

}  // namespace mete
