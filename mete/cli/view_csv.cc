// CSV files on a page, and what the kinds of results share. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/base/utf8.h"
#include "mete/cli/view_parts.h"

namespace mete {

std::vector<std::string> likely_dimensions(const Table& table) {
  std::vector<std::string> out;
  for (const auto& column : table.columns()) {
    if (column.is_text()) continue;
    std::set<double> values;
    for (const double value : column.numbers()) {
      if (!std::isnan(value)) values.insert(value);
      if (values.size() > 64) break;
    }
    if (values.size() <= 64 && values.size() * 3 <= column.numbers().size())
      out.push_back(column.name);
  }
  return out;
}

std::pair<std::string, std::string> split_unit(const std::string& text, char open, char close) {
  const auto at = text.rfind(std::string(" ") + open);
  if (at == std::string::npos || !text.ends_with(close)) return {text, ""};
  return {text.substr(0, at), text.substr(at + 2, text.size() - at - 3)};
}

void make_names_unique(Table& table) {
  std::set<std::string> seen;
  for (auto& column : table.columns()) {
    const auto name = column.name.empty() ? std::string("unnamed") : column.name;
    column.name = name;
    for (int i = 2; !seen.insert(column.name).second; ++i)
      column.name = fmt::format("{} ({})", name, i);
  }
}

namespace {

/// The text without its lines of comment.
std::string without_comments(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    if (text[at] != '#') plain.append(text, at, end - at + 1);
    at = end + 1;
  }
  return plain;
}

Result<Table> table_of(const std::vector<std::vector<std::string>>& cells,
                       const std::string& path) {
  Table table;
  const auto& header = cells.front();
  for (std::size_t r = 1; r < cells.size(); ++r) {
    if (cells[r].size() == header.size()) continue;
    return fail(Errc::invalid, "{}: row {} has {} cells, the header has {}", path, r + 1,
                cells[r].size(), header.size());
  }
  for (std::size_t c = 0; c < header.size(); ++c) {
    const auto [name, unit] = split_unit(header[c], '[', ']');
    std::vector<double> numbers;
    for (std::size_t r = 1; r < cells.size(); ++r) {
      const auto& cell = cells[r][c];
      const auto value = cell.empty() ? std::optional<double>(std::nan("")) : parse_double(cell);
      if (!value) break;
      numbers.push_back(*value);
    }
    if (numbers.size() + 1 == cells.size()) {
      table.add_numbers(name, unit, std::move(numbers));
      continue;
    }
    std::vector<std::string> texts;
    for (std::size_t r = 1; r < cells.size(); ++r) texts.push_back(cells[r][c]);
    table.add_texts(name, std::move(texts));
  }
  make_names_unique(table);
  return table;
}

}  // namespace

Result<void> view_csv(const std::string& path, const std::string& name,
                      ExplorerDocument& document) {
  METE_TRY(const auto text, read_file(path));
  auto cells = parse_csv(without_comments(without_mark(text)));
  if (!cells) return fail(cells.error().code, "{}: {}", path, cells.error().what);
  if (cells->size() < 2)
    return fail(Errc::invalid, "{}: a header and at least one row are needed", path);
  if (cells->size() > kMostViewRows) {
    return fail(Errc::invalid, "{}: {} rows are more than the {} that one page holds", path,
                cells->size() - 1, kMostViewRows);
  }
  METE_TRY(const auto table, table_of(*cells, path));
  document.tables.push_back(explore(table, name, likely_dimensions(table)));
  return {};
}

}  // namespace mete
