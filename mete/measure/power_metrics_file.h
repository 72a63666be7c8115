// PowerMetricsFile: DIR/power_metrics.json, AIPowerMeter's recording
// (docs/formats/aipowermeter.md): a line for each window between two looks at the processes.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <limits>
#include <string>
#include <vector>

#include "mete/base/files.h"
#include "mete/measure/process_meter.h"
#include "mete/measure/recorder_format.h"
#include "mete/measure/recorder_series.h"

namespace mete {

class PowerMetricsFile {
 public:
  /// Asks for what its GPU fields need beside the energies; a GPU that tells less has less.
  void begin(Platform& platform);
  Result<void> open(const std::string& path);
  /// The window that ends now, `seconds` long. `meter` may be null. Does nothing unless open.
  void window(double seconds, double wall_seconds, const Platform& platform,
              const RecorderSeries& series, ProcessMeter* meter);
  void end();
  void flush() { file_.flush(); }
  Result<void> close() { return file_.close(); }

 private:
  using Energies = std::array<double, kEnergyDomains.size()>;
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  static constexpr int kNone = -1;
  struct Gpu {
    int memory_handle = kNone;
    int use_handle = kNone;
    double watts = kNaN;
    double joules = 0;  // gained by the end of the window before
    double memory = kNaN, memory_before = kNaN;
    double use = kNaN, use_before = kNaN;
  };
  void look_at_gpus(double seconds, const Platform& platform, const RecorderSeries& series);
  void gpu_fields(double watts);
  void per_gpu(std::string_view total, double sum, std::string_view each,
               double (*value)(const Gpu&));
  void fields(double seconds, bool begins, const Energies& now, ProcessMeter* meter);
  void per_pid(std::string_view name, ProcessMeter& meter, double (*value)(const ProcessUse&),
               double scale);

  LineWriter file_;
  JsonLine line_;
  std::vector<Gpu> gpus_;
  Energies last_{};  // J at the end of the window before
  double busy_last_ = 0;
  bool first_ = true;
};

}  // namespace mete
