// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/run_figures.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "mete/base/text.h"
#include "mete/dataset/report_file.h"

namespace mete {
namespace {

/// "node1" and "node1.example.org" are one machine.
bool same_machine(const std::string& a, const std::string& b) {
  return a == b || a.starts_with(b + ".") || b.starts_with(a + ".");
}

Result<const ReportHost*> host_of(const ReportFile& report, const std::string& node) {
  std::vector<std::string> names;
  for (const auto& host : report.hosts) {
    if (node.empty() ? report.hosts.size() == 1 : same_machine(host.name, node)) return &host;
    names.push_back(host.name);
  }
  return fail(Errc::invalid, "{}: is of {}, expected node {}", report.path, join(names, ", "),
              node.empty() ? "to be chosen with --node" : node);
}

std::optional<std::pair<double, std::string>> energy_of(const ReportTotals& totals) {
  if (const auto e = totals.signal("GPU_ENERGY", Domain::gpu, 0)) return {{*e, "GPU_ENERGY@gpu-0"}};
  for (const auto* name : {"gpu-energy (J)", "gpu-energy (joules)"}) {
    if (const auto e = totals.find(name)) return {{*e, name}};
  }
  if (const auto e = totals.signal("GPU_ENERGY", Domain::board, 0)) return {{*e, "GPU_ENERGY"}};
  return std::nullopt;
}

/// Slower work keeps the memory powered for longer, which the package's counter does not hold.
std::optional<std::pair<double, std::string>> package_energy_of(const ReportTotals& totals) {
  std::optional<std::pair<double, std::string>> out;
  for (const auto* name : {"package-energy (J)", "dram-energy (J)"}) {
    const auto joules = totals.find(name);
    if (!joules) continue;
    if (!out) {
      out = {*joules, name};
    } else {
      out->first += *joules;
      out->second += fmt::format(" + {}", name);
    }
  }
  return out;
}

double clock_of(const ReportTotals& totals, const TrainingKind& kind) {
  if (kind.domain == Domain::package) {
    return totals.find("frequency (Hz)").value_or(std::numeric_limits<double>::quiet_NaN());
  }
  if (const auto c = totals.signal("GPU_CORE_FREQUENCY_STATUS", Domain::gpu, 0)) return *c;
  return totals.find("gpu-frequency (Hz)").value_or(std::numeric_limits<double>::quiet_NaN());
}

bool usable(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

Result<TimeAndEnergy> read_time_and_energy(const std::string& report, const std::string& node,
                                           const TrainingKind& kind) {
  METE_TRY(const ReportFile file, ReportFile::read(report));
  METE_TRY(const ReportHost* host, host_of(file, node));
  const auto& totals = host->application;
  const auto runtime = totals.runtime();
  if (!runtime) {
    return fail(Errc::invalid, "{}: Application Totals: no 'runtime (s)'; was the run cut short?",
                report);
  }
  const bool package = kind.domain == Domain::package;
  const auto energy = package ? package_energy_of(totals) : energy_of(totals);
  if (!energy && package) {
    return fail(Errc::invalid,
                "{}: Application Totals: no 'package-energy (J)': nothing told the CPUs' energy; "
                "`mete doctor` says what is missing",
                report);
  }
  if (!energy) {
    return fail(Errc::invalid,
                "{}: Application Totals: no GPU energy (GPU_ENERGY@gpu-0 or 'gpu-energy (J)'); "
                "record it with "
                "--signals GPU_ENERGY@gpu",
                report);
  }
  if (!usable(*runtime)) {
    return fail(Errc::invalid, "{}: Application Totals: runtime is {}, expected seconds above 0",
                report, *runtime);
  }
  if (!usable(energy->first)) {
    return fail(Errc::invalid, "{}: Application Totals: {} is {}, expected joules above 0", report,
                energy->second, energy->first);
  }
  return TimeAndEnergy{*runtime, energy->first, energy->second, clock_of(totals, kind)};
}

}  // namespace mete
