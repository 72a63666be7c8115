// Printing of values and reasons for what is missing.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/look.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

/// "A, B" names A and B; so does "words (A, B)"; "A_*" names all that begin with A_.
bool names(std::string_view what, std::string_view name) {
  const auto is_word = [](char c) {
    return c == '_' || c == ':' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  for (std::size_t star = what.find('*'); star != std::string_view::npos;
       star = what.find('*', star + 1)) {
    std::size_t begin = star;
    while (begin > 0 && is_word(what[begin - 1])) --begin;
    if (begin < star && name.substr(0, star - begin) == what.substr(begin, star - begin))
      return true;
  }
  for (std::size_t at = what.find(name); at != std::string_view::npos;
       at = what.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_word(what[at - 1])) && (end == what.size() || !is_word(what[end])))
      return true;
  }
  return false;
}

}  // namespace

std::string print_value(double value, Format format) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const bool whole =
      std::isfinite(value) && value == std::floor(value) && std::abs(value) <= kExact;
  if (whole && format == Format::hex && value >= 0)
    return fmt::format("{:#010x}", static_cast<std::uint64_t>(value));
  if (whole) return fmt::format("{}", static_cast<std::int64_t>(value));
  return fmt::format("{}", value);
}

std::optional<Error> explain_absence(const Platform& platform, std::string_view name) {
  const std::string_view wanted = canonical_name(name);
  const auto explain = [&](const Absence& a) {
    return fail(Errc::unavailable, "'{}' is not available here: {}; next: {}", name, a.why, a.next);
  };
  for (const auto* provider : platform.providers()) {
    for (const auto& absence : provider->absences) {
      if (names(absence.what, wanted)) return explain(absence);
    }
  }
  return std::nullopt;
}

Result<Request> parse_request(const Platform& platform, const std::string& name,
                              const std::string& domain, const std::string& index) {
  METE_TRY(const Domain where, parse_domain(domain));
  const auto number = parse_int(index);
  const int count = platform.topology().count(where);
  if (count == 0) return fail(Errc::unavailable, "this machine has no {}", domain_name(where));
  if (!number || *number < 0 || *number >= count) {
    return fail(Errc::invalid, "index '{}' of {}: expected 0 to {}", index, domain_name(where),
                count - 1);
  }
  return Request{name, where, static_cast<int>(*number)};
}

Json to_json(const SignalInfo& info, const Topology& topology) {
  return Json::object({{"name", info.name},
                       {"unit", info.unit},
                       {"domain", domain_name(info.domain)},
                       {"count", topology.count(info.domain)},
                       {"aggregation", aggregation_name(info.aggregation)},
                       {"behavior", behavior_name(info.behavior)},
                       {"source", source_name(info.source)},
                       {"description", info.description}});
}

Json to_json(const ControlInfo& info, const Topology& topology) {
  return Json::object({{"name", info.name},
                       {"unit", info.unit},
                       {"domain", domain_name(info.domain)},
                       {"count", topology.count(info.domain)},
                       {"aggregation", aggregation_name(info.aggregation)},
                       {"description", info.description}});
}

Json to_json(const Absence& absence) {
  return Json::object({{"what", absence.what}, {"why", absence.why}, {"next", absence.next}});
}

std::string align(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  // Widths count characters, not bytes: "°" is two bytes.
  const auto width_of = [](const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
  };
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string out;
  for (const auto& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      out += row[c];
      if (c + 1 < row.size()) out.append(widths[c] - width_of(row[c]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

}  // namespace mete
