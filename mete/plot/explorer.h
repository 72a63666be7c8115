// The explorer: tables into one HTML file that works from disk with no network, with panels whose
// x, y, lines and fixed dimensions the reader chooses. The page itself is built from web/ and
// bundled; docs/formats/view.md has the data in it. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/table.h"

namespace mete {

struct ExplorerColumn {
  Column column;
  bool dimension = false;  ///< chosen from (clock, size, type), rather than measured
  std::string low;         ///< names of the columns that hold the ends of its interval; "" for none
  std::string high;
  std::string source;  ///< "sampled", "replayed", ..: shown beside the figures; "" if unknown
};

/// What a panel shows at first; "" leaves it to the page.
struct ExplorerPanel {
  std::string x;
  std::string y;
  std::string series;
  std::vector<std::pair<std::string, std::string>> fixed;  ///< dimension → value, numbers as text
};

/// Regions below a plot whose x is time; none if there are no rows.
struct ExplorerLanes {
  struct Band {
    double begin = 0;
    double end = 0;
    double share = 1;  ///< of its time, how much was spent in the region
    std::string about;
  };
  struct Row {
    std::string name;
    std::size_t level = 0;
    std::vector<Band> bands;
  };
  std::string x;     ///< the column that must be the plot's x
  std::string note;  ///< how to read it, and how many are drawn of how many
  std::vector<Row> rows;
};

struct ExplorerTable {
  std::string name;
  std::vector<ExplorerColumn> columns;  ///< equally long
  std::vector<ExplorerPanel> panels;
  ExplorerLanes lanes = {};
};

struct ExplorerDocument {
  std::string title;
  std::vector<std::string> notes;  ///< lines above the plots: "replayed on board v100"
  std::vector<ExplorerTable> tables;
};

/// The whole page. `invalid` if a table's columns are of different lengths.
Result<std::string> explorer_html(const ExplorerDocument& document);
/// Only the data, `mete.view/1`, safe to stand inside a script element.
Result<std::string> explorer_json(const ExplorerDocument& document);
/// The bundled page with no data in it.
std::string_view explorer_template();

/// Every column of a table: text and the named ones as dimensions, the others as measures.
ExplorerTable explore(const Table& table, std::string name,
                      const std::vector<std::string>& dimensions);

}  // namespace mete
