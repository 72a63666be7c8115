// JSON lines made without a tree of values: a sample is written a thousand times a second.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "mete/base/json.h"

namespace mete {

/// One line of JSON, put together piece by piece. Commas come by themselves.
class JsonLine {
 public:
  JsonLine() { text_.reserve(4096); }
  void clear() {
    text_.clear();
    comma_ = false;
  }
  void open(char bracket) {
    separate();
    text_ += bracket;
    comma_ = false;
  }
  void close(char bracket) {
    text_ += bracket;
    comma_ = true;
  }
  /// `name` must need no escapes.
  void key(std::string_view name) {
    separate();
    text_ += '"';
    text_ += name;
    text_ += "\":";
    comma_ = false;
  }
  void number(double value) {
    separate();
    if (!std::isfinite(value)) {
      text_ += "null";
    } else {
      char digits[32];
      text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    comma_ = true;
  }
  void integer(std::int64_t value) {
    separate();
    char digits[24];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    comma_ = true;
  }
  void text(std::string_view value) {
    separate();
    text_ += Json(value).dump(-1);
    comma_ = true;
  }
  void member(std::string_view name, double value) {
    key(name);
    number(value);
  }
  /// Left out if it is not known.
  void known_member(std::string_view name, double value) {
    if (!std::isnan(value)) member(name, value);
  }
  /// Ends the line.
  [[nodiscard]] std::string_view end() {
    text_ += '\n';
    return text_;
  }

 private:
  void separate() {
    if (comma_) text_ += ',';
    comma_ = false;
  }
  std::string text_;
  bool comma_ = false;
};

}  // namespace mete
