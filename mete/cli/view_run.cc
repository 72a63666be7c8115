// Runs, sweeps and training tables on a page. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/cli/view_parts.h"
#include "mete/dataset/report_file.h"
#include "mete/dataset/stored_tables.h"
#include "mete/dataset/trace_file.h"
#include "mete/dataset/training_table.h"
#include "mete/study/manifest.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kReplayed = "replayed on a board, not measured here";

Table sweep_rows(const Manifest& manifest) {
  Table table;
  std::vector<std::vector<double>> values(manifest.plan.axes.size());
  std::vector<std::string> reference;
  std::vector<std::string> status;
  std::vector<double> trial;
  std::vector<double> runtime;
  std::vector<double> energy;
  std::vector<double> power;
  std::vector<double> order;
  for (const auto& point : manifest.points) {
    if (point.status == PointStatus::pending) continue;
    for (std::size_t a = 0; a < values.size(); ++a)
      values[a].push_back(a < point.plan.values.size() ? point.plan.values[a] : kNaN);
    reference.emplace_back(point.plan.reference ? "yes" : "no");
    status.emplace_back(point_status_name(point.status));
    trial.push_back(static_cast<double>(point.plan.trial));
    runtime.push_back(point.runtime);
    energy.push_back(point.energy);
    power.push_back(point.energy / point.runtime);
    order.push_back(static_cast<double>(point.sequence));
  }
  for (std::size_t a = 0; a < values.size(); ++a)
    table.add_numbers(manifest.plan.axes[a].control, manifest.plan.axes[a].unit, values[a]);
  table.add_texts("reference", std::move(reference));
  table.add_texts("status", std::move(status));
  table.add_numbers("trial", "", std::move(trial));
  table.add_numbers("runtime", "s", std::move(runtime));
  table.add_numbers("energy", "J", std::move(energy));
  table.add_numbers("power", "W", std::move(power));
  table.add_numbers("order", "", std::move(order));
  make_names_unique(table);
  return table;
}

/// What units mete's own reports state for their signals: {"GPU_POWER@gpu-0": "W"}.
std::map<std::string, std::string> stated_units(const ReportHost& host) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : host.agent_values) {
    if (key != "mete units") continue;
    const auto json = parse_json(value);
    if (!json) continue;
    for (const auto& [signal, unit] : json->members()) out[signal] = unit.as_string();
  }
  return out;
}

class ReportRows {
 public:
  void add(const std::string& host, const std::string& section, const ReportTotals& totals) {
    if (totals.empty()) return;
    for (const auto& [name, value] : totals.values()) {
      auto [found, fresh] = columns_.try_emplace(name, order_.size());
      if (fresh) {
        order_.push_back(name);
        values_.emplace_back();
      }
      auto& column = values_[found->second];
      column.resize(hosts_.size(), kNaN);
      column.push_back(value);
    }
    hosts_.push_back(host);
    sections_.push_back(section);
  }
  Table table(const std::map<std::string, std::string>& units) {
    Table out;
    out.add_texts("section", sections_);
    out.add_texts("host", hosts_);
    for (std::size_t c = 0; c < order_.size(); ++c) {
      values_[c].resize(hosts_.size(), kNaN);
      auto [name, unit] = split_unit(order_[c], '(', ')');
      if (const auto stated = units.find(order_[c]); stated != units.end()) unit = stated->second;
      if (unit == "sec") unit = "s";
      if (unit == "joules") unit = "J";
      if (unit == "watts") unit = "W";
      out.add_numbers(name, unit, std::move(values_[c]));
    }
    make_names_unique(out);
    return out;
  }

 private:
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> order_;
  std::vector<std::vector<double>> values_;
  std::vector<std::string> hosts_;
  std::vector<std::string> sections_;
};

}  // namespace

std::string measure_with(const ExplorerTable& table, std::string_view part) {
  for (const auto& column : table.columns) {
    if (!column.dimension && !column.column.is_text() &&
        column.column.name.find(part) != std::string::npos)
      return column.column.name;
  }
  return "";
}

Result<void> view_sweep(const std::string& path, const std::string& name,
                        ExplorerDocument& document) {
  std::vector<std::string> notices;
  METE_TRY(const auto manifest, load_manifest(path, notices));
  for (const auto& line : notices) document.notes.push_back(name + ": " + line);
  const auto table = sweep_rows(manifest);
  if (table.rows() == 0)
    return fail(Errc::invalid, "{}: a sweep of which no run is done yet", path);
  std::vector<std::string> dimensions{"trial"};
  for (const auto& axis : manifest.plan.axes) dimensions.push_back(axis.control);
  auto out = explore(table, name, dimensions);
  for (auto& column : out.columns) {
    if (column.column.name == "energy" || column.column.name == "power")
      column.source = std::string(source_name(manifest.source));
  }
  const auto& first = manifest.plan.axes.front().control;
  const auto second = manifest.plan.axes.size() > 1 ? manifest.plan.axes[1].control : "";
  const std::vector<std::pair<std::string, std::string>> fixed{{"reference", "no"},
                                                               {"status", "done"}};
  out.panels = {{first, "energy", second, fixed}, {first, "runtime", second, fixed}};
  document.notes.push_back(
      fmt::format("{}: {} on {}: {} runs done, {} failed, {} to do{}", name, manifest.plan.app,
                  manifest.plan.target, manifest.count(PointStatus::done),
                  manifest.count(PointStatus::failed), manifest.count(PointStatus::pending),
                  manifest.source == Source::replayed ? fmt::format("; {}", kReplayed) : ""));
  document.tables.push_back(std::move(out));
  return {};
}

Result<void> view_trace(const std::string& path, const std::string& name,
                        ExplorerDocument& document) {
  METE_TRY(auto table, read_trace_table(path, {}, kMostViewRows));
  METE_TRY(const auto file, TraceFile::open(path));
  if (table.rows() == 0) return fail(Errc::invalid, "{}: a trace without rows", path);
  make_names_unique(table);
  auto out = explore(table, name, {"TIME"});
  if (file.preamble("mete_replayed") == "true" || file.preamble("source") == "replayed")
    document.notes.push_back(name + ": " + kReplayed);
  // Words in a trace (region hashes) are nothing to fix: they would ask the reader a question
  // without use.
  for (auto& column : out.columns) column.dimension = column.column.name == "TIME";
  out.panels = {{"TIME", measure_with(out, "POWER"), "", {}},
                {"TIME", measure_with(out, "FREQUENCY"), "", {}}};
  document.tables.push_back(std::move(out));
  return {};
}

Result<void> view_report(const std::string& path, const std::string& name,
                         ExplorerDocument& document) {
  METE_TRY(const auto report, ReportFile::read(path));
  ReportRows rows;
  std::map<std::string, std::string> units;
  for (const auto& host : report.hosts) {
    units.merge(stated_units(host));
    for (const auto& region : host.regions) rows.add(host.name, region.name, region.totals);
    rows.add(host.name, "Unmarked Totals", host.unmarked);
    rows.add(host.name, "Epoch Totals", host.epoch);
    rows.add(host.name, "Application Totals", host.application);
    for (const auto& [section, totals] : host.others) rows.add(host.name, section, totals);
  }
  const auto table = rows.table(units);
  if (table.rows() == 0) return fail(Errc::invalid, "{}: a report without figures", path);
  auto out = explore(table, name, {});
  const auto series = report.hosts.size() > 1 ? "host" : "";
  const auto energy = measure_with(out, "energy");
  out.panels = {{"section", energy.empty() ? measure_with(out, "power") : energy, series, {}},
                {"section", measure_with(out, "runtime"), series, {}}};
  document.notes.push_back(fmt::format("{}: {}, agent {}", name, report.profile, report.agent));
  for (const auto& [key, value] : report.header) {
    if (key == "mete Replayed" && value == "true")
      document.notes.push_back(name + ": " + kReplayed);
  }
  document.tables.push_back(std::move(out));
  return {};
}

Result<void> view_stored_tables(const std::string& path, const std::string& name,
                                ExplorerDocument& document) {
  METE_TRY(auto stored, read_stored_tables(path, kMostViewRows));
  for (const auto& line : stored.left_out) document.notes.push_back("left out: " + line);
  // The trace rows first: they are what a training table is for.
  std::stable_sort(stored.tables.begin(), stored.tables.end(),
                   [](const auto& a, const auto& b) { return a.table.rows() > b.table.rows(); });
  for (auto& one : stored.tables) {
    if (one.table.rows() == 0) continue;
    make_names_unique(one.table);
    auto dimensions = likely_dimensions(one.table);
    // A signal that keeps its value is measured all the same; an index only repeats a name.
    std::erase_if(dimensions, [](const std::string& column) {
      return column == column::kAppIndex || !trace_unit(describe_column(column).signal).empty();
    });
    auto out = explore(one.table, name + ": " + one.name, dimensions);
    for (auto& column : out.columns) {
      auto& values = column.column;
      if (!values.is_text()) continue;
      // A text of which every row has its own (a file's name) asks the reader a question without
      // use.
      const std::set<std::string> distinct(values.texts().begin(), values.texts().end());
      column.dimension = distinct.size() * 3 <= values.size() || distinct.size() <= 8;
    }
    const bool clocks = one.table.find("gpu-frequency") != nullptr;
    const auto power = measure_with(out, "POWER");
    if (clocks && !power.empty()) {
      const std::vector<std::pair<std::string, std::string>> fixed{
          {std::string(column::kIsRoi), "1"}};
      out.panels = {{"gpu-frequency", power, "app-config", fixed},
                    {"gpu-frequency", measure_with(out, "ACTIVITY"), "app-config", fixed}};
    } else if (clocks && one.table.find("energy") != nullptr) {
      out.panels = {{"gpu-frequency", "energy", "app-config", {}},
                    {"gpu-frequency", "runtime", "app-config", {}}};
    }
    if (one.replayed) document.notes.push_back(name + ": " + one.name + ": " + kReplayed);
    document.tables.push_back(std::move(out));
  }
  return {};
}

}  // namespace mete
