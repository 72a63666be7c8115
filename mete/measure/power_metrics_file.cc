// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/power_metrics_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

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

/// As AIPowerMeter has it: of what is seen at both ends of the window.
double mean_of(double before, double now) { return std::isnan(before) ? now : (before + now) / 2; }

}  // namespace

void PowerMetricsFile::begin(Platform& platform) {
  gpus_.resize(static_cast<std::size_t>(std::max(0, platform.topology().count(Domain::gpu))));
  const auto push = [&platform](std::string_view name, std::size_t index) {
    if (!platform.has_signal(name)) return kNone;
    const auto handle =
        platform.push_signal({std::string(name), Domain::gpu, static_cast<int>(index)});
    return handle ? *handle : kNone;
  };
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    gpus_[i].memory_handle = push("GPU_MEMORY_USED", i);
    gpus_[i].use_handle = push("GPU_UTILIZATION", i);
  }
}

void PowerMetricsFile::look_at_gpus(double seconds, const Platform& platform,
                                    const RecorderSeries& series) {
  const auto read = [&platform](int handle) {
    return handle == kNone ? kNaN : platform.value(handle);
  };
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    Gpu& gpu = gpus_[i];
    const double joules = series.gained(energy_domain("gpu"), static_cast<int>(i));
    gpu.watts = (joules - gpu.joules) / seconds;
    gpu.joules = joules;
    gpu.memory_before = std::exchange(gpu.memory, read(gpu.memory_handle));
    gpu.use_before = std::exchange(gpu.use, read(gpu.use_handle));
  }
}

/// A figure of all GPUs and the same of each; those that are not known are left out.
void PowerMetricsFile::per_gpu(std::string_view total, double sum, std::string_view each,
                               double (*value)(const Gpu&)) {
  if (std::isnan(sum)) return;
  line_.member(total, sum);
  line_.key(each);
  line_.open('{');
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    char index[16];
    const auto end = std::to_chars(index, index + sizeof index, i).ptr;
    line_.known_member({index, static_cast<std::size_t>(end - index)}, value(gpus_[i]));
  }
  line_.close('}');
}

void PowerMetricsFile::gpu_fields(double watts) {
  const auto memory_of = [](const Gpu& gpu) { return mean_of(gpu.memory_before, gpu.memory); };
  const auto use_of = [](const Gpu& gpu) { return 100 * mean_of(gpu.use_before, gpu.use); };
  double memory = kNaN;
  double use = kNaN;
  double used = 0;
  for (const Gpu& gpu : gpus_) {
    if (const double more = memory_of(gpu); !std::isnan(more))
      memory = std::isnan(memory) ? more : memory + more;
    if (const double more = use_of(gpu); !std::isnan(more)) {
      use = std::isnan(use) ? more : use + more;
      ++used;
    }
  }
  per_gpu("nvidia_power", watts, "per_gpu_nvidia_power", [](const Gpu& gpu) { return gpu.watts; });
  per_gpu("nvidia_memory", memory, "per_gpu_nvidia_memory", memory_of);
  per_gpu("nvidia_use_rate", use / used, "per_gpu_nvidia_use_rate", use_of);
}

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
  gpu_fields(watts(energy_domain("gpu")));
  line_.close('}');
}

/// A line stands for the window that it ends. The first is written twice, at both ends of its
/// window: the trapezoid of AIPowerMeter's readers would lose it otherwise.
void PowerMetricsFile::window(double seconds, double wall_seconds, const Platform& platform,
                              const RecorderSeries& series, ProcessMeter* meter) {
  const double busy = meter == nullptr ? 0 : meter->busy_seconds();
  if (file_.is_open() && seconds > 0) {
    Energies now{};
    for (std::size_t d = 0; d < now.size(); ++d) now[d] = series.gained(d);
    look_at_gpus(seconds, platform, series);
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
