// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/explorer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_map>

#include <fmt/format.h>

#include "mete/base/json.h"

namespace mete {
namespace {

constexpr std::string_view kPlaceholder = R"({"format":"mete.view/1","title":"empty","tables":[]})";

/// JSON text that cannot end the script element it stands in, whatever a name or a path holds.
std::string script_safe(std::string text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string quoted(std::string_view text) { return script_safe(Json(text).dump(-1)); }

void append_numbers(std::string& out, const std::vector<double>& values) {
  out += '[';
  bool first = true;
  for (const double value : values) {
    if (!first) out += ',';
    first = false;
    if (std::isfinite(value)) {
      fmt::format_to(std::back_inserter(out), "{}", value);
    } else {
      out += "null";
    }
  }
  out += ']';
}

/// Text as codes into a dictionary: a type or a clock's name is told once, not on every row.
void append_texts(std::string& out, const std::vector<std::string>& values) {
  std::unordered_map<std::string_view, std::size_t> codes;
  std::string dictionary;
  std::string list;
  for (const auto& value : values) {
    const auto [found, added] = codes.emplace(value, codes.size());
    if (added) {
      if (!dictionary.empty()) dictionary += ',';
      dictionary += quoted(value);
    }
    if (!list.empty()) list += ',';
    fmt::format_to(std::back_inserter(list), "{}", found->second);
  }
  fmt::format_to(std::back_inserter(out), "\"dictionary\":[{}],\"codes\":[{}]", dictionary, list);
}

void append_column(std::string& out, const ExplorerColumn& column) {
  fmt::format_to(std::back_inserter(out), "{{\"name\":{},\"unit\":{},\"role\":\"{}\",",
                 quoted(column.column.name), quoted(column.column.unit),
                 column.dimension ? "dimension" : "measure");
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) fmt::format_to(std::back_inserter(out), "\"{}\":{},", key, quoted(value));
  };
  add("low", column.low);
  add("high", column.high);
  add("source", column.source);
  if (column.column.is_text()) {
    out += "\"type\":\"text\",";
    append_texts(out, column.column.texts());
  } else {
    out += "\"type\":\"number\",\"values\":";
    append_numbers(out, column.column.numbers());
  }
  out += '}';
}

std::string panel_json(const ExplorerPanel& panel) {
  Json json = Json::object();
  if (!panel.x.empty()) json.set("x", panel.x);
  if (!panel.y.empty()) json.set("y", panel.y);
  json.set("series", panel.series);
  Json fixed = Json::object();
  for (const auto& [name, value] : panel.fixed) fixed.set(name, value);
  json.set("fixed", std::move(fixed));
  return script_safe(json.dump(-1));
}

void append_lanes(std::string& out, const ExplorerLanes& lanes) {
  fmt::format_to(std::back_inserter(out), "\"lanes\":{{\"x\":{},\"note\":{},\"rows\":[",
                 quoted(lanes.x), quoted(lanes.note));
  for (std::size_t i = 0; i < lanes.rows.size(); ++i) {
    const auto& row = lanes.rows[i];
    fmt::format_to(std::back_inserter(out), "{}{{\"name\":{},\"level\":{},\"bands\":[",
                   i > 0 ? "," : "", quoted(row.name), row.level);
    bool first = true;
    for (const auto& band : row.bands) {
      if (!std::isfinite(band.begin) || !std::isfinite(band.end) || !std::isfinite(band.share))
        continue;
      fmt::format_to(std::back_inserter(out), "{}[{},{},{:.3g},{}]", first ? "" : ",", band.begin,
                     band.end, band.share, quoted(band.about));
      first = false;
    }
    out += "]}";
  }
  out += "]},";
}

Result<void> append_table(std::string& out, const ExplorerTable& table) {
  fmt::format_to(std::back_inserter(out), "{{\"name\":{},\"panels\":[", quoted(table.name));
  for (std::size_t i = 0; i < table.panels.size(); ++i)
    out += (i > 0 ? "," : "") + panel_json(table.panels[i]);
  out += "],";
  if (!table.lanes.rows.empty()) append_lanes(out, table.lanes);
  out += "\"columns\":[";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].column.size() != table.columns.front().column.size()) {
      return fail(Errc::internal, "table {}: column {} is not as long as the others", table.name,
                  table.columns[i].column.name);
    }
    if (i > 0) out += ",\n";
    append_column(out, table.columns[i]);
  }
  out += "]}";
  return {};
}

}  // namespace

Result<std::string> explorer_json(const ExplorerDocument& document) {
  std::string out = fmt::format(
      "{{\"format\":\"mete.view/1\",\"title\":{},\"made_by\":\"mete {}\",\"notes\":{},\"tables\":[",
      quoted(document.title), METE_VERSION, script_safe(Json::array_of(document.notes).dump(-1)));
  for (std::size_t i = 0; i < document.tables.size(); ++i) {
    if (i > 0) out += ",\n";
    METE_TRY_VOID(append_table(out, document.tables[i]));
  }
  return out + "]}";
}

Result<std::string> explorer_html(const ExplorerDocument& document) {
  METE_TRY(const auto json, explorer_json(document));
  const auto page = explorer_template();
  const auto at = page.find(kPlaceholder);
  if (at == std::string_view::npos)
    return fail(Errc::internal, "the bundled page has no place for its data");
  std::string out;
  out.reserve(page.size() + json.size());
  out.append(page.substr(0, at)).append(json).append(page.substr(at + kPlaceholder.size()));
  return out;
}

ExplorerTable explore(const Table& table, std::string name,
                      const std::vector<std::string>& dimensions) {
  ExplorerTable out;
  out.name = std::move(name);
  for (const auto& column : table.columns()) {
    const bool named =
        std::find(dimensions.begin(), dimensions.end(), column.name) != dimensions.end();
    ExplorerColumn entry{column, named || column.is_text(), "", "", ""};
    if (table.find(column.name + "_low") != nullptr) entry.low = column.name + "_low";
    if (table.find(column.name + "_high") != nullptr) entry.high = column.name + "_high";
    out.columns.push_back(std::move(entry));
  }
  return out;
}

}  // namespace mete
