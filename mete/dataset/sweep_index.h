// Which runs a sweep's folders hold: from mete's manifest (sweep.json) where there is one, else
// from the names of the files. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/result.h"
#include "mete/dataset/training_table.h"

namespace mete {

struct SweepRun {
  std::size_t directory = 0;  ///< index of its folder on the command line
  std::string app_config;
  double frequency = 0;  ///< the clock that was asked for, Hz
  std::int64_t trial = 0;
  std::string report;  ///< paths; empty if there is none
  std::string trace;
};

struct SweepIndex {
  const TrainingKind* kind = &kGpuTraining;
  std::string node;
  std::vector<SweepRun> runs;            ///< by folder, then by file name
  std::vector<std::string> app_configs;  ///< in order of first appearance
  std::vector<std::string> problems;
  std::vector<std::string> notes;
};

/// Errors (invalid): no such folder, no runs at all, several nodes and none chosen.
Result<SweepIndex> index_sweeps(const ProcessOptions& options);

}  // namespace mete
