// How tiers are written. SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/memory/tier.h"

namespace mete {
namespace {

// As many nodes as Linux can be built for.
constexpr std::int64_t kMostNodes = 1024;
constexpr double kMostPart = 1e6;

Error refusal(std::string_view text) {
  return fail(Errc::invalid,
              "tier '{}': expected dram, numa:N, dax:PATH, file:PATH, throttled, or "
              "throttled:READ,WRITE (how many times slower than DRAM, 1 to 1000000)",
              text);
}

Result<TierSpec> parse_throttled(std::string_view text, std::string_view parts) {
  const auto numbers = split(parts, ',');
  if (numbers.size() != 2) return refusal(text);
  TierSpec spec;
  spec.kind = TierKind::throttled;
  double* const wanted[] = {&spec.read_part, &spec.write_part};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto number = parse_double(numbers[i]);
    if (!number || !(*number >= 1 && *number <= kMostPart)) return refusal(text);
    *wanted[i] = *number;
  }
  return spec;
}

}  // namespace

Result<TierSpec> parse_tier(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const bool bare = colon == std::string_view::npos;
  const std::string_view rest = bare ? std::string_view() : text.substr(colon + 1);
  TierSpec spec;
  if (kind == "dram" && bare) return spec;
  if (kind == "throttled") {
    if (!bare) return parse_throttled(text, rest);
    spec.kind = TierKind::throttled;
    return spec;
  }
  if (kind == "numa") {
    const auto node = parse_int(rest);
    if (!node || *node < 0 || *node >= kMostNodes) return refusal(text);
    spec.kind = TierKind::numa;
    spec.node = static_cast<int>(*node);
    return spec;
  }
  if ((kind == "dax" || kind == "file") && !rest.empty() &&
      rest.find('\0') == std::string_view::npos) {
    spec.kind = kind == "dax" ? TierKind::dax : TierKind::file;
    spec.path = rest;
    return spec;
  }
  return refusal(text);
}

std::string tier_name(const TierSpec& spec) {
  switch (spec.kind) {
    case TierKind::dram:
      return "dram";
    case TierKind::numa:
      return fmt::format("numa:{}", spec.node);
    case TierKind::dax:
      return fmt::format("dax:{}", spec.path);
    case TierKind::file:
      return fmt::format("file:{}", spec.path);
    case TierKind::throttled:
      return fmt::format("throttled:{},{}", spec.read_part, spec.write_part);
  }
  return "?";
}

}  // namespace mete
