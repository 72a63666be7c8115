// A page: one HTML file that needs nothing else: no script library, no font, no address. Its
// figures are drawn without script; a small one of our own adds read-outs. Layout:
// docs/formats/page.md. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "mete/base/stats.h"
#include "mete/base/table.h"
#include "mete/plot/figure.h"

namespace mete {

enum class Tone { neutral, good, bad };

/// One figure in large type at the top: "Energy saved" "23.4 %" "[22.8 %, 24.1 %]".
struct Headline {
  std::string label;
  std::string value;
  std::string interval;  ///< empty if there is none
  std::string note;      ///< small, below: "95 % interval over 5 pairs of runs"
  Tone tone = Tone::neutral;
};

/// A change as a headline that is true to its interval. `change` is a fraction (−0.23: 23 % less).
/// less_is_good: energy, time. The word turns with the sign ("Energy saved", "Energy added") and
/// the tone is neutral where the interval holds 0 or is unbounded (one run), which the note says.
Headline change_headline(const Interval& change, std::string_view quantity,
                         std::string_view word_less, std::string_view word_more);

/// How a column of a table is shown.
struct ColumnFormat {
  std::string column;
  std::string heading;  ///< the column's name if empty
  int digits = 4;       ///< significant, for quantities with a unit
  bool signed_value = false;
};

struct TableBlock {
  std::string title;
  std::string caption;
  Table table;
  std::vector<ColumnFormat> formats;     ///< the columns shown, in this order; empty: all of them
  std::size_t most_rows = 200;           ///< shown; all rows are in the CSV
  std::vector<std::size_t> marked_rows;  ///< drawn to stand out: the chosen clock
};

/// Paragraphs under a title: what was chosen and why.
struct TextBlock {
  std::string title;
  std::vector<std::string> paragraphs;
};

struct Fact {
  std::string key;
  std::string value;
  bool code = false;  ///< a command line or path: in fixed-width type
};

using Block = std::variant<Figure, TableBlock, TextBlock>;

struct Page {
  std::string title;
  std::string subtitle;  ///< program, device
  std::string summary;   ///< one paragraph in plain words
  std::vector<Badge> badges;
  std::vector<Headline> headlines;
  std::vector<Block> blocks;
  std::vector<Fact>
      measured;  ///< "How this was measured": host, device, seed, versions, command line
  std::vector<std::string>
      cautions;  ///< what the reader must know before believing the page; shown above

  /// The whole file. Deterministic; a usual page is below 300 KB.
  [[nodiscard]] std::string to_html() const;
};

/// Text made safe inside HTML and SVG, in elements and in quoted attributes. Control characters,
/// which XML forbids, and broken UTF-8 become U+FFFD.
std::string escape_html(std::string_view text);

}  // namespace mete
