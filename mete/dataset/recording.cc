// Which format a recording has, and its summary as JSON.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/recording.h"

#include <cmath>

#include "mete/base/files.h"
#include "mete/dataset/recording_lines.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kAiPowerMeter = "aipowermeter";
constexpr const char* kMete = "mete.recording/1";

Result<std::string> file_of(const std::string& path) {
  if (!is_directory(path)) return path;
  for (const char* name : {"recording.ndjson", "power_metrics.json"}) {
    if (auto file = path_join(path, name); path_exists(file)) return file;
  }
  return fail(Errc::invalid,
              "{}: holds neither recording.ndjson nor power_metrics.json; name the file", path);
}

/// By the first line that is one of either; "" if there is none.
std::string format_of(RecordingLines& lines) {
  RecordingLines::Line line;
  while (lines.next(line)) {
    if (line.huge) continue;
    const auto record = parse_recorded_json(line.text);
    if (!record) continue;
    if (record->find("record") != nullptr) return kMete;
    if (record->find("metrics") != nullptr) return kAiPowerMeter;
    if (record->is_string() && record->as_string().starts_with("END OF REC")) return kAiPowerMeter;
  }
  return "";
}

/// null where nothing is known.
Json known(double value) { return std::isnan(value) ? Json() : Json(value); }

Json energy_json(const RecordingEnergy& energy) {
  Json out = Json::object();
  for (std::size_t d = 0; d < energy.size(); ++d) out.set(kRecordingDomains[d], known(energy[d]));
  return out;
}

Json processes_json(const RecordingSummary& summary) {
  Json out = Json::array();
  for (const auto& one : summary.processes) {
    out.push(Json::object({{"pid", one.pid},
                           {"name", one.name.empty() ? Json() : Json(one.name)},
                           {"energy_joules", energy_json(one.energy)},
                           {"cpu_seconds", known(one.cpu_seconds)},
                           {"memory_peak_bytes", known(one.memory_peak_bytes)}}));
  }
  return out;
}

Json regions_json(const RecordingSummary& summary) {
  Json out = Json::array();
  for (const auto& one : summary.regions) {
    out.push(Json::object({{"name", one.name},
                           {"count", static_cast<std::int64_t>(one.count)},
                           {"seconds", one.seconds},
                           {"energy_joules", energy_json(one.energy)},
                           {"own_energy_joules", energy_json(one.own_energy)}}));
  }
  return out;
}

}  // namespace

Result<RecordingSummary> summarise_recording(const std::string& path) {
  METE_TRY(const std::string file, file_of(path));
  RecordingSummary out;
  out.path = file;
  {
    METE_TRY(auto lines, RecordingLines::open(file));
    out.format = format_of(lines);
  }
  if (out.format.empty()) {
    return fail(Errc::invalid,
                "{}: no line of it is a record; expected JSON lines of AIPowerMeter "
                "(power_metrics.json) or of mete (recording.ndjson)",
                file);
  }
  METE_TRY(auto lines, RecordingLines::open(file));
  RecordingIssues issues;
  if (out.format == kMete) {
    read_mete_recording(lines, out, issues);
  } else {
    read_aipowermeter(lines, out, issues);
  }
  if (lines.read_failed()) {
    issues.add("error", 0, kNaN, "the file could not be read to its end");
  }
  out.issues = issues.take();
  return out;
}

Json to_json(const RecordingSummary& summary) {
  Json sources = Json::object();
  for (std::size_t d = 0; d < kRecordingDomains.size(); ++d) {
    const auto& source = summary.sources[d];
    sources.set(kRecordingDomains[d], source.empty() ? Json() : Json(source));
  }
  Json estimates = Json::object();
  for (const auto& [name, joules] : summary.estimates) estimates.set(name, known(joules));
  Json balances = Json::object();
  for (const auto& one : summary.balances) {
    balances.set(one.domain, Json::object({{"measured", one.measured},
                                           {"attributed", one.attributed},
                                           {"idle", one.idle},
                                           {"others", one.others}}));
  }
  Json issues = Json::array();
  for (const auto& one : summary.issues) {
    issues.push(Json::object({{"kind", one.kind},
                              {"line", one.line == 0 ? Json() : Json(std::size_t{one.line})},
                              {"seconds", known(one.seconds)},
                              {"what", one.what}}));
  }
  return Json::object({{"path", summary.path},
                       {"format", summary.format},
                       {"replayed", summary.replayed},
                       {"samples", std::size_t{summary.samples}},
                       {"segments", std::size_t{summary.segments}},
                       {"duration_seconds", summary.duration_seconds},
                       {"energy_joules", energy_json(summary.energy)},
                       {"sources", std::move(sources)},
                       {"estimated_joules", std::move(estimates)},
                       {"attribution", std::move(balances)},
                       {"processes", processes_json(summary)},
                       {"regions", regions_json(summary)},
                       {"issues", std::move(issues)}});
}

}  // namespace mete
