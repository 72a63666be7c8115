// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <utility>

#include "mete/dataset/pandas_pickle.h"
#include "mete/dataset/pandas_table.h"

namespace mete {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20U;
constexpr std::size_t kIndexBytes = sizeof(std::int64_t);
// A compound's description must fit HDF5's 64 KiB limit on one header message.
constexpr std::size_t kMostHeaderBytes = 60'000;

hdf5::Handle cell_type(const TableColumn& column) {
  switch (column.type) {
    case CellType::float64:
      return {H5Tcopy(H5T_IEEE_F64LE), H5Tclose};
    case CellType::int64:
      return {H5Tcopy(H5T_STD_I64LE), H5Tclose};
    case CellType::boolean:
      return {H5Tcopy(H5T_STD_B8LE), H5Tclose};
    case CellType::text:
      break;
  }
  hdf5::Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), column.width);
  return type;
}

std::string dtype_name(const TableColumn& column) {
  switch (column.type) {
    case CellType::float64:
      return "float64";
    case CellType::int64:
      return "int64";
    case CellType::boolean:
      return "bool";
    case CellType::text:
      break;
  }
  return "bytes" + std::to_string(column.width * 8);
}

hdf5::Handle row_type(const std::vector<TableColumn>& columns, std::size_t row_bytes) {
  hdf5::Handle type(H5Tcreate(H5T_COMPOUND, row_bytes), H5Tclose);
  H5Tinsert(type.id(), "index", 0, H5T_STD_I64LE);
  for (const auto& column : columns) {
    const auto cell = cell_type(column);
    if (H5Tinsert(type.id(), column.name.c_str(), column.offset, cell.id()) < 0) return {};
  }
  return type;
}

}  // namespace

void put_cell(std::byte* row, const TableColumn& column, double value) {
  std::memcpy(row + column.offset, &value, sizeof value);
}

void put_cell(std::byte* row, const TableColumn& column, std::int64_t value) {
  if (column.type == CellType::boolean) {
    row[column.offset] = value != 0 ? std::byte{1} : std::byte{0};
  } else {
    std::memcpy(row + column.offset, &value, sizeof value);
  }
}

bool put_cell(std::byte* row, const TableColumn& column, std::string_view value) {
  const std::size_t n = std::min(value.size(), column.width);
  std::memcpy(row + column.offset, value.data(), n);
  std::memset(row + column.offset + n, 0, column.width - n);
  return n == value.size();
}

Result<PandasTableWriter> PandasTableWriter::create(hdf5::OutputFile& file, const std::string& key,
                                                    std::vector<TableColumn> columns,
                                                    int compression) {
  PandasTableWriter w;
  w.file_ = &file;
  w.key_ = key;
  std::size_t header = 0;
  std::size_t at = kIndexBytes;
  for (auto& column : columns) {
    if (column.type == CellType::boolean) column.width = 1;
    if (column.type == CellType::float64 || column.type == CellType::int64) column.width = 8;
    column.width = std::max<std::size_t>(column.width, 1);
    column.offset = at;
    at += column.width;
    header += column.name.size() + 32;
  }
  if (header > kMostHeaderBytes) {
    return fail(Errc::invalid,
                "{}: {} columns are more than one table can hold; record fewer with --signals",
                file.path(), columns.size());
  }
  w.columns_ = std::move(columns);
  w.row_bytes_ = at;
  w.chunk_rows_ = std::max<std::size_t>(1, kChunkBytes / at);
  w.chunk_ = std::make_unique_for_overwrite<std::byte[]>(w.chunk_rows_ * at);
  w.compression_ = compression;
  return w;
}

Result<void> PandasTableWriter::make_dataset() {
  const hdf5::Handle group_plan(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  H5Pset_obj_track_times(group_plan.id(), false);  // the same input gives the same file
  group_ = hdf5::Handle(
      H5Gcreate2(file_->id(), key_.c_str(), H5P_DEFAULT, group_plan.id(), H5P_DEFAULT), H5Gclose);
  type_ = row_type(columns_, row_bytes_);
  const hsize_t none = 0;
  const hsize_t unlimited = H5S_UNLIMITED;
  const hsize_t chunk = chunk_rows_;
  const hdf5::Handle space(H5Screate_simple(1, &none, &unlimited), H5Sclose);
  const hdf5::Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_chunk(plan.id(), 1, &chunk);
  H5Pset_obj_track_times(plan.id(), false);
  H5Pset_fill_time(plan.id(), H5D_FILL_TIME_NEVER);  // every byte is written anyway
  if (compression_ == 0) {
    H5Pset_alloc_time(plan.id(), H5D_ALLOC_TIME_EARLY);  // place_chunk() asks where a chunk lies
  } else {
    H5Pset_shuffle(plan.id());
    H5Pset_deflate(plan.id(), static_cast<unsigned>(std::min(compression_, 9)));
  }
  if (!group_.ok() || !type_.ok()) return file_->failed();
  dataset_ = hdf5::Handle(
      H5Dcreate2(group_.id(), "table", type_.id(), space.id(), H5P_DEFAULT, plan.id(), H5P_DEFAULT),
      H5Dclose);
  if (!dataset_.ok()) return file_->failed();
  return write_attributes();
}

const TableColumn& PandasTableWriter::column(std::string_view name) const {
  return *std::find_if(columns_.begin(), columns_.end(),
                       [&](const TableColumn& c) { return c.name == name; });
}

/// What pandas 1.5 and PyTables 3.7 write themselves; they refuse or misread a table without it.
Result<void> PandasTableWriter::write_attributes() {
  std::vector<std::string> names;
  for (const auto& column : columns_) names.push_back(column.name);
  const hid_t g = group_.id();
  bool ok = hdf5::put_text(g, "CLASS", "GROUP") && hdf5::put_text(g, "TITLE", "") &&
            hdf5::put_text(g, "VERSION", "1.0") &&
            hdf5::put_text(g, "pandas_type", "frame_table") &&
            hdf5::put_text(g, "pandas_version", "0.15.2") &&
            hdf5::put_text(g, "table_type", "appendable_frame") &&
            hdf5::put_text(g, "encoding", "UTF-8") && hdf5::put_text(g, "errors", "strict") &&
            hdf5::put_text(g, "nan_rep", "nan") && hdf5::put_integer(g, "levels", 1) &&
            hdf5::put_pickle(g, "index_cols", pickle::index_columns()) &&
            hdf5::put_pickle(g, "non_index_axes", pickle::other_axes(names)) &&
            hdf5::put_pickle(g, "values_cols", pickle::list(names)) &&
            hdf5::put_pickle(g, "data_columns", pickle::list(names)) &&
            hdf5::put_pickle(g, "info", pickle::axis_info());
  const hid_t t = dataset_.id();
  ok = ok && hdf5::put_text(t, "CLASS", "TABLE") && hdf5::put_text(t, "TITLE", "") &&
       hdf5::put_text(t, "VERSION", "2.7") && hdf5::put_text(t, "FIELD_0_NAME", "index") &&
       hdf5::put_text(t, "index_kind", "integer");
  for (std::size_t i = 0; ok && i < columns_.size(); ++i) {
    const auto& column = columns_[i];
    ok = hdf5::put_text(t, "FIELD_" + std::to_string(i + 1) + "_NAME", column.name) &&
         hdf5::put_text(t, column.name + "_dtype", dtype_name(column)) &&
         hdf5::put_pickle(t, column.name + "_kind", pickle::list({&column.name, 1})) &&
         hdf5::put_pickle(t, column.name + "_meta", pickle::none());
  }
  if (!ok) return file_->failed();
  return {};
}

void PandasTableWriter::number_rows(std::byte* rows, std::size_t count) {
  auto index = static_cast<std::int64_t>(rows_);
  for (std::size_t i = 0; i < count; ++i, ++index) {
    std::memcpy(rows + i * row_bytes_, &index, sizeof index);
  }
  rows_ += count;
}

Result<void> PandasTableWriter::add_row() {
  const auto index = static_cast<std::int64_t>(rows_);
  std::memcpy(row(), &index, sizeof index);
  ++rows_;
  if (++in_chunk_ == chunk_rows_) return end_chunk();
  return {};
}

Result<void> PandasTableWriter::add_rows(std::byte* rows, std::size_t count) {
  while (count > 0) {
    const std::size_t fits = std::min(count, chunk_rows_ - in_chunk_);
    if (compression_ == 0 && in_chunk_ == placed_) {
      METE_TRY_VOID(place_rows(rows, fits));
    } else {
      std::memcpy(row(), rows, fits * row_bytes_);
      number_rows(row(), fits);
      in_chunk_ += fits;
    }
    if (in_chunk_ == chunk_rows_) METE_TRY_VOID(end_chunk());
    rows += fits * row_bytes_;
    count -= fits;
  }
  return {};
}

/// Rows go to where HDF5 has room for their chunk, without a copy of them anywhere.
Result<void> PandasTableWriter::place_rows(std::byte* rows, std::size_t count) {
  if (in_chunk_ == 0) METE_TRY_VOID(place_chunk(1));
  number_rows(rows, count);
  METE_TRY_VOID(file_->write_at(chunk_address_ + in_chunk_ * row_bytes_, rows, count * row_bytes_));
  in_chunk_ += count;
  placed_ = in_chunk_;
  return {};
}

/// Makes the table reach to the first `count` rows of the next chunk; where that lies in the file
/// is known then.
Result<void> PandasTableWriter::place_chunk(std::size_t count) {
  if (!dataset_.ok()) METE_TRY_VOID(make_dataset());
  const hsize_t start = extent_;
  const hsize_t extent = extent_ + count;
  unsigned filters = 0;
  hsize_t bytes = 0;
  const bool ok =
      H5Dset_extent(dataset_.id(), &extent) >= 0 &&
      H5Dget_chunk_info_by_coord(dataset_.id(), &start, &filters, &chunk_address_, &bytes) >= 0 &&
      chunk_address_ != HADDR_UNDEF;
  if (!ok) return file_->failed();
  return {};
}

/// Writes what is not in the file yet of the present chunk, which may be short if it is the last.
Result<void> PandasTableWriter::end_chunk() {
  if (in_chunk_ == 0) return {};
  if (compression_ > 0) {
    METE_TRY_VOID(write_compressed());
  } else if (placed_ < in_chunk_) {
    if (placed_ == 0) METE_TRY_VOID(place_chunk(in_chunk_));
    METE_TRY_VOID(file_->write_at(chunk_address_ + placed_ * row_bytes_,
                                  chunk_.get() + placed_ * row_bytes_,
                                  (in_chunk_ - placed_) * row_bytes_));
  }
  extent_ += in_chunk_;
  in_chunk_ = placed_ = 0;
  return {};
}

Result<void> PandasTableWriter::write_compressed() {
  if (!dataset_.ok()) METE_TRY_VOID(make_dataset());
  const hsize_t start = extent_;
  const hsize_t added = in_chunk_;
  const hsize_t extent = start + added;
  bool ok = H5Dset_extent(dataset_.id(), &extent) >= 0;
  const hdf5::Handle file_space(H5Dget_space(dataset_.id()), H5Sclose);
  const hdf5::Handle memory_space(H5Screate_simple(1, &added, nullptr), H5Sclose);
  ok =
      ok &&
      H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, &start, nullptr, &added, nullptr) >= 0 &&
      H5Dwrite(dataset_.id(), type_.id(), memory_space.id(), file_space.id(), H5P_DEFAULT,
               chunk_.get()) >= 0;
  if (!ok) return file_->failed();
  return {};
}

Result<void> PandasTableWriter::annotate(const std::string& name, std::string_view value) {
  if (!dataset_.ok()) METE_TRY_VOID(make_dataset());
  if (!hdf5::put_text(dataset_.id(), name, value)) return file_->failed();
  return {};
}

Result<void> PandasTableWriter::finish() {
  METE_TRY_VOID(end_chunk());
  if (!dataset_.ok()) METE_TRY_VOID(make_dataset());
  const hsize_t extent = rows_;
  if (H5Dset_extent(dataset_.id(), &extent) < 0) return file_->failed();
  const bool counted = hdf5::put_integer(dataset_.id(), "NROWS", static_cast<std::int64_t>(rows_));
  const bool closed = dataset_.reset() && group_.reset();
  if (!counted || !closed) return file_->failed();
  return {};
}

}  // namespace mete
