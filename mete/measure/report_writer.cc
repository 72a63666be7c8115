// Written by hand: order, and the form of every number, are part of the format.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/report_writer.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/measure/yaml_text.h"

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Lines of one section, at one indent.
class Section {
 public:
  Section(std::string& text, int indent)
      : text_(text), indent_(static_cast<std::size_t>(indent), ' ') {}
  void line(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}{}: {}\n", indent_, key, value);
  }
  void number(std::string_view key, double value) { line(key, yaml_number(value)); }
  /// A standard field: left out when it was not measured.
  void measured(std::string_view key, double value) {
    if (!std::isnan(value)) number(key, value);
  }
  void count(std::string_view key, std::uint64_t value) { line(key, fmt::format("{}", value)); }

 private:
  std::string& text_;
  std::string indent_;
};

/// The mean over a signal's parts; NaN if none was read.
double mean_over_parts(const RunResult& result, std::string_view name) {
  double sum = 0;
  int n = 0;
  for (const auto& one : result.totals) {
    if (one.request.name != name || std::isnan(one.value)) continue;
    sum += one.value;
    ++n;
  }
  return n == 0 ? kNaN : sum / n;
}

double first_known(double a, double b) { return std::isnan(a) ? b : a; }

/// GEOPM's names and its definitions of them (Reporter.cpp): energies are differences, power is
/// energy over time, frequency in % is that of the sticker frequency.
void standard_fields(Section& out, const RunResult& r) {
  const double sampled = first_known(r.total("TIME"), r.seconds);
  const double ratio = r.total("CPU_CYCLES_THREAD") / r.total("CPU_CYCLES_REFERENCE");
  const double hertz = r.total("CPU_FREQUENCY_STATUS");
  const double sticker = r.total("CPU_FREQUENCY_STICKER");
  out.measured("sync-runtime (s)", sampled);
  out.measured("package-energy (J)", r.total("CPU_ENERGY"));
  out.measured("dram-energy (J)", r.total("DRAM_ENERGY"));
  out.measured("power (W)", first_known(r.total("CPU_ENERGY") / sampled, r.total("CPU_POWER")));
  out.measured("frequency (%)", 100 * first_known(ratio, hertz / sticker));
  out.measured("frequency (Hz)", first_known(ratio * sticker, hertz));
  out.measured("gpu-energy (J)", r.total("GPU_ENERGY"));
  out.measured("gpu-power (W)", first_known(r.total("GPU_POWER"), r.total("GPU_ENERGY") / sampled));
  out.measured("gpu-core-energy (J)", r.total("GPU_CORE_ENERGY"));
  out.measured("gpu-core-power (W)", r.total("GPU_CORE_POWER"));
  out.measured("gpu-frequency (Hz)", mean_over_parts(r, "GPU_CORE_FREQUENCY_STATUS"));
  out.measured("uncore-frequency (Hz)", mean_over_parts(r, "CPU_UNCORE_FREQUENCY_STATUS"));
}

void epoch_fields(Section& out, const EpochTotals& epochs) {
  out.number("runtime (s)", epochs.seconds);
  out.count("count", static_cast<std::uint64_t>(epochs.count));
  if (epochs.totals.empty()) return;
  RunResult figures;
  figures.seconds = epochs.seconds;
  figures.totals = epochs.totals;
  standard_fields(out, figures);
  out.measured("mete seconds per epoch", epochs.period);
}

void signal_fields(Section& out, const RunResult& result) {
  for (const auto& one : result.totals) out.number(report_name(one.request), one.value);
}

void loop_fields(Section& out, const LoopCost& loop, double seconds) {
  out.number("GEOPM overhead (s)", loop.cpu_share * seconds);
  out.count("mete loop periods", loop.periods);
  out.count("mete loop overruns", loop.overruns);
  out.number("mete loop period mean (s)", loop.period_mean);
  out.number("mete loop period p99 (s)", loop.period_p99);
  out.number("mete loop period worst (s)", loop.period_worst);
  out.number("mete loop lateness p99 (s)", loop.lateness_p99);
  out.number("mete loop lateness worst (s)", loop.lateness_worst);
  out.number("mete loop share of a core", loop.cpu_share);
}

void host_lines(Section& out, const Report& report) {
  for (const auto& [key, value] : report.agent_lines) out.line(yaml_text(key), yaml_value(value));
  Json sources = Json::object();
  Json units = Json::object();
  Json faults = Json::object();
  for (const auto& one : report.result.totals) {
    const auto name = report_name(one.request);
    sources.set(name, source_name(one.source));
    units.set(name, one.unit);
    if (one.faults > 0) faults.set(name, static_cast<std::int64_t>(one.faults));
  }
  out.line("mete sources", yaml_flow(sources));
  out.line("mete units", yaml_flow(units));
  out.line("mete faults", yaml_flow(faults));
  out.count("mete exit code", static_cast<std::uint64_t>(std::max(0, report.result.exit.code)));
  if (report.result.exit.signal != 0) {
    out.count("mete exit signal", static_cast<std::uint64_t>(report.result.exit.signal));
  }
  if (report.result.interrupted) out.line("mete interrupted", "true");
  for (std::size_t i = 0; i < report.result.warnings.size(); ++i) {
    out.line(fmt::format("mete warning {}", i + 1), yaml_text(report.result.warnings[i]));
  }
}

/// As one line of YAML whose numbers are numbers to YAML 1.1 too.
std::string policy_text(const std::string& json) {
  const auto parsed = parse_json(json.empty() ? "{}" : json);
  if (!parsed || !parsed->is_object()) return yaml_text(json);
  return yaml_flow(*parsed);
}

/// As GEOPM lists them, with the node's energies by mete's rule (docs/regions.md).
void region_sections(std::string& text, const RunResult& result) {
  if (result.regions.empty()) return;
  text += "    Regions:\n";
  for (const auto& region : result.regions) {
    text += fmt::format("    -\n      region: {}\n", yaml_text(region.name));
    std::uint32_t hash = 2166136261U;  // FNV-1a: GEOPM's readers want one of each region
    for (const char c : region.name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    Section fields(text, 6);
    fields.line("hash", fmt::format("0x{:08x}", hash));
    fields.number("runtime (s)", region.seconds);
    fields.count("count", region.count);
    for (const auto& [domain, joules] : region.joules) {
      fields.number(fmt::format("{}-energy (J)", domain), joules);
    }
    for (const auto& [domain, joules] : region.own_joules) {
      fields.number(fmt::format("mete own {}-energy (J)", domain), joules);
    }
  }
}

}  // namespace

std::string format_report(const Report& report) {
  const RunHeader& header = report.header;
  const RunResult& result = report.result;
  std::string text;
  Section top(text, 0);
  top.line("GEOPM Version", kGeopmFormat);
  top.line("Start Time", header.start_time);
  top.line("Profile", yaml_text(header.profile));
  top.line("Agent", yaml_text(header.agent));
  top.line("Policy", policy_text(header.policy));
  Json initial = Json::object();
  for (const auto& one : report.initial) initial.set(report_name(one.request), one.value);
  // GEOPM's reader takes one level of a policy: initial controls have a key of their own.
  top.line("mete Initial Controls", yaml_flow(initial));
  top.number("mete Period (s)", header.period);
  top.line("mete Replayed", header.replayed ? "true" : "false");
  text += "\nHosts:\n";
  text += fmt::format("  {}:\n", yaml_text(header.node));

  Section host(text, 4);
  host_lines(host, report);
  region_sections(text, result);
  // What lies outside of regions is told by their own energies; for GEOPM's RawReportCollection,
  // which fails on reports that lack these sections, the whole run is "unmarked".
  text += "    Unmarked Totals:\n";
  Section fields(text, 6);
  fields.number("runtime (s)", result.seconds);
  fields.count("count", 0);
  standard_fields(fields, result);
  text += "    Epoch Totals:\n";
  epoch_fields(fields, result.epochs);
  text += "    Application Totals:\n";
  fields.number("runtime (s)", result.seconds);
  fields.count("count", 0);
  standard_fields(fields, result);
  signal_fields(fields, result);
  loop_fields(fields, result.loop, result.seconds);
  return text;
}

Result<void> check_writable(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return fail(Errc::invalid, "{}: is a folder, expected a file", path);
    if (!S_ISREG(info.st_mode)) return {};  // a device or pipe: /dev/stdout
  }
  // The report will be written beside its place and renamed: what is asked for is the folder.
  const std::string probe = fmt::format("{}.probe-{}", path, ::getpid());
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) {
    return fail(Errc::invalid,
                "{}: cannot write: {}; choose a folder that exists and that you may write", path,
                errno_text(errno));
  }
  ::close(fd);
  ::unlink(probe.c_str());
  return {};
}

}  // namespace mete
