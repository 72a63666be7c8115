// RecordingFile: DIR/recording.ndjson, mete's own recording (docs/formats/recording.md), line by
// line as the run goes. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/measure/energy_shares.h"
#include "mete/measure/recorder_format.h"
#include "mete/measure/run_header.h"

namespace mete {

class RecordingFile {
 public:
  /// For the series that are recorded, in their order.
  void begin(const RecorderSeries& series);
  /// What the header says beside the series.
  struct Header {
    const RunHeader& run;
    double wall_seconds;
    double process_period_seconds;
    bool attributed;  ///< processes are looked at
    const Json& estimate;
  };
  /// Makes the file: its header, then the samples kept so far.
  Result<void> open(const std::string& path, const Header& header, const RecorderSeries& series);
  [[nodiscard]] bool is_open() const { return file_.is_open(); }

  /// The values of all series. Before open() the last one is kept.
  void sample(Nanoseconds now, double wall_seconds, const RecorderSeries& series);
  /// Series that begin to fail, and why, or went back. `told`: samples so far; a source may need
  /// some to begin.
  void errors(Nanoseconds now, const Platform& platform, const RecorderSeries& series,
              std::uint64_t told);
  /// All processes, or those that have ended since.
  void processes(Nanoseconds now, const EnergyShares& shares, bool all);
  /// Regions so far, without their spans.
  void regions(Nanoseconds now, const std::vector<RegionTotal>& regions);
  /// Attribution, regions, exit code.
  void end(Nanoseconds now, double wall_seconds, const RunResult& result);
  void flush() { file_.flush(); }
  Result<void> close() { return file_.close(); }

 private:
  void process(const ProcessUse& use, const EnergyShares& shares, Nanoseconds now);
  void region(Nanoseconds now, const RegionTotal& one, bool with_spans);

  LineWriter file_;
  JsonLine line_;
  std::string first_sample_;
  std::vector<bool> was_missing_;
  std::vector<std::uint64_t> resets_told_;
  std::uint64_t errors_ = 0;
};

}  // namespace mete
