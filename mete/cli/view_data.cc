// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/view_data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/cli/study_output.h"
#include "mete/dataset/trace_file.h"
#include "mete/study/efficiency/data_file.h"
#include "mete/study/efficiency/study_store.h"

namespace mete {
namespace {

// A browser holds a million rows of a few columns; more than that nobody can see.
constexpr std::size_t kMostRows = 1'000'000;

bool starts_with_bytes(const std::string& path, std::string_view magic) {
  const auto head = read_file(path);
  return head && head->starts_with(magic);
}

/// 16 sizes × 14 clocks: lines for sizes read better than lines for clocks, as the notebook has it.
ExplorerTable study_table(const std::vector<GemmRun>& runs, const std::string& name) {
  const auto rows = summarise_gemm(runs, PowerRule::settled);
  auto table = explore(summary_table(rows), name, {"rows", "depth", "frequency", "trials"});
  std::string highest;
  double top = 0;
  for (const auto& row : rows) top = std::max(top, row.point.frequency);
  highest = fmt::format("{}", top);
  const bool square =
      std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.point.square(); });
  for (auto& column : table.columns) {
    if (column.column.name == "watts" && !runs.empty()) column.source = runs.front().power_source;
    // Shown in the table under the plot, but nothing to choose by.
    if (column.column.name == "oddities" || column.column.name == "trials")
      column.dimension = false;
    if (square && column.column.name == "rows") column.column.name = "size";
  }
  if (square)
    std::erase_if(table.columns, [](const auto& column) { return column.column.name == "depth"; });
  const std::string size = square ? "size" : "rows";
  const auto first_dtype = rows.empty() ? std::string() : rows.front().point.dtype;
  table.panels.push_back(
      {"frequency", "flops_per_watt", size, {{"dtype", first_dtype}, {"tensor", "nontensor"}}});
  table.panels.push_back(
      {"rows", "flops_per_watt", "dtype", {{"frequency", highest}, {"tensor", "nontensor"}}});
  for (auto& panel : table.panels) {
    // Only what there is to choose from.
    std::erase_if(panel.fixed, [&](const auto& fixed) {
      if (fixed.first != "tensor") return false;
      return std::none_of(rows.begin(), rows.end(),
                          [&](const auto& row) { return row.point.tensor == fixed.second; });
    });
  }
  return table;
}

/// The raw meter, to see lag, zeros and spikes.
ExplorerTable samples_table(const std::vector<GemmRun>& runs, const std::string& name) {
  Table table;
  std::array<std::vector<std::string>, 3> texts;
  std::array<std::vector<double>, 4> numbers;
  for (const auto& run : runs) {
    for (const auto& sample : run.power) {
      texts[0].push_back(run.point.dtype);
      texts[1].push_back(run.point.tensor);
      texts[2].push_back(run.point.size_text());
      numbers[0].push_back(run.point.frequency);
      numbers[1].push_back(std::round((sample.time - run.power.front().time) * 1e3) / 1e3);
      numbers[2].push_back(sample.watts);
    }
  }
  table.add_texts("dtype", std::move(texts[0]));
  table.add_texts("tensor", std::move(texts[1]));
  table.add_texts("size", std::move(texts[2]));
  table.add_numbers("frequency", "Hz", std::move(numbers[0]));
  table.add_numbers("time", "s", std::move(numbers[1]));
  table.add_numbers("watts", "W", std::move(numbers[2]));
  auto out = explore(table, name, {"frequency", "time"});
  if (!runs.empty()) {
    const auto& point = runs.front().point;
    const std::vector<std::pair<std::string, std::string>> fixed{
        {"dtype", point.dtype}, {"tensor", point.tensor}, {"size", point.size_text()}};
    out.panels = {{"time", "watts", "frequency", fixed}, {"time", "watts", "frequency", fixed}};
  }
  return out;
}

Result<void> add_runs(const std::vector<GemmRun>& runs, const std::string& name,
                      ExplorerDocument& document) {
  std::size_t odd = 0;
  for (const auto& run : runs) odd += run.oddities.empty() ? 0U : 1U;
  document.notes.push_back(
      fmt::format("{}: {} runs, power by the rule settled; {} runs have something odd (mete study "
                  "import --json names it)",
                  name, runs.size(), odd));
  document.tables.push_back(study_table(runs, name));
  document.tables.push_back(samples_table(runs, name + ": samples"));
  return {};
}

Result<void> add_trace(const std::string& path, ExplorerDocument& document) {
  METE_TRY(const auto table, read_trace_table(path, {}, kMostRows));
  METE_TRY(const auto file, TraceFile::open(path));
  auto out = explore(table, base_name(path), {"TIME"});
  if (file.preamble("mete_replayed") == "true" || file.preamble("source") == "replayed") {
    document.notes.push_back(base_name(path) + ": replayed on a board, not measured here");
  }
  const auto usual = [&](std::string_view part) {
    for (const auto& column : out.columns) {
      if (!column.dimension && column.column.name.find(part) != std::string::npos)
        return column.column.name;
    }
    return std::string();
  };
  // Words in a trace (region hashes) are nothing to fix: they would ask the reader a question
  // without use.
  for (auto& column : out.columns) column.dimension = column.column.name == "TIME";
  out.panels = {{"TIME", usual("POWER"), "", {}}, {"TIME", usual("FREQUENCY"), "", {}}};
  document.tables.push_back(std::move(out));
  return {};
}

/// A header cell "name [unit]".
std::pair<std::string, std::string> name_and_unit(const std::string& cell) {
  const auto open = cell.rfind(" [");
  if (open == std::string::npos || !cell.ends_with(']')) return {cell, ""};
  return {cell.substr(0, open), cell.substr(open + 2, cell.size() - open - 3)};
}

Result<void> add_csv(const std::string& path, ExplorerDocument& document) {
  METE_TRY(const auto text, read_file(path));
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    if (text[at] != '#') plain.append(text, at, end - at + 1);
    at = end + 1;
  }
  METE_TRY(const auto cells, parse_csv(plain));
  if (cells.size() < 2)
    return fail(Errc::invalid, "{}: a header and at least one row are needed", path);
  Table table;
  std::vector<std::string> dimensions;
  for (std::size_t c = 0; c < cells.front().size(); ++c) {
    const auto [name, unit] = name_and_unit(cells.front()[c]);
    std::vector<double> numbers;
    std::vector<std::string> texts;
    bool numeric = true;
    for (std::size_t r = 1; r < cells.size(); ++r) {
      if (cells[r].size() != cells.front().size()) {
        return fail(Errc::invalid, "{}: row {} has {} cells, the header has {}", path, r + 1,
                    cells[r].size(), cells.front().size());
      }
      const auto& cell = cells[r][c];
      const auto value = cell.empty() ? std::optional<double>(std::nan("")) : parse_double(cell);
      numeric = numeric && value.has_value();
      if (numeric) numbers.push_back(*value);
      texts.push_back(cell);
    }
    if (!numeric) {
      table.add_texts(name, std::move(texts));
      continue;
    }
    // A number of few values that come again and again is rather a setting than a measurement.
    const std::set<double> values(numbers.begin(), numbers.end());
    if (values.size() <= 64 && values.size() * 3 <= numbers.size()) dimensions.push_back(name);
    table.add_numbers(name, unit, std::move(numbers));
  }
  document.tables.push_back(explore(table, base_name(path), dimensions));
  return {};
}

}  // namespace

Result<void> add_view(const std::string& path, ExplorerDocument& document) {
  if (!path_exists(path)) return fail(Errc::invalid, "{}: no such file or folder", path);
  const auto name = base_name(path);
  if (is_directory(path)) {
    METE_TRY(const auto folder, read_data_folder(path));
    return add_runs(folder.runs, name, document);
  }
  if (path.ends_with(".csv")) return add_csv(path, document);
  if (starts_with_bytes(path, "SQLite format 3")) {
    METE_TRY(const auto store, StudyStore::open(path, StudyStore::Mode::read));
    METE_TRY(const auto runs, store.runs());
    return add_runs(runs, name, document);
  }
  auto trace = add_trace(path, document);
  if (trace) return trace;
  return fail(Errc::invalid,
              "{}: not something to view ({}); there are studies (.study.db, folders of .data "
              "logs), traces and CSV files",
              path, trace.error().what);
}

}  // namespace mete
