// Recordings of power and use, read back and summed up: AIPowerMeter's JSON lines of every
// generation (docs/formats/aipowermeter.md) and mete's own (docs/formats/recording.md). Energies in
// J, times in s, NaN for what is unknown; memory does not grow with the file's length.
//
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/json.h"
#include "mete/base/result.h"

namespace mete {

/// The parts of a node whose energy a recording tells. psys holds package, package holds core and
/// uncore, dram and gpu stand beside it: they are never added up.
inline constexpr std::array<std::string_view, 6> kRecordingDomains{"package", "psys", "core",
                                                                   "uncore",  "dram", "gpu"};
/// J for each of kRecordingDomains; NaN where nothing is known.
using RecordingEnergy = std::array<double, kRecordingDomains.size()>;
inline constexpr RecordingEnergy kUnknownEnergy = [] {
  RecordingEnergy all{};
  all.fill(std::numeric_limits<double>::quiet_NaN());
  return all;
}();
/// The index of a name in kRecordingDomains, or their count.
std::size_t recording_domain(std::string_view name);

struct RecordingProcess {
  std::string pid;   ///< "others" stands for those above the limit of rows
  std::string name;  ///< "" where the recording does not tell
  RecordingEnergy energy = kUnknownEnergy;
  double cpu_seconds = std::numeric_limits<double>::quiet_NaN();
  double memory_peak_bytes = std::numeric_limits<double>::quiet_NaN();
};

/// A stretch of time in which a region was entered, once or often; s since the first sample.
struct RecordingSpan {
  double begin = 0;
  double end = 0;
  std::uint64_t count = 0;
  double seconds = 0;  ///< summed over threads
  std::uint32_t threads = 0;
};

struct RecordingRegion {
  std::string name;
  std::uint64_t count = 0;
  double seconds = 0;                       ///< summed over threads, inner regions included
  RecordingEnergy energy = kUnknownEnergy;  ///< inner regions included
  RecordingEnergy own_energy = kUnknownEnergy;
  std::uint32_t level = 0;           ///< how many regions it was within, at the least
  std::vector<RecordingSpan> spans;  ///< not in the JSON of a summary
};

/// Something a reader of the figures must know.
struct RecordingIssue {
  /// gap, reset, missing, clock_back, short_segment, cut_line, bad_line, huge_line, no_end, error,
  /// many_processes, conservation
  std::string kind;
  std::uint64_t line = 0;                                     ///< 0: of the whole file
  double seconds = std::numeric_limits<double>::quiet_NaN();  ///< how long, where that is known
  std::string what;                                           ///< one line
};

/// How one domain's measured energy was divided, as the recorder wrote it.
struct RecordingBalance {
  std::string domain;
  double measured = 0;
  double attributed = 0;
  double idle = 0;
  double others = 0;
};

struct RecordingSummary {
  std::string path;
  std::string format;  ///< "aipowermeter" or "mete.recording/1"
  std::uint64_t samples = 0;
  std::uint64_t segments = 0;
  double duration_seconds = 0;  ///< of all segments, without what lies between them
  RecordingEnergy energy = kUnknownEnergy;
  std::array<std::string, kRecordingDomains.size()> sources;  ///< "counter", ..; "" if unknown
  std::vector<std::pair<std::string, double>> estimates;  ///< signal, J: a model's, not measured
  std::vector<RecordingProcess> processes;                ///< most energy first
  std::vector<RecordingRegion> regions;
  std::vector<RecordingBalance> balances;
  std::vector<RecordingIssue> issues;
  bool replayed = false;
};

/// `path`: a file, or a folder that holds recording.ndjson or power_metrics.json (looked for in
/// this order). invalid: no recording. A file that is damaged is read as far as it goes; `issues`
/// says what is wrong.
Result<RecordingSummary> summarise_recording(const std::string& path);

/// `energy_joules {package, psys, core, uncore, dram, gpu}` (null where unknown), `processes`,
/// `regions`, `duration_seconds`, `issues`, ..
Json to_json(const RecordingSummary& summary);

}  // namespace mete
