// What any text must do as a policy: be refused in one line, or give values within the agent's
// ranges, which read back from the JSON that reports hold. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "fuzz/check.h"

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/control/policy.h"

namespace mete::fuzz {

inline const AgentInfo& policy_agent() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  static const AgentInfo kInfo{.name = "fuzzed",
                               .description = "takes one value of each kind",
                               .policy = {{"GPU_FREQ_MIN", "", "Hz", kNan, 0, 1e11},
                                          {"GPU_FREQ_MAX", "", "Hz", kNan, 0, 1e11},
                                          {"GPU_PHI", "", "1", 0.5, 0, 1},
                                          {"HOLD", "", "s", 1, 0, 1e9}},
                               .domain = Domain::gpu,
                               .signals = {},
                               .control = ""};
  return kInfo;
}

inline bool same_or_near(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= 1e-15 * std::abs(a);
}

/// Errors quote the name as it was typed, which may hold the end of a line.
inline void require_blame(const Error& error, std::string_view where, std::string_view bytes) {
  if (bytes.find_first_of("\n\\") == std::string_view::npos) return require_fair(error, where);
  require(error.code == Errc::invalid && error.what.starts_with(where), error.what);
}

inline void try_values(const Result<NamedValues>& values, std::string_view where,
                       std::string_view bytes) {
  const AgentInfo& agent = policy_agent();
  if (!values) return require_blame(values.error(), where, bytes);
  const auto resolved = resolve_policy(*values, agent);
  if (!resolved) return require_blame(resolved.error(), "policy", bytes);
  require(resolved->size() == agent.policy.size(), "one value per field");
  for (std::size_t i = 0; i < resolved->size(); ++i) {
    const double value = (*resolved)[i];
    const PolicyField& field = agent.policy[i];
    require((std::isnan(value) && std::isnan(field.fallback)) ||
                (value >= field.min && value <= field.max),
            "a value within its range");
  }
  const auto again = parse_policy_json(policy_json(*resolved, agent), "policy");
  require(again.has_value() && again->size() == resolved->size(), "what is written reads back");
  for (std::size_t i = 0; i < resolved->size(); ++i) {
    require(same_or_near((*again)[i].second, (*resolved)[i]), "as the same value");
  }
}

inline void policy_target(std::string_view bytes) {
  try_values(parse_policy_json(bytes, "file"), "file: ", bytes);
  // A word that names a file would read that file.
  const std::string_view word = trim(bytes);
  const bool file = word.find('/') != std::string_view::npos || word.ends_with(".json") ||
                    word.ends_with(".policy") || path_exists(std::string(word));
  if (!file) try_values(parse_policy(bytes, policy_agent()), "policy", bytes);
}

}  // namespace mete::fuzz
