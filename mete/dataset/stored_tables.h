// Every table of an HDF5 file (`mete process` writes them, pandas' "table" format), for looking at.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/table.h"

namespace mete {

struct StoredTable {
  std::string name;  ///< the group's: "node1_training_data"
  Table table;       ///< without pandas' row numbers; flags as 0 and 1
  bool replayed = false;
};

struct StoredTables {
  std::vector<StoredTable> tables;
  std::vector<std::string> left_out;  ///< groups that are no such table, one line each
};

/// `invalid`: no HDF5 file, no table in it, or a table of more than `max_rows` rows.
Result<StoredTables> read_stored_tables(const std::string& path, std::size_t max_rows);

}  // namespace mete
