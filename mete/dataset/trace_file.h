// TraceFile: reads a trace row by row in a memory that does not grow with the file.
//
// Two dialects (docs/formats/trace.md): GEOPM's platform trace, which mete writes too, and that of
// the Python tutorial's base_agent.py, which has no preamble and stores differences; these are
// added up, so that TIME and counters are absolute in both. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/table.h"
#include "mete/signal/domain.h"

namespace mete {

enum class TraceDialect { geopm, base_agent };

struct TraceColumn {
  std::string name;    ///< as the file has it: "NVML::POWER-board_accelerator-0"
  std::string signal;  ///< its present name: "GPU_POWER"
  Domain domain = Domain::board;
  int index = 0;
  bool is_text = false;        ///< hexadecimal or words; has no number
  std::size_t text_width = 0;  ///< longest text among the first rows, bytes
};

/// Splits a column's name and gives its signal the present name. A name without "-domain-index" is
/// the board's.
TraceColumn describe_column(std::string_view name);

/// The SI unit that a signal's present name tells: "W" for GPU_POWER; "" if it tells none.
std::string_view trace_unit(std::string_view signal);

struct TraceOptions {
  /// Add up base_agent.py's differences; false: the numbers as the file has them.
  bool absolute = true;
  std::size_t block_bytes = std::size_t{1} << 18U;
  /// The columns that an earlier reading of the same file found; saves describing them again.
  std::span<const TraceColumn> known_columns{};
  /// The columns of another file. If this one's have the same names, their descriptions are taken;
  /// which of them are text is still looked at.
  std::span<const TraceColumn> similar_columns{};
};

class TraceFile {
 public:
  /// Reads up to the header line and a first look at the rows. Errors name the file and, where
  /// there is one, the line.
  static Result<TraceFile> open(const std::string& path, const TraceOptions& options = {});
  TraceFile(TraceFile&&) noexcept;
  TraceFile& operator=(TraceFile&&) noexcept;
  ~TraceFile();

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] TraceDialect dialect() const;
  [[nodiscard]] const std::vector<TraceColumn>& columns() const;
  /// "geopm_version", "node_name", ..: a value of the preamble, empty if there is none.
  [[nodiscard]] std::string preamble(std::string_view key) const;
  /// The column of a signal's part, whichever generation's name it has; a signal of the board may
  /// be spelled either way. npos if there is none.
  [[nodiscard]] std::size_t find(std::string_view signal, Domain domain, int index) const;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
  /// Only these columns are parsed from now on; others read as NaN and empty text.
  void select(std::span<const std::size_t> columns);
  /// Reads a column as text though it looks like numbers (another file of the sweep has words
  /// there).
  void read_as_text(std::size_t column);

  /// Steps to the next row; false at the end. A row that cannot be read (too few cells, a word
  /// where a number belongs) is left out and counted as a problem.
  bool next();
  /// The row's values, one per column; NaN for text columns.
  [[nodiscard]] std::span<const double> numbers() const;
  /// The row's texts, one per column, valid until next(). These spans and those of numbers() stay
  /// where they are: they may be kept.
  [[nodiscard]] std::span<const std::string_view> texts() const;
  /// The row's text in a text column, valid until next().
  [[nodiscard]] std::string_view text(std::size_t column) const;
  /// Byte offset of the row's line in the file: names a row across two readings.
  [[nodiscard]] std::uint64_t row_offset() const;
  [[nodiscard]] std::uint64_t line() const;  ///< line number of the row, from 1
  [[nodiscard]] std::uint64_t bytes_read() const;
  [[nodiscard]] std::uint64_t size() const;         ///< bytes of the file when it was opened
  [[nodiscard]] std::uint64_t data_offset() const;  ///< byte offset of the first row

  /// What was wrong with the rows so far: "F: line 7: 3 cells, expected 12; 4 rows left out", empty
  /// if nothing. A last line without its end (the writer was killed) is told here too; the rows
  /// before it are good.
  [[nodiscard]] std::string problem() const;

 private:
  struct Impl;
  explicit TraceFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The named columns (all if empty) of a whole trace as a table; refused above `max_rows`.
Result<Table> read_trace_table(const std::string& path,
                               const std::vector<std::string>& columns = {},
                               std::size_t max_rows = 20'000'000);

}  // namespace mete
