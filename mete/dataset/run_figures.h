// Time and energy of one run, from its report.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "mete/base/result.h"
#include "mete/dataset/training_kind.h"

namespace mete {

struct TimeAndEnergy {
  double runtime = 0;         ///< s
  double energy = 0;          ///< J
  std::string energy_source;  ///< the report's name of the figure
  double clock = 0;  ///< mean clock of the part that the report tells, Hz; NaN if it does not
};

/// Energy is that of GPU 0, which the features describe too; of all GPUs where the report has no
/// other. Of packages: of all of them, with their memory where the report tells it. `node` empty:
/// the report's only host. Errors name the file and say what is missing or impossible.
Result<TimeAndEnergy> read_time_and_energy(const std::string& report, const std::string& node,
                                           const TrainingKind& kind = kGpuTraining);

}  // namespace mete
