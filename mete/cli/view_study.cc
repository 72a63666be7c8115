// Efficiency studies on a page. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "mete/cli/study_output.h"
#include "mete/cli/view_parts.h"
#include "mete/study/efficiency/data_file.h"
#include "mete/study/efficiency/study_store.h"

namespace mete {
namespace {

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
      {size, "flops_per_watt", "dtype", {{"frequency", highest}, {"tensor", "nontensor"}}});
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
  for (const auto& run : runs)
    odd += std::all_of(run.oddities.begin(), run.oddities.end(), is_plain_fact) ? 0U : 1U;
  document.notes.push_back(
      fmt::format("{}: {} runs, power by the rule settled; {} runs have something odd (mete study "
                  "import --json names it)",
                  name, runs.size(), odd));
  document.tables.push_back(study_table(runs, name));
  auto samples = samples_table(runs, name + ": samples");
  if (samples.columns.front().column.size() > kMostViewRows) {
    document.notes.push_back(
        fmt::format("{}: its {} power samples are too many for one page and were left out", name,
                    samples.columns.front().column.size()));
  } else if (samples.columns.front().column.size() > 0) {
    document.tables.push_back(std::move(samples));
  }
  return {};
}

}  // namespace

Result<void> view_study_file(const std::string& path, const std::string& name,
                             ExplorerDocument& document) {
  METE_TRY(const auto store, StudyStore::open(path, StudyStore::Mode::read));
  METE_TRY(const auto runs, store.runs());
  if (runs.empty()) return fail(Errc::invalid, "{}: a study without runs", path);
  return add_runs(runs, name, document);
}

Result<void> view_study_folder(const std::string& path, const std::string& name,
                               ExplorerDocument& document) {
  METE_TRY(const auto folder, read_data_folder(path));
  METE_TRY_VOID(add_runs(folder.runs, name, document));
  for (const auto& line : folder.broken)
    document.notes.push_back(fmt::format("{}: left out: {}", name, line));
  if (!folder.left_out.empty()) {
    document.notes.push_back(fmt::format("{}: {} other entries left alone, such as {}", name,
                                         folder.left_out.size(), folder.left_out.front()));
  }
  return {};
}

}  // namespace mete
