// TraceWriter: GEOPM's platform trace (docs/formats/geopm-trace.md), written as the run goes. Whole
// lines are handed to the kernel at every flush(); a killed run leaves all rows up to the last one.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/files.h"
#include "mete/base/result.h"
#include "mete/measure/run_header.h"
#include "mete/signal/info.h"

namespace mete {

struct TraceWriterColumn {
  std::string name;
  std::string unit;
  std::string source;  ///< source_name(), or "agent"
  Format format = Format::number;
};

/// One cell as GEOPM prints it: numbers in the shortest form that reads back equal, `nan`; codes in
/// hexadecimal, `NAN`. Writes at most kTraceCellLimit characters and returns the end.
inline constexpr std::size_t kTraceCellLimit = 32;
char* format_trace_cell(char* out, double value, Format format) noexcept;

class TraceWriter {
 public:
  TraceWriter() = default;
  /// Refuses early, before a workload is started, what open() would refuse; changes nothing.
  static Result<void> check(const std::string& path, const std::vector<TraceWriterColumn>& columns,
                            bool append);
  /// Writes preamble and header line. With `append`, to a file that has rows already: its columns
  /// must be the same (Errc::invalid says which differ), nothing is written above the new rows, and
  /// a last line that was cut by a kill is removed.
  static Result<TraceWriter> open(const std::string& path, const RunHeader& header,
                                  std::vector<TraceWriterColumn> columns, bool append);
  [[nodiscard]] bool is_open() const { return writer_.is_open(); }
  /// One row, in the order of the columns. Allocates nothing. Rows are made into text a few at a
  /// time: a loop that has just slept runs on cold caches, where the same work costs twice as much.
  void row(std::span<const double> values) noexcept;
  /// All rows so far to the kernel.
  void flush() noexcept;
  [[nodiscard]] bool failed() const { return writer_.failed(); }
  /// The first error of any row. A row that was written in part (a full disk) is removed, so that
  /// the file holds whole rows only.
  Result<void> close();

 private:
  static constexpr std::size_t kRowsTogether = 16;
  void format_pending() noexcept;
  void write_row(std::span<const double> values) noexcept;

  LineWriter writer_;
  std::vector<double> pending_;  // rows × columns
  std::size_t rows_pending_ = 0;
  std::string line_;  // as long as the longest row can be
  struct Cell {
    Format format = Format::number;
    std::uint64_t bits = 0;  // of the value whose text this is
    std::size_t size = 0;
    std::array<char, kTraceCellLimit> text{};
  };
  std::vector<Cell> cells_;
};

}  // namespace mete
