// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/recording_samples.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "mete/dataset/recording.h"
#include "mete/dataset/recording_lines.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostSeries = 4096;

struct Rows {
  std::vector<double> time;
  std::vector<std::string> part;
  std::vector<double> power;
  void add(double when, const std::string& what, double watts) {
    time.push_back(when);
    part.push_back(what);
    power.push_back(watts);
  }
};

/// mete's: a header names the series, samples hold cumulative joules.
class EnergyReader {
 public:
  void line(const Json& record, Rows& rows) {
    const auto kind = record["record"].as_string();
    if (kind == "header") return header(record);
    if (kind == "sample") sample(record, rows);
  }

 private:
  struct Series {
    std::string label;
    bool energy = false;
    double last = kNaN;
  };
  void header(const Json& record) {
    series_.clear();
    before_ = kNaN;
    const auto& list = record["series"].items();
    for (std::size_t i = 0; i < std::min(list.size(), kMostSeries); ++i) {
      const auto& one = list[i];
      const auto role = one["role"].as_string();
      series_.push_back({fmt::format("{}@{}-{}", one["name"].as_string(), one["domain"].as_string(),
                                     one["index"].as_integer()),
                         role == "estimate" || recording_domain(role) < kRecordingDomains.size(),
                         kNaN});
    }
  }
  void sample(const Json& record, Rows& rows) {
    const double now = recorded_number(record["t_ns"]) * 1e-9;
    const auto& values = record["values"].items();
    if (std::isnan(now) || series_.empty() || values.size() < series_.size()) return;
    if (std::isnan(first_)) first_ = now;
    for (std::size_t i = 0; i < series_.size(); ++i) {
      auto& series = series_[i];
      if (!series.energy) continue;
      const double value = recorded_number(values[i]);
      const double gained = value - series.last;
      const double passed = now - before_;
      // The first sample of a segment has no power of its own: no row.
      if (!std::isnan(before_) && passed > 0)
        rows.add(now - first_, series.label, gained >= 0 ? gained / passed : kNaN);
      if (!std::isnan(value)) series.last = value;
    }
    before_ = now;
  }
  std::vector<Series> series_;
  double before_ = kNaN;
  double first_ = kNaN;
};

/// The sum, and the same by device; the newer generation first.
using GpuFields = std::pair<std::string_view, std::string_view>;
constexpr GpuFields kNewGpu{"nvidia_power", "per_gpu_nvidia_power"};
constexpr GpuFields kOldGpu{"nvidia_draw_absolute", "per_gpu_power_draw"};

class PowerReader {
 public:
  void line(const Json& record, Rows& rows) {
    const double now = recorded_date_seconds(record["date"].as_string());
    const auto& metrics = record["metrics"];
    if (std::isnan(now) || !metrics.is_object()) return;
    if (std::isnan(first_)) first_ = now;
    const auto add = [&](const char* part, const Json& value) {
      const double watts = recorded_number(value);
      if (watts >= 0) rows.add(now - first_, part, watts);
    };
    const auto& cpu = metrics["cpu"];
    add("package", cpu["intel_power"]);
    add("psys", cpu["psys_power"]);
    add("core", cpu["total_cpu_power"]);
    add("uncore", cpu["uncore_power"]);
    add("dram", cpu["total_dram_power"]);
    for (const auto* fields : {&kNewGpu, &kOldGpu}) {
      const auto& gpu = metrics["gpu"];
      if (gpu.find(fields->first) != nullptr) return add("gpu", gpu[fields->first]);
      const auto& each = gpu[fields->second].members();
      if (each.empty()) continue;
      double sum = 0;
      for (const auto& [index, watts] : each) sum += recorded_number(watts);
      return add("gpu", Json(sum));
    }
  }

 private:
  double first_ = kNaN;
};

}  // namespace

Result<Table> read_recording_power(const std::string& path, std::size_t max_rows) {
  METE_TRY(auto lines, RecordingLines::open(path));
  Rows rows;
  EnergyReader energies;
  PowerReader powers;
  RecordingLines::Line line;
  while (lines.next(line)) {
    if (line.huge) continue;
    const auto record = parse_recorded_json(line.text);
    if (!record) continue;
    if (record->find("record") != nullptr) {
      energies.line(*record, rows);
    } else {
      powers.line(*record, rows);
    }
    if (rows.time.size() > max_rows) {
      return fail(Errc::invalid, "{}: more than {} samples: too many for one page", path, max_rows);
    }
  }
  Table table;
  table.add_numbers("time", "s", std::move(rows.time));
  table.add_texts("part", std::move(rows.part));
  table.add_numbers("power", "W", std::move(rows.power));
  return table;
}

}  // namespace mete
