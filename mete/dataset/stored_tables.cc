// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/stored_tables.h"

#include <array>

#include "mete/dataset/pandas_table.h"
#include "mete/dataset/trace_file.h"
#include "mete/dataset/training_table.h"

namespace mete {
namespace {

// A row number, which pandas keeps beside the columns.
constexpr std::string_view kRowNumber = "index";

std::string unit_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kDerived{
      {{kGpuTraining.frequency_column, "Hz"},
       {kGpuTraining.min_energy_column, "Hz"},
       {kPackageTraining.frequency_column, "Hz"},
       {kPackageTraining.min_energy_column, "Hz"},
       {column::kPhiFrequency, "Hz"},
       {"energy_weight", "Hz"},
       {"runtime", "s"},
       {"energy", "J"}}};
  for (const auto& [word, unit] : kDerived) {
    if (name == word || (word == "energy_weight" && name.starts_with(word)))
      return std::string(unit);
  }
  return std::string(trace_unit(describe_column(name).signal));
}

Result<Table> read_columns(PandasTableReader& reader) {
  std::vector<std::vector<double>> numbers(reader.columns().size());
  std::vector<std::vector<std::string>> texts(reader.columns().size());
  while (true) {
    METE_TRY(const auto block, reader.next());
    if (block.empty()) break;
    for (std::size_t at = 0; at + reader.row_bytes() <= block.size(); at += reader.row_bytes()) {
      for (std::size_t c = 0; c < numbers.size(); ++c) {
        const auto& column = reader.columns()[c];
        if (column.type == CellType::text) {
          texts[c].emplace_back(text_cell(block.data() + at, column));
        } else {
          numbers[c].push_back(number_cell(block.data() + at, column));
        }
      }
    }
  }
  Table table;
  for (std::size_t c = 0; c < numbers.size(); ++c) {
    const auto& column = reader.columns()[c];
    if (column.name == kRowNumber) continue;
    if (column.type == CellType::text) {
      table.add_texts(column.name, std::move(texts[c]));
    } else {
      table.add_numbers(column.name, unit_of(column.name), std::move(numbers[c]));
    }
  }
  return table;
}

}  // namespace

Result<StoredTables> read_stored_tables(const std::string& path, std::size_t max_rows) {
  hdf5::be_quiet();
  const hdf5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.ok()) return fail(Errc::invalid, "{}: no HDF5 file that can be read", path);
  StoredTables out;
  for (const auto& key : root_keys(file.id())) {
    auto reader = PandasTableReader::open(file.id(), path, key);
    if (!reader) {
      out.left_out.push_back(reader.error().what);
      continue;
    }
    if (reader->rows() > max_rows) {
      return fail(Errc::invalid, "{}: {} has {} rows, more than the {} that one page holds", path,
                  key, reader->rows(), max_rows);
    }
    const bool replayed = reader->annotation(kSourceAttribute) == "replayed";
    METE_TRY(auto table, read_columns(*reader));
    out.tables.push_back({key, std::move(table), replayed});
  }
  if (out.tables.empty()) {
    return fail(Errc::invalid, "{}: an HDF5 file without a table that mete or pandas wrote{}", path,
                out.left_out.empty() ? "" : " (" + out.left_out.front() + ")");
  }
  return out;
}

}  // namespace mete
