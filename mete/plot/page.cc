// A page put together as one HTML text.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/page.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/utf8.h"
#include "mete/plot/markup.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

constexpr double kWide = 892;
constexpr double kNarrow = 372;
constexpr std::size_t kMostFigureRows = 60;
// The page carries its data, but not a whole trace: larger tables are thinned in the CSV, which
// says so.
constexpr std::size_t kMostCsvBytes = 48000;
// A browser allows only these to load or run: what is inside the page.
constexpr std::string_view kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

std::string badges_html(const std::vector<Badge>& badges) {
  std::string out;
  for (const auto& badge : badges) {
    out += fmt::format("<span class=\"bd{}\" title=\"{}\">{}</span>", badge.warns ? " w" : "",
                       escape_html(badge.meaning), escape_html(badge.text));
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.,()[]";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// A name for a file from a name of others': letters, digits and '-'.
std::string file_stem(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 60)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "data" : out;
}

Table every_nth_row(const Table& table, std::size_t n) {
  Table thin;
  for (const auto& column : table.columns()) {
    if (column.is_text()) {
      auto& to = thin.add_texts(column.name);
      for (std::size_t i = 0; i < column.size(); i += n) to.push_back(column.texts()[i]);
    } else {
      auto& to = thin.add_numbers(column.name, column.unit);
      for (std::size_t i = 0; i < column.size(); i += n) to.push_back(column.numbers()[i]);
    }
  }
  return thin;
}

std::string csv_link(const Table& table, std::string_view name) {
  if (table.rows() == 0) return "";
  std::size_t every = std::max<std::size_t>(1, table.rows() / 4000);
  std::string csv = (every > 1 ? every_nth_row(table, every) : table).to_csv();
  while (csv.size() > kMostCsvBytes && every < table.rows()) {
    every *= 2;
    csv = every_nth_row(table, every).to_csv();
  }
  if (csv.size() > kMostCsvBytes) return "";
  const std::string stem = file_stem(name);
  const std::string what = every == 1 ? fmt::format("{} rows", table.rows())
                                      : fmt::format("every {}th of {} rows", every, table.rows());
  return fmt::format(
      "<a class=\"dl\" download=\"{}.csv\" href=\"data:text/csv;charset=utf-8,{}\">CSV ({})</a>",
      stem, percent_encoded(valid_utf8(csv)), what);
}

std::string cell(const Column& column, std::size_t row, const ColumnFormat& format) {
  if (column.is_text()) return fmt::format("<td>{}</td>", escape_html(column.texts()[row]));
  const double value = column.numbers()[row];
  const std::string text =
      std::isnan(value) ? "–" : show_value(value, column.unit, format.digits, format.signed_value);
  return fmt::format("<td class=\"n\">{}</td>", escape_html(text));
}

std::string table_html(const Table& table, std::vector<ColumnFormat> formats, std::size_t most_rows,
                       const std::vector<std::size_t>& marked) {
  if (table.rows() == 0) return "<p class=\"nb\">The table has no rows.</p>\n";
  if (formats.empty()) {
    for (const auto& column : table.columns()) formats.push_back({column.name, "", 4, false});
  }
  std::string head;
  std::vector<std::pair<const Column*, const ColumnFormat*>> shown;
  for (const auto& format : formats) {
    const Column* column = table.find(format.column);
    if (column == nullptr) continue;
    shown.emplace_back(column, &format);
    head += fmt::format("<th scope=\"col\"{}>{}</th>", column->is_text() ? "" : " class=\"n\"",
                        escape_html(format.heading.empty() ? format.column : format.heading));
  }
  const std::size_t rows = std::min(table.rows(), most_rows);
  std::string out =
      fmt::format("<div class=\"tw\"><table><thead><tr>{}</tr></thead><tbody>\n", head);
  for (std::size_t row = 0; row < rows; ++row) {
    const bool mark = std::find(marked.begin(), marked.end(), row) != marked.end();
    out += mark ? "<tr class=\"m\">" : "<tr>";
    for (const auto& [column, format] : shown) out += cell(*column, row, *format);
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (rows < table.rows()) {
    out += fmt::format("<p class=\"nb\">The first {} of {} rows.</p>\n", rows, table.rows());
  }
  return out;
}

std::string heading(std::string_view title, const std::vector<Badge>& badges = {}) {
  if (title.empty() && badges.empty()) return "";
  return fmt::format("<h2>{} {}</h2>\n", escape_html(title), badges_html(badges));
}

std::string block_html(const Figure& original, std::size_t index) {
  Figure figure = original;
  // Ids must be unique in a page, whatever the callers named their figures.
  figure.id =
      fmt::format("f{}-{}", index, file_stem(original.id.empty() ? original.title : original.id));
  SvgOptions wide{kWide, false, "w"};
  SvgOptions narrow{kNarrow, false, "n"};
  std::string out = fmt::format(
      "<section id=\"{}\">\n{}<figure>\n<div class=\"wide\">{}</div>\n"
      "<div class=\"narrow\">{}</div>\n",
      figure.id, heading(figure.title, figure.badges), figure_svg(figure, wide),
      figure_svg(figure, narrow));
  if (!figure.caption.empty()) {
    out += fmt::format("<figcaption>{}</figcaption>\n", escape_html(figure.caption));
  }
  out += "</figure>\n";
  if (figure.data.rows() > 0) {
    const std::string link =
        csv_link(figure.data, original.id.empty() ? original.title : original.id);
    out += fmt::format("<details><summary>The values as a table</summary>\n{}{}</details>\n", link,
                       table_html(figure.data, {}, kMostFigureRows, {}));
  }
  return out + "</section>\n";
}

std::string block_html(const TableBlock& block, std::size_t index) {
  std::string out = fmt::format("<section id=\"t{}\">\n{}", index, heading(block.title));
  out += table_html(block.table, block.formats, block.most_rows, block.marked_rows);
  if (!block.caption.empty()) {
    out += fmt::format("<figcaption>{}</figcaption>\n", escape_html(block.caption));
  }
  const std::string link = csv_link(block.table, block.title);
  if (!link.empty()) out += fmt::format("<p class=\"nb\">{}</p>\n", link);
  return out + "</section>\n";
}

std::string block_html(const TextBlock& block, std::size_t index) {
  std::string out =
      fmt::format("<section id=\"x{}\" class=\"txt\">\n{}", index, heading(block.title));
  for (const auto& paragraph : block.paragraphs)
    out += fmt::format("<p>{}</p>\n", escape_html(paragraph));
  return out + "</section>\n";
}

std::string headlines_html(const std::vector<Headline>& headlines) {
  if (headlines.empty()) return "";
  std::string out = "<dl class=\"heads\">\n";
  for (const auto& head : headlines) {
    const std::string_view tone = head.tone == Tone::good  ? " good"
                                  : head.tone == Tone::bad ? " bad"
                                                           : "";
    out += fmt::format("<div class=\"head{}\"><dt>{}</dt><dd class=\"big\">{}</dd>", tone,
                       escape_html(head.label), escape_html(head.value));
    if (!head.interval.empty())
      out += fmt::format("<dd class=\"iv\">{}</dd>", escape_html(head.interval));
    if (!head.note.empty()) out += fmt::format("<dd class=\"nb\">{}</dd>", escape_html(head.note));
    out += "</div>\n";
  }
  return out + "</dl>\n";
}

std::string facts_html(const std::vector<Fact>& facts) {
  if (facts.empty()) return "";
  std::string out =
      "<section id=\"measured\">\n<h2>How this was measured</h2>\n<dl class=\"facts\">\n";
  for (const auto& fact : facts) {
    const std::string value = escape_html(fact.value);
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape_html(fact.key),
                       fact.code ? fmt::format("<code>{}</code>", value) : value);
  }
  return out + "</dl>\n</section>\n";
}

std::string percent(double fraction) { return show_value(fraction, "1"); }

}  // namespace

Headline change_headline(const Interval& change, std::string_view quantity,
                         std::string_view word_less, std::string_view word_more) {
  Headline head;
  if (!drawable(change.estimate)) {
    head.label = fmt::format("{} change", quantity);
    head.value = "no value";
    head.note = "There were no runs to compare.";
    return head;
  }
  const bool less = change.estimate < 0;
  const double sign = less ? -1 : 1;
  head.label = fmt::format("{} {}", quantity, less ? word_less : word_more);
  head.value = percent(sign * change.estimate);
  if (!change.bounded()) {
    head.note = "One run: no interval can be given.";
    return head;
  }
  const double low = less ? -change.high : change.low;
  const double high = less ? -change.low : change.high;
  head.interval = fmt::format("[{}, {}]", percent(low), percent(high));
  const bool unclear = change.low <= 0 && change.high >= 0;
  head.note =
      fmt::format("from {} runs{}", change.n, unclear ? "; the interval includes no change" : "");
  head.tone = unclear ? Tone::neutral : less ? Tone::good : Tone::bad;
  return head;
}

std::string Page::to_html() const {
  const std::string safe_title = escape_html(title);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"mete "
      "{}\">\n<title>{}</title>\n<style>{}{}</style>\n</head>\n"
      "<body>\n<main>\n<header>\n<h1>{}</h1>\n",
      kPolicy, METE_VERSION, safe_title, figure_style(), page_style(), safe_title);
  if (!subtitle.empty()) out += fmt::format("<p class=\"sub\">{}</p>\n", escape_html(subtitle));
  if (!badges.empty()) out += fmt::format("<div>{}</div>\n", badges_html(badges));
  out += headlines_html(headlines);
  if (!summary.empty()) out += fmt::format("<p class=\"lede\">{}</p>\n", escape_html(summary));
  if (!cautions.empty()) {
    out += "<div class=\"care\" role=\"note\">\n";
    for (const auto& caution : cautions) out += fmt::format("<p>{}</p>\n", escape_html(caution));
    out += "</div>\n";
  }
  out += "</header>\n";
  std::size_t index = 0;
  for (const auto& block : blocks) {
    out += std::visit([&](const auto& each) { return block_html(each, index); }, block);
    ++index;
  }
  out += facts_html(measured);
  out += fmt::format(
      "<footer>Made by mete {}. This file holds its data and needs no network.</footer>\n",
      METE_VERSION);
  out += fmt::format("</main>\n<script>{}</script>\n</body>\n</html>\n", page_script());
  return out;
}

}  // namespace mete
