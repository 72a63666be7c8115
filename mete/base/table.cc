// Tables and CSV.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/table.h"

#include <cmath>

#include "mete/base/text.h"

namespace mete {
namespace {

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

std::vector<double>& Table::add_numbers(std::string name, std::string unit,
                                        std::vector<double> values) {
  columns_.push_back({std::move(name), std::move(unit), std::move(values)});
  return columns_.back().numbers();
}

std::vector<std::string>& Table::add_texts(std::string name, std::vector<std::string> values) {
  columns_.push_back({std::move(name), "", std::move(values)});
  return columns_.back().texts();
}

const Column* Table::find(std::string_view name) const {
  for (const auto& column : columns_) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Result<const std::vector<double>*> Table::numbers(std::string_view name) const {
  const Column* column = find(name);
  if (column == nullptr)
    return fail(Errc::invalid, "no column '{}'{}", name, did_you_mean(name, names()));
  if (column->is_text())
    return fail(Errc::invalid, "column '{}': expected numbers, has text", name);
  return &column->numbers();
}

Result<const std::vector<std::string>*> Table::texts(std::string_view name) const {
  const Column* column = find(name);
  if (column == nullptr)
    return fail(Errc::invalid, "no column '{}'{}", name, did_you_mean(name, names()));
  if (!column->is_text())
    return fail(Errc::invalid, "column '{}': expected text, has numbers", name);
  return &column->texts();
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> out;
  for (const auto& column : columns_) out.push_back(column.name);
  return out;
}

std::string Table::to_csv() const {
  std::string out;
  for (const auto& column : columns_) {
    if (&column != &columns_.front()) out += ',';
    out += csv_cell(column.unit.empty() ? column.name
                                        : fmt::format("{} [{}]", column.name, column.unit));
  }
  out += '\n';
  for (std::size_t row = 0; row < rows(); ++row) {
    for (const auto& column : columns_) {
      if (&column != &columns_.front()) out += ',';
      if (column.is_text()) {
        out += csv_cell(column.texts()[row]);
      } else if (!std::isnan(column.numbers()[row])) {
        out += fmt::format("{}", column.numbers()[row]);
      }
    }
    out += '\n';
  }
  return out;
}

Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string cell;
  bool quoted = false;
  bool any = false;
  std::size_t line = 1;
  std::size_t quote_line = 0;
  const auto end_row = [&] {
    if (any) {
      row.push_back(std::move(cell));
      rows.push_back(std::move(row));
    }
    row.clear();
    cell.clear();
    any = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = true;
      any = true;
      quote_line = line;
    } else if (c == ',') {
      row.push_back(std::move(cell));
      cell.clear();
      any = true;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r' || (i + 1 < text.size() && text[i + 1] != '\n')) {
      cell += c;
      any = true;
    }
  }
  if (quoted) return fail(Errc::invalid, "line {}: a quote is never closed", quote_line);
  end_row();
  return rows;
}

}  // namespace mete
