// Recorder: writes a run's power and use down as it goes, and says at its end who used what.
//
//   DIR/recording.ndjson     mete's own (docs/formats/recording.md), a sample each period
//   DIR/power_metrics.json   AIPowerMeter's (docs/formats/aipowermeter.md), each process period
//
// Used from the session's thread. Files grow by whole lines, handed to the kernel every second.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mete/base/clock.h"
#include "mete/base/json.h"
#include "mete/base/sys_root.h"
#include "mete/measure/process_meter.h"
#include "mete/measure/session_observer.h"

namespace mete {

class RegionListener;

struct RecorderOptions {
  std::string directory;              ///< "" for no files: balances and regions alone
  std::optional<ProcessScope> scope;  ///< nobody's processes if absent (a board)
  Nanoseconds process_period = std::chrono::milliseconds(100);
  Nanoseconds memory_period = std::chrono::seconds(10);  ///< of PSS and USS
  std::vector<Request> signals;                          ///< recorded besides the energies
  Json estimate;  ///< constants of the load model, null if there is none
};

class Recorder final : public SessionObserver {
 public:
  /// All references outlive it. `regions` may be null.
  Recorder(RecorderOptions options, SysRoot root, const Clock& clock, RegionListener* regions);
  ~Recorder() override;

  Result<void> begin(Platform& platform, const RunHeader& header) override;
  void sample(Platform& platform, Nanoseconds now) noexcept override;
  void end(RunResult& result) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mete
