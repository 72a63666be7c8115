// Small parts of drawing text and shapes: numbers for paths, widths of words, markers; escaping.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/markup.h"

#include <array>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "mete/plot/page.h"

namespace mete {
namespace {

/// The length of the UTF-8 sequence at text[i] if it is whole and well formed, else 0.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
  };
  const unsigned lead = byte(i);
  if (lead < 0x80U) return 1;
  const std::size_t length = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
  if (lead < 0xC2U || lead > 0xF4U) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte(i + 1);
  const bool overlong = (lead == 0xE0U && second < 0xA0U) || (lead == 0xF0U && second < 0x90U);
  const bool beyond = (lead == 0xEDU && second > 0x9FU) || (lead == 0xF4U && second > 0x8FU);
  const bool noncharacter = lead == 0xEFU && second == 0xBFU && byte(i + 2) >= 0xBEU;
  return overlong || beyond || noncharacter ? 0 : length;
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
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    const bool control = length == 1 && ((code < 0x20 && c != '\t' && c != '\n') || code == 0x7F);
    if (length == 0 || control) {
      out += "\uFFFD";
    } else if (length > 1) {
      out += text.substr(i, length);
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
    i += length == 0 ? 1 : length;
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
