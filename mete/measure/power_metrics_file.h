// PowerMetricsFile: DIR/power_metrics.json, AIPowerMeter's recording
// (docs/formats/aipowermeter.md): a line for each window between two looks at the processes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <string>

#include "mete/base/files.h"
#include "mete/measure/process_meter.h"
#include "mete/measure/recorder_format.h"
#include "mete/measure/recorder_series.h"

namespace mete {

class PowerMetricsFile {
 public:
  Result<void> open(const std::string& path);
  /// The window that ends now, `seconds` long. `meter` may be null. Does nothing unless open.
  void window(double seconds, double wall_seconds, const RecorderSeries& series,
              ProcessMeter* meter);
  void end();
  void flush() { file_.flush(); }
  Result<void> close() { return file_.close(); }

 private:
  using Energies = std::array<double, kEnergyDomains.size()>;
  void fields(double seconds, bool begins, const Energies& now, ProcessMeter* meter);
  void per_pid(std::string_view name, ProcessMeter& meter, double (*value)(const ProcessUse&),
               double scale);

  LineWriter file_;
  JsonLine line_;
  Energies last_{};  // J at the end of the window before
  double busy_last_ = 0;
  bool first_ = true;
};

}  // namespace mete
