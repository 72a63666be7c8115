// Writes the training file: the table of trace rows and the small tables beside it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mete/dataset/clock_choice.h"
#include "mete/dataset/roi_scan.h"
#include "mete/dataset/run_figures.h"
#include "mete/dataset/sweep_index.h"
#include "mete/dataset/training_table.h"

namespace mete {

/// A run of which the report or the trace, or both, can be used.
struct UsableRun {
  SweepRun run;
  std::size_t app_config = 0;
  std::optional<TimeAndEnergy> figures;
  RunFigures relative;  ///< valid where there are figures
  RoiScan roi;
};

struct TableInput {
  const TrainingKind& kind;
  const ProcessOptions& options;
  const std::string& node;
  const std::vector<std::string>& app_configs;
  const std::vector<UsableRun>& runs;
  const std::vector<GoalClocks>& choices;  ///< per app-config
};

struct TableWatch {
  double bytes = 0;  ///< of all traces, for the progress
  ProcessProgress progress;
  std::function<Result<void>()> stop_if_asked;
};

struct TableCounts {
  struct PerRun {
    std::size_t rows = 0;
    std::size_t roi_rows = 0;
  };
  std::vector<PerRun> per_run;
  std::size_t trace_rows = 0;
  std::size_t rows = 0;
  std::uint64_t bytes_read = 0;
  std::vector<std::string> problems;
};

/// Errors: nothing is left behind, and a file that was there stays.
Result<TableCounts> write_training_file(const TableInput& input, const TableWatch& watch);

}  // namespace mete
