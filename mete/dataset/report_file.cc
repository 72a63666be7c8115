// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/report_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/dataset/trace_file.h"
#include "mete/signal/info.h"

namespace mete {
namespace {

constexpr std::size_t kMostHosts = 100'000;

/// A number as reports write it: typed by YAML, or in quotes ("NAN"); nothing if it is a word.
std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.as_number();
  if (value.is_string()) return parse_double(trim(value.as_string()));
  return std::nullopt;
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.as_string() : value.dump(-1);
}

std::optional<std::uint64_t> hash_of(const Json& value) {
  if (value.is_integer()) return static_cast<std::uint64_t>(value.as_integer());
  const std::string text = value.as_string();
  if (!text.starts_with("0x")) return std::nullopt;
  std::uint64_t hash = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), hash, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return hash;
}

ReportTotals totals_of(const Json& block) {
  ReportTotals totals;
  for (const auto& [name, value] : block.members()) {
    if (const auto number = number_of(value)) totals.add(name, *number);
  }
  return totals;
}

ReportRegion region_of(const Json& block) {
  ReportRegion region;
  for (const auto& [name, value] : block.members()) {
    if (name == "region") {
      region.name = text_of(value);
    } else if (name == "hash") {
      region.hash = hash_of(value);
    } else if (const auto number = number_of(value)) {
      region.totals.add(name, *number);
    }
  }
  return region;
}

ReportHost host_of(const std::string& name, const Json& block) {
  ReportHost host;
  host.name = name;
  for (const auto& [key, value] : block.members()) {
    if (key == "Regions") {
      for (const auto& region : value.items()) host.regions.push_back(region_of(region));
    } else if (key == "Unmarked Totals") {
      host.unmarked = totals_of(value);
    } else if (key == "Epoch Totals") {
      host.epoch = totals_of(value);
    } else if (key == "Application Totals") {
      host.application = totals_of(value);
    } else if (key.ends_with("Totals") && value.is_object()) {
      host.others.emplace_back(key, totals_of(value));
    } else {
      host.agent_values.emplace_back(key, text_of(value));
    }
  }
  return host;
}

std::string unquoted(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

/// One entry at the left margin: its key, the rest of its line, and the indented lines that follow.
struct Entry {
  std::string_view key;
  std::string_view value;
  std::string_view block;
  std::size_t line = 0;        ///< of the key
  std::size_t block_line = 0;  ///< of the block's first line
};

Result<std::vector<Entry>> entries_of(std::string_view text, const std::string& path) {
  std::vector<Entry> entries;
  std::size_t line_number = 0;
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view line = text.substr(at, end - at);
    const std::size_t next = std::min(text.size(), end + 1);
    ++line_number;
    const bool margin = !line.empty() && line[0] != ' ' && line[0] != '\t' && line[0] != '\r';
    const bool list_item = line.starts_with("- ");  // PyYAML puts lists at their key's own margin
    if (margin && !list_item && line[0] != '#' && !line.starts_with("---")) {
      // The key ends at the first ": " or at a colon that ends the line: free text may hold more of
      // them.
      const std::string_view head = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
      auto colon = head.find(": ");
      if (colon == std::string_view::npos && head.ends_with(':')) colon = head.size() - 1;
      if (colon == std::string_view::npos) {
        return fail(Errc::invalid, "{}: line {}: not a report: expected 'Key: value', got '{}'",
                    path, line_number, head.substr(0, 60));
      }
      entries.push_back({head.substr(0, colon), trim(head.substr(colon + 1)), text.substr(next, 0),
                         line_number, line_number + 1});
    } else if (!entries.empty()) {
      auto& block = entries.back().block;
      block = text.substr(static_cast<std::size_t>(block.data() - text.data()),
                          next - static_cast<std::size_t>(block.data() - text.data()));
    }
    at = next;
  }
  return entries;
}

/// yaml-cpp counts from the block's first line; the user counts from the file's.
std::string with_file_line(const std::string& what, std::size_t block_line) {
  const auto at = what.find("line ");
  if (at == std::string::npos) return what;
  std::size_t digits = at + 5;
  while (digits < what.size() && what[digits] >= '0' && what[digits] <= '9') ++digits;
  const auto line = parse_int(std::string_view(what).substr(at + 5, digits - at - 5));
  if (!line) return what;
  return what.substr(0, at + 5) + std::to_string(static_cast<std::size_t>(*line) + block_line - 1) +
         what.substr(digits);
}

Result<void> read_hosts(const Entry& entry, ReportFile& report) {
  std::string text(entry.block);
  if (trim(text).empty()) text = std::string(entry.value);
  auto hosts = parse_yaml(text);
  if (!hosts) {
    return fail(Errc::invalid, "{}: {}", report.path,
                with_file_line(hosts.error().what, entry.block_line));
  }
  if (hosts->members().size() > kMostHosts) {
    return fail(Errc::invalid, "{}: line {}: more than {} hosts", report.path, entry.line,
                kMostHosts);
  }
  for (const auto& [name, block] : hosts->members()) {
    if (!block.is_object()) continue;
    report.hosts.push_back(host_of(name, block));
  }
  return {};
}

std::string whole_value(const Entry& entry) {
  if (trim(entry.block).empty()) return unquoted(entry.value);
  if (entry.value.empty()) {  // lines of YAML below the key: their indentation means something
    const auto first = entry.block.find_first_not_of("\r\n");
    const auto last = entry.block.find_last_not_of(" \t\r\n");
    return std::string(entry.block.substr(first, last - first + 1));
  }
  // PyYAML folds long values over several lines.
  std::string text(entry.value);
  for (const auto line : split(entry.block, '\n')) {
    if (!trim(line).empty()) text.append(" ").append(trim(line));
  }
  return unquoted(text);
}

Result<void> take(const Entry& entry, ReportFile& report) {
  const auto key = entry.key;
  if (key == "Hosts") return read_hosts(entry, report);
  std::string value = whole_value(entry);
  if (key == "GEOPM Version") {
    report.version = std::move(value);
  } else if (key == "Start Time") {
    report.start_time = std::move(value);
  } else if (key == "Profile") {
    report.profile = std::move(value);
  } else if (key == "Agent") {
    report.agent = std::move(value);
  } else if (key == "Policy") {
    report.policy = std::move(value);
  } else if (key == "Figure of Merit") {
    report.figure_of_merit = parse_double(value);
  } else if (key == "Total Runtime") {
    report.total_runtime = parse_double(value);
  } else {
    report.header.emplace_back(std::string(key), std::move(value));
  }
  return {};
}

}  // namespace

std::optional<double> ReportTotals::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::optional<double> ReportTotals::signal(std::string_view name, Domain domain, int index) const {
  const auto wanted = canonical_name(name);
  for (const auto& [key, value] : values_) {
    std::string spelled = key;
    if (const auto at = spelled.rfind('@'); at != std::string::npos) spelled[at] = '-';
    const TraceColumn column = describe_column(spelled);
    if (column.signal == wanted && column.domain == domain && column.index == index) return value;
  }
  return std::nullopt;
}

std::optional<double> ReportTotals::runtime() const {
  for (const auto* name :
       {"runtime (s)", "runtime (sec)", "TIME", "TIME-board-0", "TIME@board-0"}) {
    if (const auto value = find(name)) return value;
  }
  return std::nullopt;
}

Result<ReportFile> ReportFile::read(const std::string& path) {
  METE_TRY(const std::string text, read_file(path));
  return parse(text, path);
}

Result<ReportFile> ReportFile::parse(std::string_view text, const std::string& path) {
  ReportFile report;
  report.path = path;
  METE_TRY(const auto entries, entries_of(text, path));
  for (const auto& entry : entries) METE_TRY_VOID(take(entry, report));
  if (report.hosts.empty()) {
    return fail(Errc::invalid, "{}: line {}: {}", path,
                1 + std::count(text.begin(), text.end(), '\n'),
                text.empty() ? "is empty, expected a report"
                             : "ends without 'Hosts:' and a host below it; was the run cut short?");
  }
  return report;
}

const ReportHost* ReportFile::host(std::string_view name) const {
  const auto found =
      std::find_if(hosts.begin(), hosts.end(), [&](const ReportHost& h) { return h.name == name; });
  return found == hosts.end() ? nullptr : &*found;
}

}  // namespace mete
