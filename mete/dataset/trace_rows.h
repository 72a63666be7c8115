// Trace rows on their way into a table: which columns all traces of a sweep make together, and how
// one trace's cells come to lie in a row. Only sources of this room include it.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "mete/dataset/pandas_table.h"
#include "mete/dataset/trace_file.h"

namespace mete {

/// The union of the columns of several traces, in order of appearance.
class ColumnUnion {
 public:
  /// `by_meaning`: one column for one quantity, whatever generation's name a trace gives it (the
  /// first name stays); otherwise one column per name.
  explicit ColumnUnion(bool by_meaning) : by_meaning_(by_meaning) {}
  void add(const std::vector<TraceColumn>& columns);
  [[nodiscard]] std::vector<TableColumn> table_columns() const;
  [[nodiscard]] std::size_t size() const { return columns_.size(); }
  /// Position in the union; npos if there is none.
  [[nodiscard]] std::size_t find(const TraceColumn& column) const;

 private:
  bool by_meaning_;
  std::vector<TraceColumn> columns_;
};

/// Copies the cells of one trace into rows.
class RowCopier {
 public:
  /// `table` are the table's columns; the first ones are those of the union.
  RowCopier(TraceFile& trace, const ColumnUnion& all, std::span<const TableColumn> table);
  /// Fills `row` (which holds the cells common to all rows of the trace) from the trace's present
  /// row.
  void copy(std::byte* row);
  /// Whether copy() fills every cell of the union: the trace has all of its columns.
  [[nodiscard]] bool fills_all() const { return fills_all_; }
  /// What did not fit: "line 9: column X: 'abc..' cut to 18 bytes"; empty if nothing.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  /// NaN and "nan" in every cell of the union: for the cells that this trace has not.
  static void clear(std::byte* row, std::span<const TableColumn> table, std::size_t union_size);

 private:
  /// `count` neighbouring numbers of the trace that are neighbours in the table too.
  struct Run {
    std::size_t from = 0;
    std::size_t offset = 0;
    std::size_t count = 0;
  };
  struct Text {
    std::size_t from = 0;
    const TableColumn* to = nullptr;
  };

  void copy_text(std::byte* row, const Text& text);

  TraceFile& trace_;
  std::span<const double> numbers_;          // of the trace's present row
  std::span<const std::string_view> cells_;  // its texts
  std::vector<Run> runs_;
  std::vector<Text> texts_;
  bool fills_all_ = false;
  std::string problem_;
};

}  // namespace mete
