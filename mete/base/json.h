// JSON and YAML as one small value type; the parsing libraries stay inside json.cc and yaml.cc.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mete/base/result.h"

namespace mete {

/// A JSON value. Objects keep the order of insertion. Integers stay integers.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  // NOLINTBEGIN(google-explicit-constructor): values read as literals
  Json(std::nullptr_t) {}
  Json(bool v) : value_(v) {}
  Json(int v) : value_(std::int64_t{v}) {}
  Json(std::int64_t v) : value_(v) {}
  Json(std::size_t v) : value_(static_cast<std::int64_t>(v)) {}
  Json(double v) : value_(v) {}
  Json(const char* v) : value_(std::string(v)) {}
  Json(std::string_view v) : value_(std::string(v)) {}
  Json(std::string v) : value_(std::move(v)) {}
  Json(Array v) : value_(std::move(v)) {}
  // NOLINTEND(google-explicit-constructor)
  static Json object() {
    Json j;
    j.value_ = Object{};
    return j;
  }
  static Json object(std::initializer_list<Member> members) {
    Json j;
    j.value_ = Object(members);
    return j;
  }
  /// Of a key given twice the last counts. Linear, where set() for each member would be quadratic.
  static Json from_members(Object members);
  static Json array() { return {Array{}}; }
  static Json array_of(const std::vector<double>& values);
  static Json array_of(const std::vector<std::string>& values);

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  [[nodiscard]] bool is_number() const {
    return is_integer() || std::holds_alternative<double>(value_);
  }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
  [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
  [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }

  /// The value if it is of that kind, else the fallback.
  [[nodiscard]] bool as_bool(bool fallback = false) const;
  [[nodiscard]] double as_number(double fallback = 0) const;
  [[nodiscard]] std::int64_t as_integer(std::int64_t fallback = 0) const;
  [[nodiscard]] std::string as_string(std::string_view fallback = {}) const;
  /// Empty if not of that kind.
  [[nodiscard]] const Array& items() const;
  [[nodiscard]] const Object& members() const;

  /// The member, or nullptr if this is no object or has none of that name.
  [[nodiscard]] const Json* find(std::string_view key) const;
  /// The member, or a null value.
  const Json& operator[](std::string_view key) const;
  /// Adds or replaces a member; a null value becomes an object.
  void set(std::string_view key, Json value);
  /// Appends; a null value becomes an array.
  void push(Json value);

  /// indent < 0: one line. Doubles in the shortest form that reads back equal; NaN and infinities,
  /// which JSON lacks, as null.
  [[nodiscard]] std::string dump(int indent = 2) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Strict JSON; nesting deeper than 64 is refused; of a key given twice the last counts. Errors
/// name line and column ("line 3, column 7:
/// ..").
Result<Json> parse_json(std::string_view text);

/// One YAML document as Json. Plain scalars are typed as YAML 1.2 types them, and "1e+09" and "nan"
/// are numbers (YAML 1.1 readers make strings of them, which broke GEOPM's scripts). `0x..` scalars
/// stay strings (a region hash). Aliases are refused: a report has none, and they can expand
/// without bound.
Result<Json> parse_yaml(std::string_view text);

}  // namespace mete
