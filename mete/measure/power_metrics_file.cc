// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/power_metrics_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

namespace mete {
namespace {

/// Local time as Python's str(datetime) has it.
std::string local_date(double wall) {
  const auto whole = static_cast<std::time_t>(std::floor(wall));
  std::tm parts{};
  ::localtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06.0f}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     std::min(999'999.0, std::floor((wall - std::floor(wall)) * 1e6)));
}

double cpu_delta(const ProcessUse& use) { return use.cpu_delta; }
double memory(const ProcessUse& use) {
  return std::isnan(use.pss_bytes) ? use.rss_bytes : use.pss_bytes;
}
double own_memory(const ProcessUse& use) { return use.uss_bytes; }

}  // namespace

Result<void> PowerMetricsFile::open(const std::string& path) {
  METE_TRY(file_, LineWriter::open(path));
  return {};
}

void PowerMetricsFile::per_pid(std::string_view name, ProcessMeter& meter,
                               double (*value)(const ProcessUse&), double scale) {
  line_.key(name);
  line_.open('{');
  for (const auto& use : meter.processes()) {
    const double figure = value(use) * scale;
    if (use.pid == 0 || std::isnan(figure)) continue;
    char pid[16];
    const auto end = std::to_chars(pid, pid + sizeof pid, use.pid).ptr;
    line_.member({pid, static_cast<std::size_t>(end - pid)}, figure);
  }
  line_.close('}');
}

/// `begins`: the first window's other end, where no CPU time has passed yet.
void PowerMetricsFile::fields(double seconds, bool begins, const Energies& now,
                              ProcessMeter* meter) {
  constexpr std::array<std::string_view, 5> kFields{"intel_power", "psys_power", "total_cpu_power",
                                                    "uncore_power", "total_dram_power"};
  const auto watts = [&](std::size_t d) { return (now[d] - last_[d]) / seconds; };
  line_.key("cpu");
  line_.open('{');
  for (std::size_t d = 0; d < kFields.size(); ++d) line_.known_member(kFields[d], watts(d));
  if (meter != nullptr) {
    const double busy = meter->busy_seconds() - busy_last_;
    per_pid("absolute_cpu_time_per_pid", *meter, cpu_delta, begins ? 0 : 1);
    if (busy > 0) {
      per_pid("per_process_cpu_uses", *meter, cpu_delta, 1 / busy);
      // AIPowerMeter's rule, that their readers expect: all of the power by share of busy time.
      if (!std::isnan(watts(0))) per_pid("rel_intel_power", *meter, cpu_delta, watts(0) / busy);
      if (!std::isnan(watts(2)))
        per_pid("per_process_cpu_power", *meter, cpu_delta, watts(2) / busy);
    }
    per_pid("per_process_mem_use_abs", *meter, memory, 1);
    per_pid("per_process_mem_use_uss", *meter, own_memory, 1);
  }
  line_.close('}');
  line_.key("gpu");
  line_.open('{');
  line_.known_member("nvidia_power", watts(energy_domain("gpu")));
  line_.close('}');
}

/// A line stands for the window that it ends. The first is written twice, at both ends of its
/// window: the trapezoid of AIPowerMeter's readers would lose it otherwise.
void PowerMetricsFile::window(double seconds, double wall_seconds, const RecorderSeries& series,
                              ProcessMeter* meter) {
  const double busy = meter == nullptr ? 0 : meter->busy_seconds();
  if (file_.is_open() && seconds > 0) {
    Energies now{};
    for (std::size_t d = 0; d < now.size(); ++d) now[d] = series.gained(d);
    const auto write = [&](double when, bool begins) {
      line_.clear();
      line_.key("metrics");
      line_.open('{');
      fields(seconds, begins, now, meter);
      line_.close('}');
      line_.close('}');
      file_.write(fmt::format("{{\"date\": \"{}\", {}", local_date(when), line_.end()));
    };
    if (first_) write(wall_seconds - seconds, true);
    first_ = false;
    write(wall_seconds, false);
    last_ = now;
  }
  busy_last_ = busy;
}

void PowerMetricsFile::end() { file_.write("\"END OF RECORDING SEGMENT\"\n"); }

}  // namespace mete
