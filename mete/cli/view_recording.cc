// Recordings on a page: power over time with the program's regions below it, processes, regions.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "mete/cli/view_parts.h"
#include "mete/dataset/recording.h"
#include "mete/dataset/recording_samples.h"
#include "mete/plot/region_lanes.h"

namespace mete {
namespace {

constexpr const char* kReplayed = "replayed on a board, not measured here";

Table process_rows(const RecordingSummary& summary) {
  Table table;
  std::vector<std::string> pids;
  std::vector<std::string> names;
  std::vector<double> cpu;
  std::vector<double> memory;
  std::array<std::vector<double>, kRecordingDomains.size()> energy;
  for (const auto& one : summary.processes) {
    pids.push_back(one.pid);
    names.push_back(one.name.empty() ? "(unnamed)" : one.name);
    cpu.push_back(one.cpu_seconds);
    memory.push_back(one.memory_peak_bytes);
    for (std::size_t d = 0; d < energy.size(); ++d) energy[d].push_back(one.energy[d]);
  }
  table.add_texts("pid", std::move(pids));
  table.add_texts("name", std::move(names));
  for (std::size_t d = 0; d < energy.size(); ++d) {
    const bool known =
        std::any_of(energy[d].begin(), energy[d].end(), [](double v) { return !std::isnan(v); });
    if (known)
      table.add_numbers(fmt::format("{}_energy", kRecordingDomains[d]), "J", std::move(energy[d]));
  }
  table.add_numbers("cpu_time", "s", std::move(cpu));
  table.add_numbers("memory_peak", "B", std::move(memory));
  return table;
}

Table region_rows(const RecordingSummary& summary) {
  Table table;
  std::vector<std::string> names;
  std::vector<double> counts;
  std::vector<double> seconds;
  std::array<std::vector<double>, kRecordingDomains.size()> energy;
  for (const auto& one : summary.regions) {
    names.push_back(one.name);
    counts.push_back(static_cast<double>(one.count));
    seconds.push_back(one.seconds);
    for (std::size_t d = 0; d < energy.size(); ++d) energy[d].push_back(one.energy[d]);
  }
  table.add_texts("region", std::move(names));
  table.add_numbers("seconds", "s", std::move(seconds));
  table.add_numbers("count", "", std::move(counts));
  for (std::size_t d = 0; d < energy.size(); ++d) {
    const bool known =
        std::any_of(energy[d].begin(), energy[d].end(), [](double v) { return !std::isnan(v); });
    if (known)
      table.add_numbers(fmt::format("{}_energy", kRecordingDomains[d]), "J", std::move(energy[d]));
  }
  return table;
}

/// When regions were entered, one row for each span.
Table span_rows(const RecordingSummary& summary) {
  std::vector<std::string> names;
  std::array<std::vector<double>, 5> columns;
  for (const auto& region : summary.regions) {
    for (const auto& span : region.spans) {
      names.push_back(region.name);
      const std::array values{span.begin, span.end, static_cast<double>(span.count), span.seconds,
                              static_cast<double>(span.threads)};
      for (std::size_t i = 0; i < values.size(); ++i) columns.at(i).push_back(values.at(i));
    }
  }
  Table table;
  table.add_texts("region", std::move(names));
  constexpr std::array<std::pair<const char*, const char*>, 5> kNames{
      {{"begin", "s"}, {"end", "s"}, {"count", ""}, {"seconds", "s"}, {"threads", ""}}};
  for (std::size_t i = 0; i < columns.size(); ++i)
    table.add_numbers(kNames.at(i).first, kNames.at(i).second, std::move(columns.at(i)));
  return table;
}

ExplorerLanes lanes_of(const RecordingSummary& summary, std::string x) {
  std::vector<RegionLane> lanes;
  double last = 0;
  for (const auto& region : summary.regions) {
    RegionLane lane{region.name, region.level, region.count, region.seconds, {}};
    for (const auto& span : region.spans) {
      lane.spans.push_back({span.begin, span.end, span.count, span.seconds, span.threads});
      last = std::max(last, span.end);
    }
    lanes.push_back(std::move(lane));
  }
  const DrawnLanes drawn = choose_lanes(std::move(lanes), 0, last);
  ExplorerLanes out;
  out.x = std::move(x);
  if (!drawn.lanes.empty()) out.note = describe_lanes(drawn);
  for (const auto& lane : drawn.lanes) {
    ExplorerLanes::Row row{describe_lane(lane), lane.level, {}};
    for (const auto& span : lane.spans) {
      row.bands.push_back({span.begin, span.end, share_of(span),
                           fmt::format("{}\n{}", lane.name, describe_span(span))});
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

/// The spans as numbers, and drawn: what shows regions over time where no power was recorded.
void add_spans(const RecordingSummary& summary, const std::string& name,
               ExplorerDocument& document) {
  const Table spans = span_rows(summary);
  if (spans.rows() == 0) return;
  auto out = explore(spans, name + ": regions over time", {"begin"});
  out.panels = {{"begin", "seconds", "region", {}}, {"region", "seconds", "", {}}};
  out.lanes = lanes_of(summary, "begin");
  document.tables.push_back(std::move(out));
}

}  // namespace

Result<void> view_recording(const std::string& path, const std::string& name,
                            ExplorerDocument& document) {
  METE_TRY(const auto summary, summarise_recording(path));
  METE_TRY(const auto power, read_recording_power(summary.path, kMostViewRows));
  document.notes.push_back(fmt::format("{}: {} samples over {:.4g} s{}{}", name, summary.samples,
                                       summary.duration_seconds,
                                       summary.replayed ? fmt::format("; {}", kReplayed) : "",
                                       summary.issues.empty() ? "" : "; what is odd in it:"));
  for (std::size_t i = 0; i < std::min<std::size_t>(summary.issues.size(), 3); ++i)
    document.notes.push_back(fmt::format("{}: {}", name, summary.issues[i].what));
  if (power.rows() == 0 && summary.processes.empty() && summary.regions.empty())
    return fail(Errc::invalid, "{}: a recording without two samples: nothing to draw", path);
  if (power.rows() > 0) {
    auto out = explore(power, name, {"time"});
    for (auto& column : out.columns) {
      if (column.column.name == "power")
        column.source = summary.replayed ? "replayed" : "energy of each interval over its time";
    }
    out.panels = {{"time", "power", "part", {}}, {"part", "power", "", {}}};
    out.lanes = lanes_of(summary, "time");
    document.tables.push_back(std::move(out));
  }
  add_spans(summary, name, document);
  if (!summary.processes.empty()) {
    auto out = explore(process_rows(summary), name + ": processes", {});
    out.panels = {{"pid", measure_with(out, "energy"), "", {}}, {"pid", "cpu_time", "", {}}};
    document.tables.push_back(std::move(out));
  }
  if (!summary.regions.empty()) {
    auto out = explore(region_rows(summary), name + ": regions", {});
    out.panels = {{"region", "seconds", "", {}}, {"region", measure_with(out, "energy"), "", {}}};
    document.tables.push_back(std::move(out));
  }
  return {};
}

}  // namespace mete
