// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <limits>

#include "mete/dataset/pandas_pickle.h"
#include "mete/dataset/pandas_table.h"

namespace mete {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{4} << 20U;
constexpr std::size_t kWidestRow = std::size_t{64} << 20U;

}  // namespace

Result<PandasTableReader> PandasTableReader::open(hid_t file, const std::string& path,
                                                  const std::string& key) {
  PandasTableReader r;
  r.where_ = path + ": " + key;
  const hdf5::Handle group(H5Gopen2(file, key.c_str(), H5P_DEFAULT), H5Gclose);
  if (!group.ok()) return fail(Errc::invalid, "{}: no such table", r.where_);
  if (H5Lexists(group.id(), "table", H5P_DEFAULT) <= 0) {
    return fail(
        Errc::invalid,
        "{}: is in pandas' \"fixed\" format, which only pandas reads; convert it in Python: "
        "pandas.read_hdf('{}', '{}').to_hdf('table.h5', '{}', format='table')",
        r.where_, path, key, key);
  }
  r.dataset_ = hdf5::Handle(H5Dopen2(group.id(), "table", H5P_DEFAULT), H5Dclose);
  if (!r.dataset_.ok()) return fail(Errc::invalid, "{}: {}", r.where_, hdf5::last_error());
  const hdf5::Handle stored(H5Dget_type(r.dataset_.id()), H5Tclose);
  if (H5Tget_class(stored.id()) != H5T_COMPOUND) {
    return fail(Errc::invalid, "{}: not a table of named columns", r.where_);
  }
  r.type_ = hdf5::Handle(H5Tget_native_type(stored.id(), H5T_DIR_ASCEND), H5Tclose);
  if (!r.type_.ok()) {
    // Bit fields (pandas' booleans) have no native type in HDF5 1.10; PC byte order needs none.
    r.type_ = hdf5::Handle(H5Tcopy(stored.id()), H5Tclose);
  }
  const hdf5::Handle space(H5Dget_space(r.dataset_.id()), H5Sclose);
  if (H5Sget_simple_extent_ndims(space.id()) != 1) {
    return fail(Errc::invalid, "{}: not a table of rows", r.where_);
  }
  r.rows_ = static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(space.id()));
  r.row_bytes_ = H5Tget_size(r.type_.id());
  if (r.row_bytes_ == 0 || r.row_bytes_ > kWidestRow) {
    return fail(Errc::invalid, "{}: rows of {} bytes", r.where_, r.row_bytes_);
  }
  METE_TRY_VOID(r.read_columns());
  return r;
}

Result<void> PandasTableReader::read_columns() {
  const int fields = H5Tget_nmembers(type_.id());
  for (int i = 0; i < fields; ++i) METE_TRY_VOID(add_field(static_cast<unsigned>(i)));
  return {};
}

Result<void> PandasTableReader::add_field(unsigned field) {
  char* raw = H5Tget_member_name(type_.id(), field);
  if (raw == nullptr) return fail(Errc::invalid, "{}: {}", where_, hdf5::last_error());
  TableColumn column;
  column.name = raw;
  H5free_memory(raw);
  column.offset = H5Tget_member_offset(type_.id(), field);
  hdf5::Handle type(H5Tget_member_type(type_.id(), field), H5Tclose);
  std::size_t count = 1;
  std::vector<std::string> names{column.name};
  if (H5Tget_class(type.id()) == H5T_ARRAY) {  // several columns of one kind, as pandas packs them
    names = pickle::read_list(hdf5::get_text(dataset_.id(), column.name + "_kind"));
    const std::size_t whole = H5Tget_size(type.id());
    type = hdf5::Handle(H5Tget_super(type.id()), H5Tclose);
    count = whole / std::max<std::size_t>(1, H5Tget_size(type.id()));
    if (names.size() != count) return {};  // unnamed: of no use, and no harm
  }
  column.width = H5Tget_size(type.id());
  const auto kind = H5Tget_class(type.id());
  if (kind == H5T_FLOAT && column.width == 8) {
    column.type = CellType::float64;
  } else if (kind == H5T_INTEGER && column.width == 8) {
    column.type = CellType::int64;
  } else if ((kind == H5T_BITFIELD || kind == H5T_INTEGER || kind == H5T_ENUM) &&
             column.width == 1) {
    column.type = CellType::boolean;
  } else if (kind == H5T_STRING && H5Tis_variable_str(type.id()) == 0) {
    column.type = CellType::text;
  } else {
    return {};
  }
  for (std::size_t i = 0; i < count; ++i) {
    columns_.push_back(column);
    columns_.back().name = names[i];
    columns_.back().offset = column.offset + i * column.width;
  }
  return {};
}

std::string PandasTableReader::annotation(const std::string& name) const {
  return hdf5::get_text(dataset_.id(), name);
}

const TableColumn* PandasTableReader::find(std::string_view name) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(),
                                  [&](const TableColumn& c) { return c.name == name; });
  return found == columns_.end() ? nullptr : &*found;
}

Result<std::span<const std::byte>> PandasTableReader::next() {
  const hsize_t start = at_;
  const hsize_t count =
      std::min<std::uint64_t>(rows_ - at_, std::max<std::size_t>(1, kBlockBytes / row_bytes_));
  if (count == 0) return std::span<const std::byte>();
  block_.resize(count * row_bytes_);
  const hdf5::Handle file_space(H5Dget_space(dataset_.id()), H5Sclose);
  const hdf5::Handle memory_space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  H5Sselect_hyperslab(file_space.id(), H5S_SELECT_SET, &start, nullptr, &count, nullptr);
  if (H5Dread(dataset_.id(), type_.id(), memory_space.id(), file_space.id(), H5P_DEFAULT,
              block_.data()) < 0) {
    return fail(Errc::invalid, "{}: row {}: {}", where_, at_, hdf5::last_error());
  }
  at_ += count;
  return std::span<const std::byte>(block_);
}

double number_cell(const std::byte* row, const TableColumn& column) {
  const std::byte* at = row + column.offset;
  if (column.type == CellType::float64) {
    double value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  if (column.type == CellType::int64) {
    std::int64_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return static_cast<double>(value);
  }
  if (column.type == CellType::boolean) return *at != std::byte{0} ? 1.0 : 0.0;
  return std::numeric_limits<double>::quiet_NaN();
}

std::string_view text_cell(const std::byte* row, const TableColumn& column) {
  if (column.type != CellType::text) return {};
  const auto* text = reinterpret_cast<const char*>(row + column.offset);
  return {text, ::strnlen(text, column.width)};
}

std::vector<std::string> root_keys(hid_t file) {
  std::vector<std::string> names;
  const auto add = [](hid_t /*group*/, const char* name, const H5L_info_t* /*info*/,
                      void* data) -> herr_t {
    auto& out = *static_cast<std::vector<std::string>*>(data);
    if (out.size() >= 10'000) return 1;
    out.emplace_back(name);
    return 0;
  };
  H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names);
  return names;
}

}  // namespace mete
