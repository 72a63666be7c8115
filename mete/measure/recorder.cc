// One sample each period, processes on a slower clock: the kernel counts their time in steps of
// 10 ms, so more often would tell nothing. SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/recorder.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>

#include <unistd.h>

#include "mete/base/files.h"
#include "mete/measure/attribution.h"
#include "mete/measure/recorder_format.h"
#include "mete/measure/recorder_series.h"
#include "mete/measure/region_listener.h"
#include "mete/measure/report_writer.h"
#include "mete/measure/session.h"
#include "mete/signal/device_processes.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Nanoseconds kFlushEvery = std::chrono::seconds(1);
/// Process records are cumulative: one a second and a last one tell all.
constexpr Nanoseconds kProcessRecordEvery = std::chrono::seconds(1);
constexpr Nanoseconds kIoEvery = std::chrono::seconds(1);
constexpr double kMostImbalance = 1e-3;
constexpr std::uint64_t kMostErrorRecords = 1000;

/// The domains that are divided among processes, in the order of ProcessUse::joules.
constexpr std::array<std::string_view, 3> kShared{"package", "dram", "gpu"};
constexpr std::size_t kGpuShare = 2;

std::size_t energy_domain(std::string_view name) {
  return static_cast<std::size_t>(std::find(kEnergyDomains.begin(), kEnergyDomains.end(), name) -
                                  kEnergyDomains.begin());
}

/// Local time as Python's str(datetime) has it.
std::string local_date(double wall) {
  const auto whole = static_cast<std::time_t>(std::floor(wall));
  std::tm parts{};
  ::localtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06.0f}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     std::min(999'999.0, std::floor((wall - std::floor(wall)) * 1e6)));
}

}  // namespace

struct Recorder::Impl {
  Impl(RecorderOptions o, SysRoot r, const Clock& c, RegionListener* g)
      : options(std::move(o)), root(std::move(r)), clock(c), regions(g) {}

  RecorderOptions options;
  SysRoot root;
  const Clock& clock;
  RegionListener* regions;

  RunHeader header;
  RecorderSeries series;
  std::unique_ptr<ProcessMeter> meter;
  std::vector<DeviceProcesses*> devices;
  std::vector<DeviceProcess> device_uses;
  std::vector<int> gpu_busy;  // handles of GPU_UTILIZATION, by index; -1 for none
  std::vector<Attribution> shared{Attribution("package"), Attribution("dram"), Attribution("gpu")};
  std::vector<double> shared_last = std::vector<double>(2, 0.0);  // J at the last process tick
  std::vector<double> gpu_last;
  std::array<double, kEnergyDomains.size()> window_last{};
  double busy_last = 0;
  double capacity_last = 0;
  std::vector<double> used;
  std::vector<double> given;

  LineWriter own;     // recording.ndjson
  LineWriter theirs;  // power_metrics.json
  JsonLine line;
  bool opened = false;
  bool first_window = true;
  Platform* last_platform = nullptr;
  Nanoseconds first_time{0};
  Nanoseconds last_time{0};
  Nanoseconds last_flush{0};
  Nanoseconds last_process{0};
  Nanoseconds last_process_record{0};
  Nanoseconds last_memory{0};
  Nanoseconds last_io{0};
  std::string first_sample;
  std::uint64_t samples = 0;
  std::uint64_t errors = 0;
  std::vector<bool> was_missing;
  std::vector<std::uint64_t> resets_told;
  std::vector<std::string> warnings;
  bool complete = true;

  [[nodiscard]] bool writes() const { return !options.directory.empty(); }
  Result<void> prepare(Platform& platform);
  void open_files();
  std::string header_line() const;
  void write_sample(Nanoseconds now);
  void note_errors(Nanoseconds now);
  void meter_processes(Platform& platform, Nanoseconds now);
  void share_cpu();
  void share_gpus(Platform& platform);
  void write_processes(Nanoseconds now, bool all);
  void write_process(const ProcessUse& use, Nanoseconds now);
  void write_window(Nanoseconds now);
  void window_fields(double seconds, bool begins);
  void pid_member(std::string_view name, double (*value)(const ProcessUse&), double scale);
  void write_end(Nanoseconds now, const RunResult& result);
  void check_balances(RunResult& result);
  void close(LineWriter& writer);
  [[nodiscard]] std::array<double, kEnergyDomains.size()> gained() const {
    std::array<double, kEnergyDomains.size()> out{};
    for (std::size_t d = 0; d < out.size(); ++d) out[d] = series.gained(d);
    return out;
  }
};

Result<void> Recorder::Impl::prepare(Platform& platform) {
  METE_TRY_VOID(series.begin(platform, options.signals, warnings));
  was_missing.assign(series.all().size(), false);
  resets_told.assign(series.all().size(), 0);
  const int gpus = series.parts(energy_domain("gpu"));
  gpu_last.assign(static_cast<std::size_t>(gpus), 0.0);
  for (int i = 0; i < gpus; ++i) {
    const auto handle = platform.push_signal({"GPU_UTILIZATION", Domain::gpu, i});
    gpu_busy.push_back(handle ? *handle : -1);
  }
  if (options.scope) {
    devices = platform.device_processes();
    meter = std::make_unique<ProcessMeter>(root, *options.scope);
    if (auto opened_meter = meter->open(); !opened_meter) {
      if (opened_meter.error().code == Errc::invalid) return opened_meter;
      warnings.push_back(fmt::format("processes are not metered: {}", opened_meter.error().what));
      meter.reset();
    }
  }
  if (!writes()) return {};
  METE_TRY_VOID(make_directories(options.directory));
  for (const char* name : {"recording.ndjson", "power_metrics.json"}) {
    METE_TRY_VOID(check_writable(path_join(options.directory, name)));
  }
  return {};
}

std::string Recorder::Impl::header_line() const {
  Json list = Json::array();
  for (const auto& one : series.all()) {
    const auto role = one.estimate              ? std::string_view("estimate")
                      : one.domain == kNoEnergy ? std::string_view()
                                                : kEnergyDomains[one.domain];
    list.push(Json::object({{"name", one.info.name},
                            {"domain", domain_name(one.request.domain)},
                            {"index", one.request.index},
                            {"unit", one.info.unit},
                            {"behavior", behavior_name(one.info.behavior)},
                            {"source", source_name(one.info.source)},
                            {"integrated_from", one.of.empty() ? Json() : Json(one.of)},
                            {"role", role}}));
  }
  Json rules = Json::object(
      {{"cpu", "busy-time share of the active part; active = energy * busy / (busy + idle) time"},
       {"dram", "as cpu"},
       {"gpu", "share of compute time; active = energy * utilisation"}});
  return Json::object({{"record", "header"},
                       {"schema", "mete.recording/1"},
                       {"mete", METE_VERSION},
                       {"host", header.node},
                       {"profile", header.profile},
                       {"agent", header.agent},
                       {"start_time", header.start_time},
                       {"wall_seconds", clock.wall_seconds()},
                       {"clock", "monotonic"},
                       {"period_seconds", header.period},
                       {"process_period_seconds", to_seconds(options.process_period)},
                       {"replayed", header.replayed},
                       {"series", std::move(list)},
                       {"attribution", meter ? std::move(rules) : Json()},
                       {"estimate", options.estimate}})
             .dump(-1) +
         "\n";
}

void Recorder::Impl::open_files() {
  opened = true;
  if (!writes()) return;
  auto file = LineWriter::open(path_join(options.directory, "recording.ndjson"));
  if (!file) {
    complete = false;
    warnings.push_back(fmt::format("no recording: {}", file.error().what));
    return;
  }
  own = std::move(*file);
  own.write(header_line());
  own.write(first_sample);
  own.flush();
  if (header.replayed) return;  // dates of a virtual clock would be taken for real ones
  auto other = LineWriter::open(path_join(options.directory, "power_metrics.json"));
  if (other) {
    theirs = std::move(*other);
  } else {
    complete = false;
    warnings.push_back(fmt::format("no recording: {}", other.error().what));
  }
}

void Recorder::Impl::write_sample(Nanoseconds now) {
  line.clear();
  line.open('{');
  line.key("record");
  line.text("sample");
  line.key("t_ns");
  line.integer(now.count());
  line.member("wall_seconds", clock.wall_seconds());
  line.key("values");
  line.open('[');
  for (const auto& one : series.all()) line.number(one.value);
  line.close(']');
  line.close('}');
  if (opened) {
    own.write(line.end());
  } else {
    first_sample = line.end();
  }
}

/// Series that begin to fail, come back, or go back.
void Recorder::Impl::note_errors(Nanoseconds now) {
  for (std::size_t i = 0; i < series.all().size(); ++i) {
    const auto& one = series.all()[i];
    const bool missing = std::isnan(one.value);
    const bool reset = one.resets > resets_told[i];
    if (missing == was_missing[i] && !reset) continue;
    const bool back = !missing && was_missing[i];
    was_missing[i] = missing;
    resets_told[i] = one.resets;
    if ((back && !reset) || samples < 3 || ++errors > kMostErrorRecords) continue;
    Json record = Json::object(
        {{"record", "error"},
         {"t_ns", now.count()},
         {"series", i},
         {"what", fmt::format("{} {}", report_name(one.request),
                              reset ? "went back: its device was reset" : "gives no value")}});
    own.write(record.dump(-1) + "\n");
  }
}

void Recorder::Impl::share_cpu() {
  auto& uses = meter->processes();
  const double busy = meter->busy_seconds();
  const double capacity = meter->capacity_seconds();
  used.assign(uses.size(), 0.0);
  for (std::size_t i = 0; i < uses.size(); ++i) used[i] = uses[i].cpu_delta;
  for (std::size_t k = 0; k < 2; ++k) {
    const double joules = series.gained(energy_domain(kShared[k]));
    if (std::isnan(joules)) continue;
    given.assign(uses.size(), 0.0);
    shared[k].add(joules - shared_last[k], {capacity - capacity_last, busy - busy_last}, used,
                  given);
    shared_last[k] = joules;
    for (std::size_t i = 0; i < uses.size(); ++i) uses[i].joules[k] += given[i];
  }
}

void Recorder::Impl::share_gpus(Platform& platform) {
  auto& uses = meter->processes();
  for (auto& use : uses) use.gpu_share = use.gpu_memory_bytes = 0;
  device_uses.clear();
  std::vector<DeviceProcess> part;
  for (auto* device : devices) {
    device->read(part);
    device_uses.insert(device_uses.end(), part.begin(), part.end());
  }
  const auto known = [](double value) { return std::isnan(value) ? 0 : value; };
  for (std::size_t g = 0; g < gpu_last.size(); ++g) {
    used.assign(uses.size(), 0.0);
    double all = 0;
    for (const auto& one : device_uses) {
      if (one.device != static_cast<int>(g)) continue;
      all += known(one.busy_share);
      const auto at = meter->find(one.pid);
      if (at == ProcessMeter::npos) continue;
      used[at] += known(one.busy_share);
      uses[at].gpu_share += known(one.busy_share);
      uses[at].gpu_memory_bytes += known(one.memory_bytes);
    }
    const double joules = series.gained(energy_domain("gpu"), static_cast<int>(g));
    if (std::isnan(joules)) continue;
    const double told = gpu_busy[g] < 0 ? kNaN : platform.value(gpu_busy[g]);
    const bool unknown = std::isnan(told) && device_uses.empty();
    given.assign(uses.size(), 0.0);
    shared[kGpuShare].add(joules - gpu_last[g],
                          {unknown ? kNaN : 1.0, std::isnan(told) ? all : std::max(told, all)},
                          used, given);
    gpu_last[g] = joules;
    for (std::size_t i = 0; i < uses.size(); ++i) uses[i].joules[kGpuShare] += given[i];
  }
}

void Recorder::Impl::meter_processes(Platform& platform, Nanoseconds now) {
  if (meter) {
    meter->update();
    for (auto& use : meter->processes()) use.joules.resize(kShared.size(), 0.0);
    share_cpu();
    share_gpus(platform);
    if (writes() && now - last_io >= kIoEvery) {
      meter->update_io();
      last_io = now;
    }
    if (writes() && now - last_memory >= options.memory_period) {
      meter->update_memory();
      last_memory = now;
    }
  }
  write_window(now);
  if (meter) {
    busy_last = meter->busy_seconds();
    capacity_last = meter->capacity_seconds();
  }
  const bool all = now - last_process_record >= kProcessRecordEvery;
  write_processes(now, all);
  if (all) last_process_record = now;
  last_process = now;
}

void Recorder::Impl::write_process(const ProcessUse& use, Nanoseconds now) {
  line.clear();
  line.open('{');
  line.key("record");
  line.text("process");
  line.key("t_ns");
  line.integer(now.count());
  line.key("pid");
  line.integer(use.pid);
  if (use.inner_pid != 0) {
    line.key("inner_pid");
    line.integer(use.inner_pid);
  }
  line.key("name");
  line.text(use.name);
  line.member("cpu_seconds", use.cpu_seconds);
  line.known_member("rss_bytes", use.rss_bytes);
  line.known_member("pss_bytes", use.pss_bytes);
  line.known_member("uss_bytes", use.uss_bytes);
  line.known_member("read_bytes", use.read_bytes);
  line.known_member("write_bytes", use.written_bytes);
  if (use.gpu_share > 0 || use.gpu_memory_bytes > 0) {
    line.member("gpu_busy_share", use.gpu_share);
    line.member("gpu_memory_bytes", use.gpu_memory_bytes);
  }
  line.key("energy_joules");
  line.open('{');
  for (std::size_t k = 0; k < kShared.size(); ++k) {
    if (shared[k].any() && k < use.joules.size()) line.member(kShared[k], use.joules[k]);
  }
  line.close('}');
  if (use.ended) {
    line.key("ended");
    line.integer(1);
  }
  line.close('}');
  own.write(line.end());
}

void Recorder::Impl::write_processes(Nanoseconds now, bool all) {
  if (!meter || !own.is_open()) return;
  for (const auto& use : meter->processes()) {
    const bool nothing = use.pid == 0 && use.cpu_seconds <= 0;
    if ((all || use.ended) && !nothing) write_process(use, now);
  }
}

void Recorder::Impl::pid_member(std::string_view name, double (*value)(const ProcessUse&),
                                double scale) {
  line.key(name);
  line.open('{');
  for (const auto& use : meter->processes()) {
    const double figure = value(use) * scale;
    if (use.pid == 0 || std::isnan(figure)) continue;
    char pid[16];
    const auto end = std::to_chars(pid, pid + sizeof pid, use.pid).ptr;
    line.member({pid, static_cast<std::size_t>(end - pid)}, figure);
  }
  line.close('}');
}

/// `begins`: the first window's other end, where no CPU time has passed yet.
void Recorder::Impl::window_fields(double seconds, bool begins) {
  constexpr std::array<std::string_view, 5> kFields{"intel_power", "psys_power", "total_cpu_power",
                                                    "uncore_power", "total_dram_power"};
  const auto now = gained();
  const auto watts = [&](std::size_t d) { return (now[d] - window_last[d]) / seconds; };
  line.key("cpu");
  line.open('{');
  for (std::size_t d = 0; d < kFields.size(); ++d) line.known_member(kFields[d], watts(d));
  if (meter) {
    const double busy = meter->busy_seconds() - busy_last;
    const auto delta = [](const ProcessUse& use) { return use.cpu_delta; };
    pid_member("absolute_cpu_time_per_pid", delta, begins ? 0 : 1);
    if (busy > 0) {
      pid_member("per_process_cpu_uses", delta, 1 / busy);
      // AIPowerMeter's rule, that their readers expect: all of the power by share of busy time.
      if (!std::isnan(watts(0))) pid_member("rel_intel_power", delta, watts(0) / busy);
      if (!std::isnan(watts(2))) pid_member("per_process_cpu_power", delta, watts(2) / busy);
    }
    pid_member(
        "per_process_mem_use_abs",
        [](const ProcessUse& use) {
          return std::isnan(use.pss_bytes) ? use.rss_bytes : use.pss_bytes;
        },
        1);
    pid_member("per_process_mem_use_uss", [](const ProcessUse& use) { return use.uss_bytes; }, 1);
  }
  line.close('}');
  const std::size_t gpu = energy_domain("gpu");
  line.key("gpu");
  line.open('{');
  line.known_member("nvidia_power", watts(gpu));
  line.close('}');
}

/// A line stands for the window that it ends. The first is written twice, at both ends of its
/// window: the trapezoid of AIPowerMeter's readers would lose it otherwise.
void Recorder::Impl::write_window(Nanoseconds now) {
  const double seconds = to_seconds(now - last_process);
  if (!theirs.is_open() || !(seconds > 0)) return;
  const double wall = clock.wall_seconds();
  const auto write = [&](double when, bool begins) {
    line.clear();
    line.key("metrics");
    line.open('{');
    window_fields(seconds, begins);
    line.close('}');
    line.close('}');
    theirs.write(fmt::format("{{\"date\": \"{}\", {}", local_date(when), line.end()));
  };
  if (first_window) write(wall - seconds, true);
  first_window = false;
  write(wall, false);
  window_last = gained();
}

void Recorder::Impl::write_end(Nanoseconds now, const RunResult& result) {
  Json balances = Json::object();
  for (const auto& one : result.balances) {
    balances.set(one.domain, Json::object({{"measured", one.measured},
                                           {"attributed", one.attributed},
                                           {"idle", one.idle},
                                           {"others", one.others}}));
  }
  const auto put = [this](const Json& record) { own.write(record.dump(-1) + "\n"); };
  const auto time = now.count();
  if (!result.balances.empty()) {
    put(Json::object({{"record", "attribution"}, {"t_ns", time}, {"domains", balances}}));
  }
  const auto energy = [](const std::vector<std::pair<std::string, double>>& joules) {
    Json out = Json::object();
    for (const auto& [name, value] : joules) out.set(name, value);
    return out;
  };
  for (const auto& one : result.regions) {
    put(Json::object({{"record", "region"},
                      {"t_ns", time},
                      {"name", one.name},
                      {"count", static_cast<std::int64_t>(one.count)},
                      {"seconds", one.seconds},
                      {"energy_joules", energy(one.joules)},
                      {"own_energy_joules", energy(one.own_joules)}}));
  }
  put(Json::object({{"record", "end"},
                    {"t_ns", time},
                    {"wall_seconds", clock.wall_seconds()},
                    {"exit_code", result.exit.code}}));
  theirs.write("\"END OF RECORDING SEGMENT\"\n");
}

/// Against the session's own totals, which are taken another way: last count minus first.
void Recorder::Impl::check_balances(RunResult& result) {
  constexpr std::array<std::string_view, 3> kSignals{"CPU_ENERGY", "DRAM_ENERGY", "GPU_ENERGY"};
  for (std::size_t k = 0; k < shared.size(); ++k) {
    if (!shared[k].any()) continue;
    result.balances.push_back(shared[k].balance());
    const double told = result.total(kSignals[k]);
    const double measured = std::isnan(told) ? series.gained(energy_domain(kShared[k])) : told;
    const double error = balance_error(shared[k].balance(), measured);
    if (error <= kMostImbalance) continue;
    const auto& b = shared[k].balance();
    warnings.push_back(fmt::format(
        "{}: processes {:.4g} J + idle {:.4g} J + others {:.4g} J are not the {:.4g} J measured; "
        "was a counter reset, or did it miss readings?",
        kShared[k], b.attributed, b.idle, b.others, measured));
  }
}

void Recorder::Impl::close(LineWriter& writer) {
  if (auto closed = writer.close(); !closed) {
    complete = false;
    warnings.push_back(fmt::format("the recording is cut short: {}", closed.error().what));
  }
}

Recorder::Recorder(RecorderOptions options, SysRoot root, const Clock& clock,
                   RegionListener* regions)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(root), clock, regions)) {}
Recorder::~Recorder() = default;

Result<void> Recorder::begin(Platform& platform, const RunHeader& header) {
  impl_->header = header;
  return impl_->prepare(platform);
}

void Recorder::sample(Platform& platform, Nanoseconds now) noexcept {
  Impl& r = *impl_;
  r.series.read(platform, now);
  if (r.samples++ == 0) {
    r.first_time = r.last_process = r.last_process_record = r.last_flush = now;
    r.last_memory = r.last_io = now - std::chrono::hours(1);
    r.write_sample(now);
    if (r.regions != nullptr) r.regions->drain(now, r.gained());
    r.last_time = now;
    return;
  }
  // Only once the workload runs: a mistyped command must not cost the recording before.
  if (!r.opened) r.open_files();
  if (r.own.is_open()) {
    r.write_sample(now);
    r.note_errors(now);
  }
  if (r.regions != nullptr) r.regions->drain(now, r.gained());
  // Half a period early rather than nearly a whole one late.
  if (now + from_seconds(r.header.period / 2) - r.last_process >= r.options.process_period) {
    r.meter_processes(platform, now);
  }
  if (now - r.last_flush >= kFlushEvery) {
    r.own.flush();
    r.theirs.flush();
    r.last_flush = now;
  }
  r.last_time = now;
  r.last_platform = &platform;
}

void Recorder::end(RunResult& result) {
  Impl& r = *impl_;
  if (!r.opened) r.open_files();
  if (r.last_platform != nullptr && r.last_time > r.last_process) {
    r.meter_processes(*r.last_platform, r.last_time);
  }
  if (r.regions != nullptr) {
    r.regions->finish(r.last_time, r.gained());
    result.regions = r.regions->totals(kEnergyDomains);
    if (const auto lost = r.regions->lost(); lost > 0) {
      r.warnings.push_back(fmt::format(
          "{} region marks found no room and are not counted; a shorter --period takes them sooner",
          lost));
    }
  }
  r.check_balances(result);
  r.write_processes(r.last_time, true);
  if (r.own.is_open()) r.write_end(r.last_time, result);
  r.close(r.own);
  r.close(r.theirs);
  if (!r.complete) result.outputs_complete = false;
  for (auto& warning : r.warnings) result.warnings.push_back(std::move(warning));
}

}  // namespace mete
