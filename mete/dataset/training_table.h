// The training table: every trace row of a sweep with the setting it ran at, and the clock that
// each goal would have chosen. Written by `mete process`, read by `learn`.
// docs/formats/training-table.md describes the file.
//
//   app-config   one application with one set of inputs: what a choice of clock is made for
//   phi          the goal, 0 (fastest) to 1 (least energy)
//   phi-freq     the clock, in Hz, that phi would have chosen for an app-config
//   is-roi       the row lies between the first and the last moment at which the GPU (the
//                package) was active
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/interrupt.h"
#include "mete/base/result.h"
#include "mete/dataset/training_kind.h"

namespace mete {

/// phi = 0, 0.1, .. 1.
inline constexpr std::size_t kPhiSteps = 11;

/// The clock that a goal would have chosen for one app-config.
struct PhiChoice {
  double phi = 0;
  double frequency = 0;  ///< Hz
};

/// What `learn` needs of a training table; element i of every row vector is the same trace row.
struct TrainingData {
  const TrainingKind* kind = &kGpuTraining;
  std::string node;
  /// "measured", or "replayed" if any run was a board's; empty if the file does not say (pandas').
  std::string source;
  std::vector<std::string> app_configs;  ///< in order of app-index
  std::vector<std::vector<PhiChoice>>
      choices;  ///< per app-config, phi ascending; empty: none was possible

  std::vector<std::uint32_t> app_config;  ///< index into app_configs
  std::vector<std::uint8_t> is_roi;       ///< 0 or 1
  std::vector<std::int64_t> trial;
  std::vector<double> asked_clock;  ///< the clock that was asked for, Hz
  /// SI, as kind->features; NaN where the trace had no value.
  std::array<std::vector<double>, kFeatureCount> features;
  std::array<std::string, kFeatureCount> feature_columns;  ///< the columns' names in the file

  [[nodiscard]] std::size_t rows() const { return app_config.size(); }
};

struct TrainingReadOptions {
  std::string node;      ///< empty: the file's only table
  bool roi_only = true;  ///< leave out rows outside the region of interest
};

/// Reads the table that `mete process` wrote, in its own layout or in the tutorial's eleven-fold
/// one (each trace row is then read once). Also reads any pandas "table"-format file with the
/// tutorial's columns. A pandas "fixed"-format file is refused with the way to convert it.
Result<TrainingData> read_training_table(const std::string& path,
                                         const TrainingReadOptions& options = {});

struct ProcessOptions {
  std::vector<std::string> directories;
  std::string output;           ///< the .h5 to write
  std::string node;             ///< empty: the only node found; several are refused
  bool compat = false;          ///< the tutorial's own rule and its eleven-fold rows
  bool with_reference = false;  ///< use a sweep's reference points as runs of their setting
  int compression = 0;          ///< deflate level 0..9
  std::size_t jobs = 0;         ///< threads that read; 0: one per core. The output is the same
};

struct AppConfigSummary {
  std::string name;
  std::vector<double> frequencies;  ///< settings with a report, Hz, ascending
  std::size_t runs = 0;
  std::size_t rows = 0;
  std::size_t roi_rows = 0;
  std::vector<PhiChoice> choices;  ///< empty: no choice could be made, a note says why
};

struct ProcessSummary {
  const TrainingKind* kind = &kGpuTraining;
  std::string node;
  std::size_t runs = 0;
  std::size_t rows = 0;        ///< rows written (eleven-fold with compat)
  std::size_t trace_rows = 0;  ///< rows read from traces
  bool replayed = false;       ///< some run replayed measurements of other hardware
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::vector<AppConfigSummary> app_configs;
  /// Input that was wrong, one line each: file, line, reason. Not empty: exit code 1.
  std::vector<std::string> problems;
  /// What the user should know though nothing is wrong ("only one clock: no choice can be
  /// learned").
  std::vector<std::string> notes;
};

/// Called now and then with bytes done, bytes in all, and what goes on.
using ProcessProgress = std::function<void(double done, double total, const std::string& note)>;

/// Reads the sweeps and writes the output atomically: on any error there is no new file and an old
/// one stays. Bad inputs are problems of the summary; an error is returned only when nothing can be
/// written: no usable run (invalid), several nodes and none chosen (invalid), disk full (failed),
/// interrupted (failed).
Result<ProcessSummary> process_sweeps(const ProcessOptions& options,
                                      const ProcessProgress& progress = {},
                                      const Interrupt* interrupt = nullptr);

/// Derived columns of the table, under the tutorial's names; two more are the kind's.
namespace column {
inline constexpr std::string_view kNode = "node";
inline constexpr std::string_view kAppIndex = "app-index";
inline constexpr std::string_view kTrial = "trial";
inline constexpr std::string_view kAppConfig = "app-config";
inline constexpr std::string_view kIsRoi = "is-roi";
inline constexpr std::string_view kPhi = "phi";
inline constexpr std::string_view kPhiFrequency = "phi-freq";
/// "energy_weight0" .. "energy_weight100" in steps of 10.
std::string energy_weight(std::size_t step);
}  // namespace column

}  // namespace mete
