// Json values and the JSON reader.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/json.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <nlohmann/json.hpp>

#include "mete/base/text.h"
#include "mete/base/utf8.h"

namespace mete {
namespace {

constexpr std::size_t kMaxDepth = 64;

const Json kNull;

/// What is no UTF-8 is replaced: JSON has no other text, and a strict reader would refuse all of
/// it.
void escape_into(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Utf8Character one = first_character(text);
    if (!one.valid) {
      out += kReplacement;
    } else if (one.code == '"' || one.code == '\\') {
      out += '\\';
      out += text.front();
    } else if (one.code == '\n') {
      out += "\\n";
    } else if (one.code == '\t') {
      out += "\\t";
    } else if (one.code == '\r') {
      out += "\\r";
    } else if (one.code < 0x20) {
      out += fmt::format("\\u{:04x}", one.code);
    } else {
      out += text.substr(0, one.bytes);
    }
    text.remove_prefix(one.bytes);
  }
  out += '"';
}

void newline(std::string& out, int indent, int depth) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

void dump_into(std::string& out, const Json& j, int indent, int depth) {
  if (j.is_object()) {
    if (j.members().empty()) {
      out += "{}";
      return;
    }
    out += '{';
    bool first = true;
    for (const auto& [key, value] : j.members()) {
      if (!first) out += ',';
      first = false;
      newline(out, indent, depth + 1);
      escape_into(out, key);
      out += indent < 0 ? ":" : ": ";
      dump_into(out, value, indent, depth + 1);
    }
    newline(out, indent, depth);
    out += '}';
  } else if (j.is_array()) {
    const bool flat = std::none_of(j.items().begin(), j.items().end(), [](const Json& item) {
      return item.is_object() || item.is_array();
    });
    out += '[';
    bool first = true;
    for (const Json& item : j.items()) {
      if (!first) out += flat && indent >= 0 ? ", " : ",";
      first = false;
      if (!flat) newline(out, indent, depth + 1);
      dump_into(out, item, indent, depth + 1);
    }
    if (!flat) newline(out, indent, depth);
    out += ']';
  } else if (j.is_string()) {
    escape_into(out, j.as_string());
  } else if (j.is_integer()) {
    out += fmt::format("{}", j.as_integer());
  } else if (j.is_number()) {
    const double v = j.as_number();
    out += std::isfinite(v) ? fmt::format("{}", v) : "null";
  } else if (j.is_bool()) {
    out += j.as_bool() ? "true" : "false";
  } else {
    out += "null";
  }
}

/// Builds a Json from nlohmann's event stream, so that depth is checked before memory is taken.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return add(Json()); }
  bool boolean(bool v) override { return add(Json(v)); }
  bool number_integer(std::int64_t v) override { return add(Json(v)); }
  bool number_unsigned(std::uint64_t v) override {
    return add(v <= INT64_MAX ? Json(static_cast<std::int64_t>(v)) : Json(static_cast<double>(v)));
  }
  bool number_float(double v, const std::string& /*text*/) override { return add(Json(v)); }
  bool string(std::string& v) override { return add(Json(std::move(v))); }
  bool binary(binary_t& /*v*/) override { return false; }
  bool start_object(std::size_t /*n*/) override { return open(true); }
  bool start_array(std::size_t /*n*/) override { return open(false); }
  bool key(std::string& v) override {
    stack_.back().key = std::move(v);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::json::exception& e) override {
    error = e.what();
    return false;
  }

  Json root;
  std::string error;

 private:
  /// An object or array that is still open.
  struct Frame {
    bool is_object = false;
    Json::Object members;
    Json::Array items;
    std::string key;
  };

  bool add(Json v) {
    if (stack_.empty()) {
      root = std::move(v);
    } else if (Frame& frame = stack_.back(); frame.is_object) {
      frame.members.emplace_back(std::move(frame.key), std::move(v));
    } else {
      frame.items.push_back(std::move(v));
    }
    return true;
  }
  bool open(bool is_object) {
    if (stack_.size() >= kMaxDepth) {
      error = fmt::format("nested deeper than {}", kMaxDepth);
      return false;
    }
    stack_.push_back({is_object, {}, {}, {}});
    return true;
  }
  bool close() {
    Frame done = std::move(stack_.back());
    stack_.pop_back();
    if (!done.is_object) return add(Json(std::move(done.items)));
    return add(Json::from_members(std::move(done.members)));
  }
  std::vector<Frame> stack_;
};

/// nlohmann's "[json.exception.parse_error.101] parse error at line 1, column 2: ..": from "line"
/// on.
std::string readable(const std::string& error) {
  const auto at = error.find("at line ");
  return at == std::string::npos ? error : error.substr(at + 3);
}

}  // namespace

Json Json::from_members(Object members) {
  std::unordered_set<std::string_view> seen;
  std::vector<bool> dropped(members.size(), false);
  bool any = false;
  for (std::size_t i = members.size(); i-- > 0;) {
    dropped[i] = !seen.insert(members[i].first).second;
    any = any || dropped[i];
  }
  Object kept;
  for (std::size_t i = 0; any && i < members.size(); ++i) {
    if (!dropped[i]) kept.push_back(std::move(members[i]));
  }
  Json j;
  j.value_ = any ? std::move(kept) : std::move(members);
  return j;
}

Json Json::array_of(const std::vector<double>& values) {
  return {Array(values.begin(), values.end())};
}
Json Json::array_of(const std::vector<std::string>& values) {
  return {Array(values.begin(), values.end())};
}

bool Json::as_bool(bool fallback) const { return is_bool() ? std::get<bool>(value_) : fallback; }

double Json::as_number(double fallback) const {
  if (is_integer()) return static_cast<double>(std::get<std::int64_t>(value_));
  return is_number() ? std::get<double>(value_) : fallback;
}

std::int64_t Json::as_integer(std::int64_t fallback) const {
  return is_integer() ? std::get<std::int64_t>(value_) : fallback;
}

std::string Json::as_string(std::string_view fallback) const {
  return is_string() ? std::get<std::string>(value_) : std::string(fallback);
}

const Json::Array& Json::items() const {
  static const Array kEmpty;
  return is_array() ? std::get<Array>(value_) : kEmpty;
}

const Json::Object& Json::members() const {
  static const Object kEmpty;
  return is_object() ? std::get<Object>(value_) : kEmpty;
}

const Json* Json::find(std::string_view key) const {
  for (const auto& [name, value] : members()) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  const Json* found = find(key);
  return found != nullptr ? *found : kNull;
}

void Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  auto& members = std::get<Object>(value_);
  for (auto& [name, old] : members) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  members.emplace_back(std::string(key), std::move(value));
}

void Json::push(Json value) {
  if (is_null()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
}

std::string Json::dump(int indent) const {
  std::string out;
  dump_into(out, *this, indent, 0);
  return out;
}

Result<Json> parse_json(std::string_view text) {
  if (trim(text).empty()) return fail(Errc::invalid, "not JSON: line 1: it is empty");
  Builder builder;
  try {
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
      return std::move(builder.root);
  } catch (const std::exception& e) {
    builder.error = e.what();
  }
  return fail(Errc::invalid, "not JSON: {}", readable(builder.error));
}

}  // namespace mete
