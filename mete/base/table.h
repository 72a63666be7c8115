// Table: named columns, each with its unit. The only currency between measuring, learning, studying
// and plotting. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// A column of numbers (NaN where there is no value) or of text; all columns of a table are equally
/// long.
struct Column {
  std::string name;
  std::string unit;  ///< SI symbol, "1" for a fraction, "" for text or a plain count
  std::variant<std::vector<double>, std::vector<std::string>> values;

  [[nodiscard]] bool is_text() const { return values.index() == 1; }
  [[nodiscard]] const std::vector<double>& numbers() const { return std::get<0>(values); }
  [[nodiscard]] const std::vector<std::string>& texts() const { return std::get<1>(values); }
  [[nodiscard]] std::vector<double>& numbers() { return std::get<0>(values); }
  [[nodiscard]] std::vector<std::string>& texts() { return std::get<1>(values); }
  [[nodiscard]] std::size_t size() const { return is_text() ? texts().size() : numbers().size(); }
};

class Table {
 public:
  std::vector<double>& add_numbers(std::string name, std::string unit,
                                   std::vector<double> values = {});
  std::vector<std::string>& add_texts(std::string name, std::vector<std::string> values = {});
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] std::vector<Column>& columns() { return columns_; }
  [[nodiscard]] std::size_t rows() const { return columns_.empty() ? 0 : columns_.front().size(); }
  /// nullptr if there is none of that name.
  [[nodiscard]] const Column* find(std::string_view name) const;
  /// The column, or an error that offers the nearest names.
  [[nodiscard]] Result<const std::vector<double>*> numbers(std::string_view name) const;
  [[nodiscard]] Result<const std::vector<std::string>*> texts(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  /// RFC 4180, one header line "name [unit]"; doubles in the shortest form that reads back equal.
  [[nodiscard]] std::string to_csv() const;

 private:
  std::vector<Column> columns_;
};

/// RFC 4180 text (quoted cells, CRLF) into rows of cells. Refuses an unclosed quote, naming its
/// line.
Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text);

}  // namespace mete
