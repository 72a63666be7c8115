// mete recording: what a recording of power and use comes to.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/recording.h"

#include <cmath>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"

namespace mete {
namespace {

constexpr std::size_t kMostRows = 20;

struct Settings {
  std::string action;
  std::string path;
  bool json = false;
};

std::string joules(double value) {
  return std::isnan(value) ? "-" : format_quantity(value, "J", 5);
}

void print_domains(const RecordingSummary& summary) {
  std::vector<std::vector<std::string>> rows{{"  domain", "energy", "mean power", "source"}};
  for (std::size_t d = 0; d < kRecordingDomains.size(); ++d) {
    const double energy = summary.energy[d];
    const double watts = energy / summary.duration_seconds;
    rows.push_back({fmt::format("  {}", kRecordingDomains[d]),
                    std::isnan(energy) ? "unknown" : joules(energy),
                    std::isfinite(watts) ? format_quantity(watts, "W", 4) : "-",
                    summary.sources[d].empty() ? "-" : summary.sources[d]});
  }
  for (const auto& [name, energy] : summary.estimates) {
    rows.push_back({"  " + name, joules(energy), "-", "estimated"});
  }
  fmt::print("{}", align(rows));
}

void print_balances(const RecordingSummary& summary) {
  if (summary.balances.empty()) return;
  std::vector<std::vector<std::string>> rows{
      {"  domain", "measured", "= processes", "+ idle", "+ others"}};
  for (const auto& one : summary.balances) {
    rows.push_back({"  " + one.domain, joules(one.measured), joules(one.attributed),
                    joules(one.idle), joules(one.others)});
  }
  fmt::print("\nwhere it went\n{}", align(rows));
}

void print_processes(const RecordingSummary& summary) {
  if (summary.processes.empty()) return;
  std::vector<std::vector<std::string>> rows{
      {"  pid", "package", "core", "dram", "gpu", "CPU time", "memory", "name"}};
  const auto& all = summary.processes;
  for (std::size_t i = 0; i < std::min(all.size(), kMostRows); ++i) {
    const auto& one = all[i];
    const auto energy = [&one](std::string_view domain) {
      return joules(one.energy[recording_domain(domain)]);
    };
    rows.push_back(
        {"  " + one.pid, energy("package"), energy("core"), energy("dram"), energy("gpu"),
         std::isnan(one.cpu_seconds) ? "-" : format_quantity(one.cpu_seconds, "s", 4),
         std::isnan(one.memory_peak_bytes) ? "-" : format_quantity(one.memory_peak_bytes, "B", 3),
         one.name.empty() ? "-" : one.name});
  }
  fmt::print("\nprocesses ({})\n{}", all.size(), align(rows));
  if (all.size() > kMostRows) {
    fmt::print("  and {} more; --json lists them all\n", all.size() - kMostRows);
  }
}

void print_regions(const RecordingSummary& summary) {
  if (summary.regions.empty()) return;
  std::vector<std::vector<std::string>> rows{
      {"  region", "count", "time", "package", "dram", "gpu"}};
  for (const auto& one : summary.regions) {
    const auto energy = [&one](std::string_view domain) {
      return joules(one.energy[recording_domain(domain)]);
    };
    rows.push_back({"  " + one.name, fmt::format("{}", one.count),
                    format_quantity(one.seconds, "s", 4), energy("package"), energy("dram"),
                    energy("gpu")});
  }
  fmt::print("\nregions\n{}", align(rows));
}

void print_summary(const RecordingSummary& summary) {
  fmt::print(
      "{}: {} recording{}, {} over {}{}\n", summary.path, summary.format,
      summary.replayed ? " of a board (replayed)" : "",
      summary.samples == 1 ? std::string("1 sample") : fmt::format("{} samples", summary.samples),
      format_quantity(summary.duration_seconds, "s", 4),
      summary.segments > 1 ? fmt::format(" in {} segments", summary.segments) : "");
  print_domains(summary);
  print_balances(summary);
  print_processes(summary);
  print_regions(summary);
  if (summary.issues.empty()) return;
  fmt::print("\nissues\n");
  for (const auto& one : summary.issues) {
    const auto where = one.line == 0 ? std::string() : fmt::format(" line {}", one.line);
    fmt::print("  {}{}: {}\n", one.kind, where, one.what);
  }
}

Result<ExitCode> run(const Settings& settings) {
  if (settings.action != "summary") {
    return fail(Errc::invalid, "'{}': expected summary, as in `mete recording summary DIR`",
                settings.action);
  }
  METE_TRY(const RecordingSummary summary, summarise_recording(settings.path));
  if (settings.json) {
    fmt::print("{}\n", to_json(summary).dump());
  } else {
    print_summary(summary);
  }
  return 0;
}

}  // namespace

Runner add_recording(OptionSet& app) {
  auto settings = std::make_shared<Settings>();
  app.add_option("ACTION", settings->action, "summary")->required();
  app.add_option("PATH", settings->path,
                 "A recording (mete's NDJSON or AIPowerMeter's JSON lines), or its folder")
      ->required();
  app.add_flag("--json", settings->json, "Print the summary as JSON");
  return [settings](const Context&) { return run(*settings); };
}

}  // namespace mete
