// SPDX-License-Identifier: BSD-3-Clause
#include "mete/dataset/trace_rows.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "mete/base/text.h"

namespace mete {
namespace {

// "0x" and 16 digits; more if the first rows have more.
constexpr std::size_t kTextWidth = 18;
constexpr std::size_t kMostTextWidth = 128;
constexpr std::size_t kMove = 16;  // bytes

}  // namespace

std::size_t ColumnUnion::find(const TraceColumn& column) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto& c = columns_[i];
    const bool same = by_meaning_ ? c.signal == column.signal && c.domain == column.domain &&
                                        c.index == column.index
                                  : c.name == column.name;
    if (same) return i;
  }
  return TraceFile::npos;
}

void ColumnUnion::add(const std::vector<TraceColumn>& columns) {
  for (const auto& column : columns) {
    const auto at = find(column);
    if (at == TraceFile::npos) {
      columns_.push_back(column);
    } else {
      columns_[at].is_text = columns_[at].is_text || column.is_text;
      columns_[at].text_width = std::max(columns_[at].text_width, column.text_width);
    }
  }
}

std::vector<TableColumn> ColumnUnion::table_columns() const {
  std::vector<TableColumn> columns;
  for (const auto& c : columns_) {
    TableColumn column{c.name, CellType::float64, 8, 0};
    if (c.is_text) {
      column.type = CellType::text;
      column.width = std::clamp(c.text_width, kTextWidth, kMostTextWidth);
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

RowCopier::RowCopier(TraceFile& trace, const ColumnUnion& all, std::span<const TableColumn> table)
    : trace_(trace), numbers_(trace.numbers()), cells_(trace.texts()) {
  std::vector<bool> filled(all.size());
  for (std::size_t c = 0; c < trace.columns().size(); ++c) {
    const auto at = all.find(trace.columns()[c]);
    if (at == TraceFile::npos) continue;
    filled[at] = true;
    const auto& to = table[at];
    if (to.type == CellType::text) {
      if (!trace.columns()[c].is_text) trace.read_as_text(c);
      texts_.push_back({c, &to});
      continue;
    }
    const bool follows = !runs_.empty() && runs_.back().from + runs_.back().count == c &&
                         runs_.back().offset + runs_.back().count * sizeof(double) == to.offset;
    if (follows) {
      ++runs_.back().count;
    } else {
      runs_.push_back({c, to.offset, 1});
    }
  }
  fills_all_ = std::find(filled.begin(), filled.end(), false) == filled.end();
}

void RowCopier::copy(std::byte* row) {
  for (const auto& run : runs_) {
    std::memcpy(row + run.offset, numbers_.data() + run.from, run.count * sizeof(double));
  }
  for (const auto& text : texts_) {
    // Codes of sixteen digits fill their cell; two moves are quicker than calls for any length.
    const std::string_view cell = cells_[text.from];
    const std::size_t n = cell.size();
    if (n == text.to->width && n >= kMove && n <= 2 * kMove && cell.front() > ' ' &&
        cell.back() > ' ') {
      std::memcpy(row + text.to->offset, cell.data(), kMove);
      std::memcpy(row + text.to->offset + n - kMove, cell.data() + n - kMove, kMove);
    } else {
      copy_text(row, text);
    }
  }
}

void RowCopier::copy_text(std::byte* row, const Text& text) {
  const std::string_view cell = trim(cells_[text.from]);
  if (cell.empty()) {
    put_cell(row, *text.to, std::string_view("nan"));
  } else if (!put_cell(row, *text.to, cell) && problem_.empty()) {
    problem_ = fmt::format("{}: line {}: column {}: text longer than {} bytes was cut",
                           trace_.path(), trace_.line(), text.to->name, text.to->width);
  }
}

void RowCopier::clear(std::byte* row, std::span<const TableColumn> table, std::size_t union_size) {
  for (const auto& column : table.first(union_size)) {
    if (column.type == CellType::text) {
      put_cell(row, column, std::string_view("nan"));
    } else {
      put_cell(row, column, std::numeric_limits<double>::quiet_NaN());
    }
  }
}

}  // namespace mete
