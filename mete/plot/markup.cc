// Small parts of drawing text and shapes: numbers for paths, widths of words, markers; escaping.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/markup.h"

#include <array>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "mete/base/utf8.h"
#include "mete/plot/page.h"

namespace mete {
namespace {

/// What no document of HTML or SVG (XML) may hold.
bool is_forbidden(const Utf8Character& one) {
  const bool control =
      (one.code < 0x20 && one.code != '\t' && one.code != '\n') || one.code == 0x7F;
  return !one.valid || control || one.code == 0xFFFE || one.code == 0xFFFF;
}

double width_of(char c) {
  constexpr std::string_view kNarrow = "ijl.,:;'|![]()/ \"tfrI-";
  constexpr std::string_view kWide = "mwMW@%";
  if (kNarrow.find(c) != std::string_view::npos) return 0.36;
  if (kWide.find(c) != std::string_view::npos) return 0.92;
  if (c >= 'A' && c <= 'Z') return 0.7;
  return 0.58;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character one = first_character(text);
    if (is_forbidden(one)) {
      out += kReplacement;
    } else if (one.code == '&') {
      out += "&amp;";
    } else if (one.code == '<') {
      out += "&lt;";
    } else if (one.code == '>') {
      out += "&gt;";
    } else if (one.code == '"') {
      out += "&quot;";
    } else if (one.code == '\'') {
      out += "&#39;";
    } else {
      out += text.substr(0, one.bytes);
    }
    text.remove_prefix(one.bytes);
  }
  return out;
}

std::string coordinate(double value) {
  const auto tenths = static_cast<std::int64_t>(std::llround(value * 10));
  const std::int64_t size = tenths < 0 ? -tenths : tenths;
  std::string text = tenths < 0 ? "-" : "";
  if (size >= 10 || size == 0) text += fmt::format("{}", size / 10);
  if (size % 10 != 0) text += fmt::format(".{}", size % 10);
  return text;
}

double text_width(std::string_view text, double size) {
  double width = 0;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code & 0xC0U) == 0x80U) continue;  // the rest of a character already counted
    width += code < 0x80 ? width_of(c) : code >= 0xE3 ? 1.0 : 0.62;
  }
  return width * size;
}

std::string fit_text(std::string_view text, double size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  std::string kept(text);
  while (!kept.empty() && text_width(kept, size) + 0.9 * size > width) {
    do {
      const char cut = kept.back();
      kept.pop_back();
      if ((static_cast<unsigned char>(cut) & 0xC0U) != 0x80U) break;
    } while (!kept.empty());
  }
  return kept + "…";
}

std::vector<std::string> wrap_text(std::string_view text, double size, double width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t blank = std::min(text.find(' ', from), text.size());
    const std::string word(text.substr(from, blank - from));
    from = blank + 1;
    const std::string longer = line.empty() ? word : line + " " + word;
    if (!line.empty() && text_width(longer, size) > width) {
      lines.push_back(line);
      line = fit_text(word, size, width);
    } else {
      line = line.empty() ? fit_text(word, size, width) : longer;
    }
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

std::string_view role_class(Role role) {
  switch (role) {
    case Role::swept:
      return "r-swept";
    case Role::baseline:
      return "r-base";
    case Role::chosen:
      return "r-chosen";
    case Role::agent:
      return "r-agent";
    case Role::bound:
      return "r-bound";
    case Role::other_a:
      return "r-a";
    case Role::other_b:
      return "r-b";
    case Role::other_c:
      return "r-c";
  }
  return "r-swept";
}

std::string marker(Role role, double x, double y, double size) {
  const auto path = [](std::initializer_list<std::array<double, 2>> corners) {
    std::string d;
    for (const auto& [px, py] : corners) {
      d += fmt::format("{}{} {}", d.empty() ? "M" : "L", coordinate(px), coordinate(py));
    }
    return fmt::format("<path class=\"mk\" d=\"{}Z\"/>", d);
  };
  const auto circle = [&](double radius, std::string_view kind) {
    return fmt::format("<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>", kind, coordinate(x),
                       coordinate(y), coordinate(radius));
  };
  const double s = size;
  switch (role) {
    case Role::baseline:
      return path({{x - s * 0.9, y - s * 0.9},
                   {x + s * 0.9, y - s * 0.9},
                   {x + s * 0.9, y + s * 0.9},
                   {x - s * 0.9, y + s * 0.9}});
    case Role::chosen:  // a ring, so that the point it singles out stays visible inside
      return circle(s * 1.9, "ring");
    case Role::agent:
      return path({{x, y - s * 1.3}, {x + s * 1.3, y}, {x, y + s * 1.3}, {x - s * 1.3, y}});
    case Role::other_a:
      return path({{x, y - s * 1.2}, {x + s * 1.1, y + s * 0.8}, {x - s * 1.1, y + s * 0.8}});
    case Role::other_b:
      return path({{x, y + s * 1.2}, {x + s * 1.1, y - s * 0.8}, {x - s * 1.1, y - s * 0.8}});
    default:
      return circle(s, "mk");
  }
}

}  // namespace mete
