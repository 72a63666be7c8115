// The Jetson study's log files: `AGX-float-1024-tensor-905250000.data`, or with two sizes (rows and
// depth) `AGX-float-1024-96-tensor-905250000.data`; lines of `unix_ms,watts`; the last line
// `FLOP/s` or `FLOP/s,iterations,seconds`. docs/formats/gemm-data.md has the format and its
// oddities. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/study/efficiency/gemm_run.h"

namespace mete {

/// The point that a file's name tells. `invalid` if it is no such name.
Result<GemmPoint> parse_data_name(std::string_view file_name);
/// The inverse.
std::string data_name(const GemmPoint& point);

/// A whole log. A missing last line leaves flops NaN and is an oddity; a line that is no sample is
/// an error that names it.
Result<GemmRun> parse_data_file(std::string_view file_name, std::string_view text);
/// The log as the study writes it: the last line without a line end, with three fields where
/// iterations are known.
std::string data_text(const GemmRun& run);

/// What is odd in a run's samples: readings of 0, spikes and drops, an idle first or last sample,
/// gaps, fewer samples than its neighbours, a meter that still creeps. `usual_samples`: how many a
/// log of this study has; 0 if unknown.
std::vector<Oddity> find_oddities(const GemmRun& run, std::size_t usual_samples);

/// A folder of logs.
struct DataFolder {
  std::vector<GemmRun> runs;          ///< in the order of names
  std::vector<std::string> left_out;  ///< files that are no logs, one line each with the reason
  std::vector<std::string> broken;    ///< logs that could not be read, one line each
};
/// Reads every log in `folder` (not in folders below it). `unavailable` if there is none; the error
/// says what is there.
Result<DataFolder> read_data_folder(const std::string& folder);

}  // namespace mete
