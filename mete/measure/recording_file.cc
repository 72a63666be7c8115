// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/recording_file.h"

#include <cmath>

#include "mete/measure/report_writer.h"
#include "mete/measure/result_json.h"
#include "mete/measure/session.h"

namespace mete {
namespace {

constexpr std::uint64_t kMostErrorRecords = 1000;
constexpr std::uint64_t kFirstSamples = 3;

Json series_json(const RecorderSeries& series) {
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
  return list;
}

Json rules_json() {
  return Json::object(
      {{"cpu", "busy-time share of the active part; active = energy * busy / (busy + idle) time"},
       {"dram", "as cpu"},
       {"gpu", "share of compute time; active = energy * utilisation"}});
}

std::string header_line(const RecordingFile::Header& header, const RecorderSeries& series) {
  return Json::object({{"record", "header"},
                       {"schema", "mete.recording/1"},
                       {"mete", METE_VERSION},
                       {"host", header.run.node},
                       {"profile", header.run.profile},
                       {"agent", header.run.agent},
                       {"start_time", header.run.start_time},
                       {"wall_seconds", header.wall_seconds},
                       {"clock", "monotonic"},
                       {"period_seconds", header.run.period},
                       {"process_period_seconds", header.process_period_seconds},
                       {"replayed", header.run.replayed},
                       {"series", series_json(series)},
                       {"attribution", header.attributed ? rules_json() : Json()},
                       {"estimate", header.estimate}})
             .dump(-1) +
         "\n";
}

}  // namespace

void RecordingFile::begin(const RecorderSeries& series) {
  was_missing_.assign(series.all().size(), false);
  resets_told_.assign(series.all().size(), 0);
}

Result<void> RecordingFile::open(const std::string& path, const Header& header,
                                 const RecorderSeries& series) {
  METE_TRY(file_, LineWriter::open(path));
  file_.write(header_line(header, series));
  file_.write(first_sample_);
  file_.flush();
  return {};
}

void RecordingFile::sample(Nanoseconds now, double wall_seconds, const RecorderSeries& series) {
  line_.clear();
  line_.open('{');
  line_.key("record");
  line_.text("sample");
  line_.key("t_ns");
  line_.integer(now.count());
  line_.member("wall_seconds", wall_seconds);
  line_.key("values");
  line_.open('[');
  for (const auto& one : series.all()) line_.number(one.value);
  line_.close(']');
  line_.close('}');
  if (file_.is_open()) {
    file_.write(line_.end());
  } else {
    first_sample_ = line_.end();
  }
}

namespace {

/// What a reader of the recording should make of a fault.
std::string_view fault_words(const Reading& reading) {
  switch (reading.fault.value_or(Errc::failed)) {
    case Errc::gone:
      return "gives no value: its device is gone";
    case Errc::unavailable:
      return "gives no value: its source does not answer";
    case Errc::denied:
      return "gives no value: it may not be read any more";
    default:
      return "gives no value";
  }
}

}  // namespace

void RecordingFile::errors(Nanoseconds now, const Platform& platform, const RecorderSeries& series,
                           std::uint64_t told) {
  for (std::size_t i = 0; i < series.all().size(); ++i) {
    const auto& one = series.all()[i];
    const bool missing = std::isnan(one.value);
    const bool reset = one.resets > resets_told_[i];
    if (missing == was_missing_[i] && !reset) continue;
    const bool back = !missing && was_missing_[i];
    was_missing_[i] = missing;
    resets_told_[i] = one.resets;
    if ((back && !reset) || told < kFirstSamples || ++errors_ > kMostErrorRecords) continue;
    Json record =
        Json::object({{"record", "error"},
                      {"t_ns", now.count()},
                      {"series", i},
                      {"what", fmt::format("{} {}", report_name(one.request),
                                           reset ? "went back: its device was reset"
                                                 : fault_words(platform.sample(one.handle)))}});
    file_.write(record.dump(-1) + "\n");
  }
}

void RecordingFile::process(const ProcessUse& use, const EnergyShares& shares, Nanoseconds now) {
  line_.clear();
  line_.open('{');
  line_.key("record");
  line_.text("process");
  line_.key("t_ns");
  line_.integer(now.count());
  line_.key("pid");
  line_.integer(use.pid);
  if (use.inner_pid != 0) {
    line_.key("inner_pid");
    line_.integer(use.inner_pid);
  }
  line_.key("name");
  line_.text(use.name);
  line_.member("cpu_seconds", use.cpu_seconds);
  line_.known_member("rss_bytes", use.rss_bytes);
  line_.known_member("pss_bytes", use.pss_bytes);
  line_.known_member("uss_bytes", use.uss_bytes);
  line_.known_member("read_bytes", use.read_bytes);
  line_.known_member("write_bytes", use.written_bytes);
  if (use.gpu_share > 0 || use.gpu_memory_bytes > 0) {
    line_.member("gpu_busy_share", use.gpu_share);
    line_.member("gpu_memory_bytes", use.gpu_memory_bytes);
  }
  line_.key("energy_joules");
  line_.open('{');
  for (std::size_t k = 0; k < kSharedDomains.size(); ++k) {
    if (shares.any(k) && k < use.joules.size()) line_.member(kSharedDomains[k], use.joules[k]);
  }
  line_.close('}');
  if (use.ended) {
    line_.key("ended");
    line_.integer(1);
  }
  line_.close('}');
  file_.write(line_.end());
}

void RecordingFile::processes(Nanoseconds now, const EnergyShares& shares, bool all) {
  if (shares.meter() == nullptr || !file_.is_open()) return;
  for (const auto& use : shares.meter()->processes()) {
    const bool nothing = use.pid == 0 && use.cpu_seconds <= 0;
    if ((all || use.ended) && !nothing) process(use, shares, now);
  }
}

void RecordingFile::region(Nanoseconds now, const RegionTotal& one, bool with_spans) {
  Json record = Json::object({{"record", "region"}, {"t_ns", now.count()}});
  const Json region = region_json(one);
  for (const auto& [key, value] : region.members()) record.set(key, value);
  record.set("level", static_cast<std::int64_t>(one.level));
  if (with_spans) record.set("spans", spans_json(one.spans));
  file_.write(record.dump(-1) + "\n");
}

void RecordingFile::regions(Nanoseconds now, const std::vector<RegionTotal>& regions) {
  if (!file_.is_open()) return;
  for (const auto& one : regions) region(now, one, false);
}

void RecordingFile::end(Nanoseconds now, double wall_seconds, const RunResult& result) {
  const auto put = [this](const Json& record) { file_.write(record.dump(-1) + "\n"); };
  const auto time = now.count();
  if (!result.balances.empty()) {
    put(Json::object(
        {{"record", "attribution"}, {"t_ns", time}, {"domains", balances_json(result.balances)}}));
  }
  for (const auto& one : result.regions) region(now, one, true);
  put(Json::object({{"record", "end"},
                    {"t_ns", time},
                    {"wall_seconds", wall_seconds},
                    {"exit_code", result.exit.code}}));
}

}  // namespace mete
