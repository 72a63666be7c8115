// One sample each period, processes on a slower clock: the kernel counts their time in steps of
// 10 ms, so more often would tell nothing. SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/recorder.h"

#include <array>

#include "mete/base/files.h"
#include "mete/base/outputs.h"
#include "mete/measure/energy_shares.h"
#include "mete/measure/power_metrics_file.h"
#include "mete/measure/recorder_series.h"
#include "mete/measure/recording_file.h"
#include "mete/measure/region_listener.h"
#include "mete/measure/report_writer.h"
#include "mete/measure/session.h"

namespace mete {
namespace {

constexpr Nanoseconds kFlushEvery = std::chrono::seconds(1);
/// Process records are cumulative: one a second and a last one tell all.
constexpr Nanoseconds kProcessRecordEvery = std::chrono::seconds(1);
/// Regions too; there may be a thousand of them.
constexpr Nanoseconds kRegionRecordEvery = std::chrono::seconds(10);
constexpr Nanoseconds kIoEvery = std::chrono::seconds(1);
constexpr const char* kRecordingName = "recording.ndjson";
constexpr const char* kPowerMetricsName = "power_metrics.json";

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
  EnergyShares shares;
  RecordingFile own;
  PowerMetricsFile theirs;
  bool opened = false;
  Platform* last_platform = nullptr;
  Nanoseconds last_time{0};
  Nanoseconds last_flush{0};
  Nanoseconds last_process{0};
  Nanoseconds last_process_record{0};
  Nanoseconds last_region_record{0};
  Nanoseconds last_memory{0};
  Nanoseconds last_io{0};
  std::uint64_t samples = 0;
  NewFolders folders;
  std::vector<std::string> warnings;
  bool complete = true;

  [[nodiscard]] bool writes() const { return !options.directory.empty(); }
  [[nodiscard]] std::string path(const char* name) const {
    return path_join(options.directory, name);
  }
  Result<void> prepare(Platform& platform);
  void open_files();
  /// `last`: of the run.
  void meter_processes(Platform& platform, Nanoseconds now, bool last);
  /// A file that could not be made, or not be ended.
  void lost(std::string_view what, const Result<void>& outcome);
  [[nodiscard]] std::array<double, kEnergyDomains.size()> gained() const {
    std::array<double, kEnergyDomains.size()> out{};
    for (std::size_t d = 0; d < out.size(); ++d) out[d] = series.gained(d);
    return out;
  }
};

Result<void> Recorder::Impl::prepare(Platform& platform) {
  METE_TRY_VOID(series.begin(platform, options.signals, warnings));
  own.begin(series);
  METE_TRY_VOID(shares.begin(platform, root, options.scope, series, warnings));
  if (!writes()) return {};
  if (!header.replayed) theirs.begin(platform);
  METE_TRY(folders, NewFolders::make(options.directory));
  for (const char* name : {kRecordingName, kPowerMetricsName}) {
    METE_TRY_VOID(check_writable(path(name)));
  }
  return {};
}

void Recorder::Impl::lost(std::string_view what, const Result<void>& outcome) {
  if (outcome) return;
  complete = false;
  warnings.push_back(fmt::format("{}: {}", what, outcome.error().what));
}

void Recorder::Impl::open_files() {
  opened = true;
  if (!writes()) return;
  const RecordingFile::Header head{header, clock.wall_seconds(), to_seconds(options.process_period),
                                   shares.meter() != nullptr, options.estimate};
  const auto made = own.open(path(kRecordingName), head, series);
  lost("no recording", made);
  // Dates of a virtual clock would be taken for real ones.
  if (made && !header.replayed) lost("no recording", theirs.open(path(kPowerMetricsName)));
}

void Recorder::Impl::meter_processes(Platform& platform, Nanoseconds now, bool last) {
  const bool all = last || now - last_process_record >= kProcessRecordEvery;
  shares.update(platform, series, all);
  auto* meter = shares.meter();
  if (meter != nullptr && writes() && now - last_io >= kIoEvery) {
    meter->update_io();
    last_io = now;
  }
  if (meter != nullptr && writes() && now - last_memory >= options.memory_period) {
    meter->update_memory();
    last_memory = now;
  }
  theirs.window(to_seconds(now - last_process), clock.wall_seconds(), platform, series, meter);
  own.processes(now, shares, all);
  if (all) last_process_record = now;
  last_process = now;
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
    r.last_process = r.last_process_record = r.last_region_record = r.last_flush = now;
    r.last_memory = r.last_io = now - std::chrono::hours(1);
    r.own.sample(now, r.clock.wall_seconds(), r.series);
    if (r.regions != nullptr) r.regions->drain(now, r.gained());
    r.last_time = now;
    return;
  }
  // Only once the workload runs: a mistyped command must not cost the recording before.
  if (!r.opened) r.open_files();
  if (r.own.is_open()) {
    r.own.sample(now, r.clock.wall_seconds(), r.series);
    r.own.errors(now, platform, r.series, r.samples);
  }
  if (r.regions != nullptr) r.regions->drain(now, r.gained());
  // Half a period early rather than nearly a whole one late.
  if (now + from_seconds(r.header.period / 2) - r.last_process >= r.options.process_period) {
    r.meter_processes(platform, now, false);
  }
  if (r.regions != nullptr && r.own.is_open() && now - r.last_region_record >= kRegionRecordEvery) {
    r.own.regions(now, r.regions->totals(kEnergyDomains, false));
    r.last_region_record = now;
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
    r.meter_processes(*r.last_platform, r.last_time, true);
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
  r.shares.check(result, r.series, r.warnings);
  r.own.processes(r.last_time, r.shares, true);
  if (r.own.is_open()) {
    r.own.end(r.last_time, r.clock.wall_seconds(), result);
    r.theirs.end();
  }
  r.lost("the recording is cut short", r.own.close());
  r.lost("the recording is cut short", r.theirs.close());
  if (!r.complete) result.outputs_complete = false;
  for (auto& warning : r.warnings) result.warnings.push_back(std::move(warning));
}

}  // namespace mete
