// AIPowerMeter's power_metrics.json: one object per line, powers in W at the end of each window.
// Energy is the trapezoid over the samples of a segment, as AIPowerMeter's own ExpResults sums it.
// docs/formats/aipowermeter.md. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "mete/base/text.h"
#include "mete/dataset/recording_lines.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kAbsent = -1;  // what is written where there is no such counter

/// The fields of metrics.cpu that are the power of a domain, and of a process in that domain.
struct PowerField {
  std::string_view domain;
  std::string_view total;
  std::string_view per_process;  // "" for none
};
constexpr std::array<PowerField, 5> kCpuPowers{
    {{"package", "intel_power", "rel_intel_power"},
     {"psys", "psys_power", ""},
     {"core", "total_cpu_power", "per_process_cpu_power"},
     {"uncore", "uncore_power", ""},
     {"dram", "total_dram_power", "per_process_dram_power"}}};
/// Newer generation first. The sum, and the same by device.
struct GpuField {
  std::string_view total;
  std::string_view per_gpu;
};
constexpr std::array<GpuField, 2> kGpuPowers{
    {{"nvidia_power", "per_gpu_nvidia_power"}, {"nvidia_draw_absolute", "per_gpu_power_draw"}}};

std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  // H. Hinnant's algorithm (chrono-compatible low-level date algorithms).
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t yoe = year - era * 400;
  const std::int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

using PidValues = std::vector<std::pair<std::string, double>>;

struct Sample {
  double time = kNaN;
  RecordingEnergy power = kUnknownEnergy;  // W
  std::array<std::optional<PidValues>, kCpuPowers.size()> per_process;
};

class Reader {
 public:
  Reader(RecordingSummary& out, RecordingIssues& issues)
      : out_(out), issues_(issues), rows_(issues), gaps_(issues) {}

  void line(const RecordingLines::Line& line);
  void finish();

 private:
  void record(const Json& record, std::uint64_t line);
  double power(const Json& value, std::string_view name, std::uint64_t line);
  double gpu_power(const Json& gpu, std::uint64_t line);
  void uses(const Json& cpu);
  void integrate(const Sample& now, std::uint64_t line);
  void add_processes(const PidValues& values, std::size_t domain, double weight);
  void end_segment(std::uint64_t line);

  RecordingSummary& out_;
  RecordingIssues& issues_;
  ProcessRows rows_;
  GapFinder gaps_;
  std::optional<Sample> before_;
  std::uint64_t samples_in_segment_ = 0;
  std::array<double, kRecordingDomains.size()> unknown_seconds_{};
};

double Reader::power(const Json& value, std::string_view name, std::uint64_t line) {
  const double watts = recorded_number(value);
  if (!(watts < 0)) return watts;
  if (watts != kAbsent) {
    issues_.add("reset", line, kNaN,
                fmt::format("{} is {} W: the counter went back (a wrap or a reset), so the energy "
                            "beside this sample is unknown",
                            name, watts));
  }
  return kNaN;
}

double Reader::gpu_power(const Json& gpu, std::uint64_t line) {
  for (const auto& field : kGpuPowers) {
    if (const Json* total = gpu.find(field.total)) return power(*total, field.total, line);
    const Json* each = gpu.find(field.per_gpu);
    if (each == nullptr || each->members().empty()) continue;
    double sum = 0;
    for (const auto& [index, value] : each->members()) sum += power(value, field.per_gpu, line);
    return sum;  // NaN if one of them is unknown
  }
  return kNaN;
}

void Reader::uses(const Json& cpu) {
  for (const auto& [pid, value] : cpu["absolute_cpu_time_per_pid"].members()) {
    // CPU seconds within the window: added up, not integrated.
    if (const double seconds = recorded_number(value); seconds >= 0) {
      add_known(rows_.row(pid).cpu_seconds, seconds);
    }
  }
  for (const auto& [pid, value] : cpu["per_process_mem_use_abs"].members()) {
    const double bytes = recorded_number(value);
    auto& peak = rows_.row(pid).memory_peak_bytes;
    if (bytes >= 0 && !(peak >= bytes)) peak = bytes;
  }
}

void Reader::record(const Json& record, std::uint64_t line) {
  if (record.is_string() && record.as_string().starts_with("END OF RECORDING")) {
    return end_segment(line);
  }
  Sample now;
  now.time = recorded_date_seconds(record["date"].as_string());
  if (std::isnan(now.time) || !record["metrics"].is_object()) {
    issues_.add("bad_line", line, kNaN,
                "has no date (YYYY-MM-DD HH:MM:SS) or no metrics, passed over");
    return;
  }
  const Json& cpu = record["metrics"]["cpu"];
  for (std::size_t i = 0; i < kCpuPowers.size(); ++i) {
    const auto& field = kCpuPowers[i];
    now.power[recording_domain(field.domain)] = power(cpu[field.total], field.total, line);
    const Json* each = field.per_process.empty() ? nullptr : cpu.find(field.per_process);
    if (each == nullptr || !each->is_object()) continue;
    auto& values = now.per_process[i].emplace();
    for (const auto& [pid, value] : each->members()) {
      if (const double watts = recorded_number(value); watts >= 0) values.emplace_back(pid, watts);
    }
  }
  now.power[recording_domain("gpu")] = gpu_power(record["metrics"]["gpu"], line);
  uses(cpu);
  ++out_.samples;
  ++samples_in_segment_;
  integrate(now, line);
}

void Reader::add_processes(const PidValues& values, std::size_t domain, double weight) {
  for (const auto& [pid, watts] : values) add_known(rows_.row(pid).energy[domain], weight * watts);
}

void Reader::integrate(const Sample& now, std::uint64_t line) {
  if (!before_) {
    before_ = now;
    return;
  }
  const double seconds = now.time - before_->time;
  if (!(seconds > 0)) {
    if (seconds < 0) {
      issues_.add("clock_back", line, -seconds,
                  fmt::format("the clock went back by {}; the time between is unknown",
                              format_quantity(-seconds, "s")));
    }
    before_ = now;
    return;
  }
  out_.duration_seconds += seconds;
  gaps_.add(seconds, line);
  for (std::size_t d = 0; d < now.power.size(); ++d) {
    const double joules = 0.5 * (before_->power[d] + now.power[d]) * seconds;
    if (std::isnan(joules)) unknown_seconds_[d] += seconds;
    add_known(out_.energy[d], joules);
  }
  for (std::size_t i = 0; i < kCpuPowers.size(); ++i) {
    // A process that is not named in a sample used nothing then.
    if (!before_->per_process[i] || !now.per_process[i]) continue;
    const std::size_t domain = recording_domain(kCpuPowers[i].domain);
    add_processes(*before_->per_process[i], domain, 0.5 * seconds);
    add_processes(*now.per_process[i], domain, 0.5 * seconds);
  }
  before_ = now;
}

void Reader::end_segment(std::uint64_t line) {
  if (samples_in_segment_ == 1) {
    issues_.add("short_segment", line, kNaN, "a segment of one sample has no energy");
  }
  if (samples_in_segment_ > 0) ++out_.segments;
  samples_in_segment_ = 0;
  before_.reset();
}

void Reader::line(const RecordingLines::Line& line) {
  if (const auto parsed = usable_record(line, issues_)) record(*parsed, line.number);
}

void Reader::finish() {
  end_segment(0);
  gaps_.finish();
  for (std::size_t d = 0; d < out_.energy.size(); ++d) {
    if (std::isnan(out_.energy[d])) continue;
    out_.sources[d] = "integrated";
    if (unknown_seconds_[d] == 0) continue;
    issues_.add("missing", 0, unknown_seconds_[d],
                fmt::format("{} is unknown for {} of {}: its energy is that of the rest",
                            kRecordingDomains[d], format_quantity(unknown_seconds_[d], "s"),
                            format_quantity(out_.duration_seconds, "s")));
  }
  out_.processes = rows_.take();
}

}  // namespace

/// "2021-12-08 13:55:49.307695" (or with T, or without a fraction), as seconds; local time of
/// nobody knows where, so only differences mean anything.
double recorded_date_seconds(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') {
    return kNaN;
  }
  const auto part = [text](std::size_t at, std::size_t n) {
    return parse_int(text.substr(at, n)).value_or(-1);
  };
  const auto year = part(0, 4);
  const auto month = part(5, 2);
  const auto day = part(8, 2);
  const auto hour = part(11, 2);
  const auto minute = part(14, 2);
  const auto second = parse_double(text.substr(17));
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || !second || !(*second >= 0 && *second < 62)) {
    return kNaN;
  }
  const auto days = days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
  return static_cast<double>(days * 86400 + hour * 3600 + minute * 60) + *second;
}

void read_aipowermeter(RecordingLines& lines, RecordingSummary& out, RecordingIssues& issues) {
  Reader reader(out, issues);
  RecordingLines::Line line;
  while (lines.next(line)) reader.line(line);
  reader.finish();
}

}  // namespace mete
