// Tables in the layout that pandas calls "table": HDFStore lists them, read_hdf opens them, h5py
// and h5dump see one named field per column. docs/formats/training-table.md says how it is laid
// out. Only sources of this room include it: it brings hdf5.h. SPDX-License-Identifier:
// BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/dataset/hdf5_file.h"

namespace mete {

/// The annotation that says whether rows were measured or replayed from a board.
inline constexpr const char* kSourceAttribute = "mete_source";

enum class CellType { float64, int64, boolean, text };

struct TableColumn {
  std::string name;
  CellType type = CellType::float64;
  std::size_t width = 8;   ///< bytes; of text: the longest that fits
  std::size_t offset = 0;  ///< within a row's bytes; set by the writer or reader
};

/// Puts a cell into a row's bytes.
void put_cell(std::byte* row, const TableColumn& column, double value);
void put_cell(std::byte* row, const TableColumn& column, std::int64_t value);
/// Text that is too long is cut; false then.
bool put_cell(std::byte* row, const TableColumn& column, std::string_view value);

/// Appends rows, a chunk at a time, to one table of an open file.
class PandasTableWriter {
 public:
  /// Nothing is written yet: the table comes into the file with its first chunk of rows, while
  /// threads that read already work on further ones.
  static Result<PandasTableWriter> create(hdf5::OutputFile& file, const std::string& key,
                                          std::vector<TableColumn> columns, int compression = 0);

  [[nodiscard]] const std::vector<TableColumn>& columns() const { return columns_; }
  /// The column of that name; must exist.
  [[nodiscard]] const TableColumn& column(std::string_view name) const;
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }

  /// The bytes of the row to be added, all columns to be filled in; the index is filled in by
  /// add_row.
  std::byte* row() { return chunk_.get() + in_chunk_ * row_bytes_; }
  Result<void> add_row();
  /// Adds `count` rows, filling in their indexes where they lie: `rows` is changed.
  Result<void> add_rows(std::byte* rows, std::size_t count);
  /// Adds a word about the whole table, which pandas passes over.
  Result<void> annotate(const std::string& name, std::string_view value);
  /// Writes what is left. Rows added later are lost.
  Result<void> finish();

 private:
  PandasTableWriter() = default;
  Result<void> make_dataset();
  Result<void> write_attributes();
  void number_rows(std::byte* rows, std::size_t count);
  Result<void> place_rows(std::byte* rows, std::size_t count);
  Result<void> place_chunk(std::size_t count);
  Result<void> end_chunk();
  Result<void> write_compressed();

  hdf5::OutputFile* file_ = nullptr;
  std::string key_;
  std::vector<TableColumn> columns_;
  std::size_t row_bytes_ = 0;
  std::size_t chunk_rows_ = 0;
  std::size_t in_chunk_ = 0;  ///< rows of the present chunk, of which
  std::size_t placed_ = 0;    ///< so many are in the file; the others are in chunk_
  haddr_t chunk_address_ = HADDR_UNDEF;
  std::uint64_t rows_ = 0;
  std::uint64_t extent_ = 0;  ///< rows of the chunks before the present one
  int compression_ = 0;
  std::unique_ptr<std::byte[]> chunk_;  ///< not filled with zeros: rows fill it
  hdf5::Handle group_;
  hdf5::Handle type_;
  hdf5::Handle dataset_;
};

/// Reads such a table, or any compound dataset of numbers and fixed text, a block of rows at a
/// time.
class PandasTableReader {
 public:
  /// Errors name file and key; a table in pandas' "fixed" format is refused with the way to convert
  /// it.
  static Result<PandasTableReader> open(hid_t file, const std::string& path,
                                        const std::string& key);

  [[nodiscard]] const std::vector<TableColumn>& columns() const { return columns_; }
  /// nullptr if there is none.
  [[nodiscard]] const TableColumn* find(std::string_view name) const;
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  /// What annotate() added; empty if nothing.
  [[nodiscard]] std::string annotation(const std::string& name) const;
  /// The next rows' bytes, empty at the end; valid until the next call.
  Result<std::span<const std::byte>> next();

 private:
  PandasTableReader() = default;
  Result<void> read_columns();
  Result<void> add_field(unsigned field);

  std::string where_;
  std::vector<TableColumn> columns_;
  std::size_t row_bytes_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t at_ = 0;
  std::vector<std::byte> block_;
  hdf5::Handle type_;
  hdf5::Handle dataset_;
};

double number_cell(const std::byte* row, const TableColumn& column);
std::string_view text_cell(const std::byte* row, const TableColumn& column);

/// Names of the groups at the file's root.
std::vector<std::string> root_keys(hid_t file);

}  // namespace mete
