// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/export_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace mete {
namespace {

constexpr std::string_view kHwmon = "HWMON::";

struct UnitWord {
  std::string_view unit;
  std::string_view word;  ///< Prometheus's name of the base unit
  std::string_view said;  ///< the word of the signal's name that says the same; dropped
};
constexpr std::array kUnitWords{
    UnitWord{"J", "joules", "_energy"}, UnitWord{"W", "watts", "_power"},
    UnitWord{"Hz", "hertz", ""},        UnitWord{"B", "bytes", ""},
    UnitWord{"1", "ratio", ""},         UnitWord{"°C", "celsius", ""},
    UnitWord{"s", "seconds", ""},       UnitWord{"V", "volts", ""},
    UnitWord{"A", "amperes", ""}};

const UnitWord* unit_word(std::string_view unit) {
  const auto found = std::find_if(kUnitWords.begin(), kUnitWords.end(),
                                  [unit](const UnitWord& row) { return row.unit == unit; });
  return found == kUnitWords.end() ? nullptr : &*found;
}

bool is_counter(const SignalInfo& info) { return info.behavior == Behavior::monotone; }

/// "HWMON::NVME:COMPOSITE_TEMPERATURE" → "NVME:COMPOSITE"; other names have none.
std::string sensor_of(std::string_view name) {
  if (!name.starts_with(kHwmon)) return {};
  name.remove_prefix(kHwmon.size());
  return std::string(name.substr(0, name.rfind('_')));
}

std::string lower_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool plain = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
    if (plain) {
      out += low;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

/// The name without `_total`: OpenMetrics calls a family so.
std::string family_name(const SignalInfo& info) {
  std::string name = "mete_";
  if (info.name.starts_with(kHwmon)) {
    const auto kind = info.name.rfind('_');
    name += "hwmon_" + lower_name(info.name.substr(kind == std::string::npos ? 0 : kind));
  } else {
    name += lower_name(info.name);
  }
  const UnitWord* word = unit_word(info.unit);
  if (word == nullptr) return name;
  const auto at = word->said.empty() ? std::string::npos : name.find(word->said);
  if (at != std::string::npos) name.erase(at, word->said.size());
  return fmt::format("{}_{}", name, word->word);
}

/// Label values, and (quotes left alone) texts of HELP.
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string labels_of(const WatchedValue& value) {
  const auto domain = domain_name(value.request.domain);
  std::string out = fmt::format("domain=\"{}\"", domain);
  if (value.request.domain != Domain::board) {
    out += fmt::format(",{}=\"{}\"", domain, value.request.index);
  }
  if (!value.zone.empty()) out += fmt::format(",zone=\"{}\"", value.zone);
  if (const auto sensor = sensor_of(value.info.name); !sensor.empty()) {
    out += fmt::format(",sensor=\"{}\"", escaped(sensor, true));
  }
  return out + fmt::format(",source=\"{}\"", source_name(value.info.source));
}

/// One metric: what it is, and its samples ("{labels} value\n").
struct Family {
  std::string name;  // without _total
  std::string unit;
  std::string help;
  bool counter = false;
  std::vector<std::string> samples;
};

std::string_view help_of(const SignalInfo& info) {
  if (!info.name.starts_with(kHwmon)) return info.description;
  return "A sensor of a chip, as the kernel's hwmon tells it; sensors may overlap";
}

Family& family_of(std::vector<Family>& families, const SignalInfo& info) {
  std::string name = family_name(info);
  for (auto& family : families) {
    if (family.name == name && family.counter == is_counter(info)) return family;
  }
  Family family;
  family.name = std::move(name);
  if (const UnitWord* word = unit_word(info.unit)) family.unit = word->word;
  family.help = help_of(info);
  family.counter = is_counter(info);
  families.push_back(std::move(family));
  return families.back();
}

/// Label values must be UTF-8, and a process may call itself anything.
std::string label_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
    bool good = size > 0 && i + size <= text.size();
    for (std::size_t k = 1; good && k < size; ++k) {
      good = (static_cast<unsigned char>(text[i + k]) & 0xc0U) == 0x80U;
    }
    // Of longer forms, those that say what a shorter one says, and halves of pairs.
    const unsigned second = good && size > 2 ? static_cast<unsigned char>(text[i + 1]) : 0xa0U;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0 && size == 3) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90)) {
      good = false;
    }
    const bool control = size == 1 && (lead < 0x20 || lead == 0x7f);
    out += good && !control ? std::string(text.substr(i, size)) : "?";
    i += good ? size : 1;
  }
  return escaped(out, true);
}

void add_processes(std::vector<Family>& families, const std::vector<WatchedProcess>& processes) {
  if (processes.empty()) return;
  std::vector<Family> rows{
      {"mete_process_watts",
       "watts",
       "Power attributed to a process over the last period",
       false,
       {}},
      {"mete_process_joules",
       "joules",
       "Energy attributed to a process since it was first seen",
       true,
       {}},
      {"mete_process_cpu_seconds",
       "seconds",
       "CPU time of a process since it was first seen",
       true,
       {}},
      {"mete_process_cpus_ratio", "ratio", "CPUs' worth of time that a process took", false, {}},
      {"mete_process_resident_bytes", "bytes", "Resident memory of a process", false, {}},
      {"mete_process_gpu_ratio", "ratio", "Share of all GPUs' compute time, summed", false, {}},
      {"mete_process_gpu_memory_bytes", "bytes", "GPU memory that a process holds", false, {}}};
  for (const auto& one : processes) {
    const std::string who = fmt::format("pid=\"{}\",name=\"{}\",cgroup=\"{}\"", one.pid,
                                        label_text(one.name), label_text(one.cgroup));
    const auto tell = [&rows, &who](std::size_t row, double value, std::string_view zone = {}) {
      if (!std::isfinite(value)) return;
      const auto more = zone.empty() ? std::string() : fmt::format(",zone=\"{}\"", zone);
      rows[row].samples.push_back(fmt::format("{{{}{}}} {}", who, more, value));
    };
    for (std::size_t k = 0; k < kSharedDomains.size(); ++k) {
      tell(0, one.watts[k], kSharedDomains[k]);
      tell(1, one.joules[k], kSharedDomains[k]);
    }
    tell(2, one.cpu_seconds);
    tell(3, one.cpus);
    tell(4, one.rss_bytes);
    if (one.gpu_share > 0 || one.gpu_memory_bytes > 0) {
      tell(5, one.gpu_share);
      tell(6, one.gpu_memory_bytes);
    }
  }
  for (auto& row : rows) {
    if (!row.samples.empty()) families.push_back(std::move(row));
  }
}

void add_facts(std::vector<Family>& families, const ExporterFacts& facts) {
  families.push_back({"mete_build_info",
                      "",
                      "Which mete this is",
                      false,
                      {fmt::format("{{version=\"{}\"}} 1", escaped(facts.version, true))}});
  Family available{
      "mete_provider_available", "", "1 where a source of telemetry is there", false, {}};
  for (const auto& provider : facts.providers) {
    available.samples.push_back(fmt::format("{{provider=\"{}\"}} {}", escaped(provider.name, true),
                                            provider.available ? 1 : 0));
  }
  if (!available.samples.empty()) families.push_back(std::move(available));
  families.push_back({"mete_reading_faults",
                      "",
                      "Readings that failed; their values are left out",
                      true,
                      {fmt::format(" {}", facts.faults)}});
  families.push_back({"process_start_time_seconds",
                      "seconds",
                      "When this mete was started, since 1970",
                      false,
                      {fmt::format(" {}", facts.started)}});
}

void write_family(std::string& out, const Family& family, MetricsFormat format) {
  const std::string sample = family.name + (family.counter ? "_total" : "");
  const bool open = format == MetricsFormat::openmetrics;
  const std::string& head = open ? family.name : sample;
  out += fmt::format("# HELP {} {}\n", head, escaped(family.help, open));
  out += fmt::format("# TYPE {} {}\n", head, family.counter ? "counter" : "gauge");
  if (open && !family.unit.empty()) out += fmt::format("# UNIT {} {}\n", head, family.unit);
  for (const auto& line : family.samples) out += fmt::format("{}{}\n", sample, line);
}

}  // namespace

std::string metric_name(const SignalInfo& info) {
  return family_name(info) + (is_counter(info) ? "_total" : "");
}

std::string metrics_text(std::span<const WatchedValue> values, const ExporterFacts& facts,
                         MetricsFormat format, bool with_integrated) {
  std::vector<Family> families;
  std::set<std::string> seen;
  for (const auto& value : values) {
    if (!std::isfinite(value.value)) continue;
    const bool summed = is_counter(value.info) && value.info.source != Source::counter;
    if (summed && !with_integrated) continue;
    const std::string labels = labels_of(value);
    // Two names that differ only in what a metric's name cannot hold: a page with both is refused.
    if (!seen.insert(metric_name(value.info) + labels).second) continue;
    family_of(families, value.info)
        .samples.push_back(fmt::format("{{{}}} {}", labels, value.value));
  }
  add_processes(families, facts.processes);
  add_facts(families, facts);
  std::string out;
  for (const auto& family : families) write_family(out, family, format);
  if (format == MetricsFormat::openmetrics) out += "# EOF\n";
  return out;
}

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::openmetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace mete
