// A whole trace as a Table, for plots and replays.
// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <string_view>
#include <utility>

#include "mete/base/text.h"
#include "mete/dataset/trace_file.h"

namespace mete {

// Units of the signals whose names do not say them otherwise (GEOPM's signal descriptions).
std::string_view trace_unit(std::string_view signal) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kByWord{
      {{"_ENERGY", "J"},
       {"_POWER", "W"},
       {"_FREQUENCY", "Hz"},
       {"_TEMPERATURE", "C"},
       {"_UTILIZATION", "1"},
       {"_ACTIVITY", "1"}}};
  if (signal == "TIME") return "s";
  for (const auto& [word, unit] : kByWord) {
    if (signal.find(word) != std::string_view::npos) return unit;
  }
  return "";
}

namespace {

Result<std::vector<std::size_t>> chosen_columns(const TraceFile& trace,
                                                const std::vector<std::string>& names) {
  std::vector<std::size_t> chosen;
  std::vector<std::string> known;
  for (const auto& column : trace.columns()) known.push_back(column.name);
  for (const auto& name : names) {
    const TraceColumn wanted = describe_column(name);
    const auto at = trace.find(wanted.signal, wanted.domain, wanted.index);
    if (at == TraceFile::npos) {
      return fail(Errc::invalid, "{}: no column {}{}", trace.path(), name,
                  did_you_mean(name, known));
    }
    chosen.push_back(at);
  }
  for (std::size_t c = 0; names.empty() && c < known.size(); ++c) chosen.push_back(c);
  return chosen;
}

}  // namespace

Result<Table> read_trace_table(const std::string& path, const std::vector<std::string>& columns,
                               std::size_t max_rows) {
  METE_TRY(TraceFile trace, TraceFile::open(path));
  METE_TRY(const auto chosen, chosen_columns(trace, columns));
  trace.select(chosen);
  std::vector<std::vector<double>> numbers(chosen.size());
  std::vector<std::vector<std::string>> texts(chosen.size());
  std::size_t rows = 0;
  while (trace.next()) {
    if (++rows > max_rows) {
      return fail(Errc::invalid, "{}: line {}: more than {} rows", path, trace.line(), max_rows);
    }
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (trace.columns()[chosen[i]].is_text) {
        texts[i].emplace_back(trace.text(chosen[i]));
      } else {
        numbers[i].push_back(trace.numbers()[chosen[i]]);
      }
    }
  }
  Table table;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto& column = trace.columns()[chosen[i]];
    if (column.is_text) {
      table.add_texts(column.name, std::move(texts[i]));
    } else {
      table.add_numbers(column.name, std::string(trace_unit(column.signal)), std::move(numbers[i]));
    }
  }
  return table;
}

}  // namespace mete
