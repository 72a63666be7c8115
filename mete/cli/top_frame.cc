// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/top_frame.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/base/utf8.h"

namespace mete {
namespace {

enum class Group { board, package, dram, gpu };
constexpr std::array<std::string_view, 4> kGroupNames{"board", "package", "dram", "gpu"};

struct CellRule {
  std::string_view signal;
  Group group;
  double TopPart::* cell;
};
/// Where a cell is told twice, the first in this order that has a value.
constexpr std::array kCells{CellRule{"BOARD_POWER", Group::board, &TopPart::watts},
                            CellRule{"BOARD_ENERGY", Group::board, &TopPart::joules},
                            CellRule{"MEMORY_USED", Group::board, &TopPart::memory_used},
                            CellRule{"MEMORY_TOTAL", Group::board, &TopPart::memory_total},
                            CellRule{"CPU_POWER", Group::package, &TopPart::watts},
                            CellRule{"CPU_ENERGY", Group::package, &TopPart::joules},
                            CellRule{"CPU_UTILIZATION", Group::package, &TopPart::use},
                            CellRule{"CPU_FREQUENCY_STATUS", Group::package, &TopPart::hertz},
                            CellRule{"CPU_PACKAGE_TEMPERATURE", Group::package, &TopPart::celsius},
                            CellRule{"CPU_CORE_TEMPERATURE", Group::package, &TopPart::celsius},
                            CellRule{"DRAM_POWER", Group::dram, &TopPart::watts},
                            CellRule{"DRAM_ENERGY", Group::dram, &TopPart::joules},
                            CellRule{"GPU_POWER", Group::gpu, &TopPart::watts},
                            CellRule{"GPU_ENERGY", Group::gpu, &TopPart::joules},
                            CellRule{"GPU_UTILIZATION", Group::gpu, &TopPart::use},
                            CellRule{"GPU_CORE_FREQUENCY_STATUS", Group::gpu, &TopPart::hertz},
                            CellRule{"GPU_TEMPERATURE", Group::gpu, &TopPart::celsius},
                            CellRule{"GPU_MEMORY_USED", Group::gpu, &TopPart::memory_used},
                            CellRule{"GPU_MEMORY_TOTAL", Group::gpu, &TopPart::memory_total}};

std::size_t rule_of(std::string_view signal) {
  const auto found = std::find_if(kCells.begin(), kCells.end(),
                                  [signal](const CellRule& rule) { return rule.signal == signal; });
  return static_cast<std::size_t>(found - kCells.begin());
}

std::string quantity(double value, std::string_view unit) {
  return std::isnan(value) ? "-" : format_quantity(value, unit);
}

std::string memory(const TopPart& part) {
  if (std::isnan(part.memory_used)) return "-";
  constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
  if (std::isnan(part.memory_total)) return fmt::format("{:.1f} GiB", part.memory_used / kGiB);
  return fmt::format("{:.1f}/{:.0f} GiB", part.memory_used / kGiB, part.memory_total / kGiB);
}

/// The first `width` characters of UTF-8 text.
std::string cut(std::string_view text, std::size_t width) {
  std::size_t shown = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xC0U) != 0x80U;
    if (begins && shown++ == width) break;
  }
  return std::string(text.substr(0, end));
}

std::string part_line(const TopPart& part) {
  return fmt::format("{:<10}{:>8} {:>8} {:>6} {:>9} {:>7} {:>13}  {}", part.name,
                     quantity(part.watts, "W"), quantity(part.joules, "J"),
                     std::isnan(part.use) ? "-" : format_percent(part.use, 0),
                     quantity(part.hertz, "Hz"),
                     std::isnan(part.celsius) ? "-" : fmt::format("{:.0f} °C", part.celsius),
                     memory(part), part.source ? source_name(*part.source) : "-");
}

std::string process_line(const TopProcess& process) {
  constexpr double kMiB = 1024.0 * 1024.0;
  return fmt::format(
      "{:>8}  {:>7}  {:>11}  {:>9}  {}", process.pid, format_percent(process.cpus, 0),
      std::isnan(process.rss_bytes) ? "-" : fmt::format("{:.1f} MiB", process.rss_bytes / kMiB),
      quantity(process.watts, "W"), printable(process.name));
}

}  // namespace

std::vector<TopPart> top_parts(std::span<const WatchedValue> values) {
  std::map<std::pair<Group, int>, TopPart> rows;
  for (std::size_t r = 0; r < kCells.size(); ++r) {
    const CellRule& rule = kCells[r];
    for (const auto& value : values) {
      if (rule_of(value.info.name) != r || std::isnan(value.value)) continue;
      const bool energy = value.info.unit == "J";
      TopPart& part = rows[{rule.group, value.request.index}];
      double& cell = part.*rule.cell;
      if (!std::isnan(cell)) continue;
      cell = energy ? value.gained : value.value;
      if (!energy && value.info.unit != "W") continue;
      part.source = part.source ? weakest(*part.source, value.info.source) : value.info.source;
    }
  }
  std::vector<TopPart> out;
  for (auto& [key, part] : rows) {
    const auto group = kGroupNames[static_cast<std::size_t>(key.first)];
    part.name =
        key.first == Group::board ? std::string(group) : fmt::format("{} {}", group, key.second);
    out.push_back(std::move(part));
  }
  return out;
}

std::vector<std::string> top_lines(const TopState& state, std::size_t width, std::size_t height) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("mete top on {}, {} since the start; q ends it",
                              printable(state.node), format_duration(state.seconds)));
  lines.push_back(fmt::format("{:<10}{:>8} {:>8} {:>6} {:>9} {:>7} {:>13}  {}", "", "power",
                              "energy", "use", "clock", "temp", "memory", "source"));
  bool any_energy = false;
  for (const auto& part : state.parts) {
    lines.push_back(part_line(part));
    any_energy = any_energy || part.source.has_value();
  }
  if (!any_energy) {
    lines.emplace_back("Nothing here tells power or energy; `mete doctor` says why.");
  }
  lines.emplace_back();
  if (state.processes_told) {
    lines.push_back(
        fmt::format("{:>8}  {:>7}  {:>11}  {:>9}  {}", "pid", "CPU", "memory", "power", "process"));
    for (const auto& process : state.processes) lines.push_back(process_line(process));
  } else {
    lines.emplace_back("No processes are told here.");
  }
  if (lines.size() > height) lines.resize(height);
  for (auto& line : lines) line = cut(line, width);
  return lines;
}

Json to_json(const TopState& state) {
  Json parts = Json::array();
  for (const auto& part : state.parts) {
    parts.push(Json::object({{"part", part.name},
                             {"watts", part.watts},
                             {"joules", part.joules},
                             {"utilization", part.use},
                             {"hertz", part.hertz},
                             {"celsius", part.celsius},
                             {"memory_used_bytes", part.memory_used},
                             {"memory_total_bytes", part.memory_total},
                             {"source", part.source ? Json(source_name(*part.source)) : Json()}}));
  }
  Json processes = Json::array();
  for (const auto& process : state.processes) {
    processes.push(Json::object({{"pid", process.pid},
                                 {"name", process.name},
                                 {"cpus", process.cpus},
                                 {"rss_bytes", process.rss_bytes},
                                 {"watts", process.watts}}));
  }
  return Json::object({{"node", state.node},
                       {"seconds", state.seconds},
                       {"parts", std::move(parts)},
                       {"processes", std::move(processes)}});
}

}  // namespace mete
