// Numbers and names in text.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

namespace mete {
namespace {

struct Prefix {
  std::string_view symbol;
  double factor;
};
constexpr std::array<Prefix, 13> kPrefixes{{{"Ki", 1024.0},
                                            {"Mi", 1048576.0},
                                            {"Gi", 1073741824.0},
                                            {"Ti", 1099511627776.0},
                                            {"k", 1e3},
                                            {"K", 1e3},
                                            {"M", 1e6},
                                            {"G", 1e9},
                                            {"T", 1e12},
                                            {"m", 1e-3},
                                            {"u", 1e-6},
                                            {"µ", 1e-6},
                                            {"n", 1e-9}}};

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t change = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// The words of a name in alphabetical order, so that GPU_MAX_FREQUENCY finds GPU_FREQUENCY_MAX.
std::string sorted_words(std::string_view name) {
  std::string lowered(name);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), lower);
  std::replace(lowered.begin(), lowered.end(), '-', '_');
  auto words = split(lowered, '_');
  std::sort(words.begin(), words.end());
  std::string out;
  for (const auto word : words) out.append(word).append("_");
  return out;
}

}  // namespace

std::optional<double> parse_double(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (ec == std::errc::result_out_of_range) {
    return text.front() == '-' ? -std::numeric_limits<double>::infinity()
                               : std::numeric_limits<double>::infinity();
  }
  if (ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Result<double> parse_quantity(std::string_view text, std::string_view unit) {
  const std::string_view whole = trim(text);
  double value = 0;
  const auto [end, ec] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  const std::string expected = unit.empty() ? "a number" : fmt::format("a number of {}", unit);
  if (ec != std::errc() || whole.empty()) {
    return fail(Errc::invalid, "'{}': expected {}", text, expected);
  }
  std::string_view rest = trim(whole.substr(static_cast<std::size_t>(end - whole.data())));
  if (rest.empty()) return value;
  if (!unit.empty() && rest.size() >= unit.size() &&
      iequals(rest.substr(rest.size() - unit.size()), unit)) {
    rest.remove_suffix(unit.size());
    rest = trim(rest);
  }
  if (rest.empty()) return value;
  for (const auto& prefix : kPrefixes) {
    if (rest == prefix.symbol) return value * prefix.factor;
  }
  return fail(Errc::invalid, "'{}': expected {}, with k, M, G, m, u or n before the unit if at all",
              text, expected);
}

std::string format_quantity(double value, std::string_view unit, int digits) {
  if (!std::isfinite(value)) return fmt::format("{} {}", value, unit);
  const double size = std::abs(value);
  double factor = 1;
  std::string_view symbol;
  if (unit != "" && unit != "1" && size != 0 && unit != "°C") {
    constexpr std::array<Prefix, 8> kShown{{{"T", 1e12},
                                            {"G", 1e9},
                                            {"M", 1e6},
                                            {"k", 1e3},
                                            {"", 1},
                                            {"m", 1e-3},
                                            {"µ", 1e-6},
                                            {"n", 1e-9}}};
    factor = kShown.back().factor;
    symbol = kShown.back().symbol;
    for (const auto& prefix : kShown) {
      if (size >= prefix.factor * 0.9995) {
        factor = prefix.factor;
        symbol = prefix.symbol;
        break;
      }
    }
  }
  const double shown = value / factor;
  const int before = shown == 0 ? 1 : static_cast<int>(std::floor(std::log10(std::abs(shown)))) + 1;
  std::string number = fmt::format("{:.{}f}", shown, std::clamp(digits - before, 0, 12));
  return unit.empty() ? number : fmt::format("{} {}{}", number, symbol, unit);
}

std::string format_percent(double fraction, int decimals) {
  return fmt::format("{:.{}f} %", fraction * 100, decimals);
}

std::string format_duration(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  while (true) {
    const auto at = text.find(separator, from);
    parts.push_back(text.substr(from, at == std::string_view::npos ? at : at - from));
    if (at == std::string_view::npos) return parts;
    from = at + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string> nearest_names(std::string_view name,
                                       const std::vector<std::string>& candidates,
                                       std::size_t most) {
  std::vector<std::pair<std::size_t, std::string>> scored;
  const std::string words = sorted_words(name);
  for (const auto& candidate : candidates) {
    std::size_t distance =
        std::min(edit_distance(name, candidate), edit_distance(words, sorted_words(candidate)) + 1);
    // A name cut short, or one word of a longer one, is a likely slip too.
    const bool part = name.size() >= 3 && std::search(candidate.begin(), candidate.end(),
                                                      name.begin(), name.end(), [](char x, char y) {
                                                        return lower(x) == lower(y);
                                                      }) != candidate.end();
    if (part) distance = std::min<std::size_t>(distance, 2);
    if (distance <= std::max<std::size_t>(2, name.size() / 3))
      scored.emplace_back(distance, candidate);
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (const auto& [distance, candidate] : scored) {
    if (names.size() < most && std::find(names.begin(), names.end(), candidate) == names.end()) {
      names.push_back(candidate);
    }
  }
  return names;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto near = nearest_names(name, candidates);
  if (near.empty()) return {};
  std::string out = "; did you mean " + near[0];
  for (std::size_t i = 1; i < near.size(); ++i)
    out += (i + 1 == near.size() ? " or " : ", ") + near[i];
  return out + "?";
}

}  // namespace mete
