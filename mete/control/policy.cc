// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/policy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kLargestPolicyFile = 1U << 20U;

std::vector<std::string> field_names(const AgentInfo& agent) {
  std::vector<std::string> names;
  for (const auto& field : agent.policy) names.push_back(field.name);
  return names;
}

const PolicyField* find_field(const AgentInfo& agent, std::string_view name) {
  const auto found = std::find_if(agent.policy.begin(), agent.policy.end(),
                                  [&](const PolicyField& field) { return field.name == name; });
  return found == agent.policy.end() ? nullptr : &*found;
}

Error unknown_field(std::string_view name, const AgentInfo& agent) {
  if (agent.policy.empty()) {
    return fail(Errc::invalid, "policy: the agent {} takes none, but '{}' was given", agent.name,
                name);
  }
  auto hint = did_you_mean(name, field_names(agent));
  if (hint.empty()) hint = "; it takes " + policy_field_names(agent);
  return fail(Errc::invalid, "policy: the agent {} has no field '{}'{}", agent.name, name, hint);
}

/// GEOPM's tutorial writes one policy file for its CPU, GPU and node agents: a GPU agent finds
/// CPU_PHI in it and leaves it alone, and the other way round.
bool is_for_another_agent(std::string_view name, const AgentInfo& agent) {
  return (name == "CPU_PHI" && find_field(agent, "GPU_PHI") != nullptr) ||
         (name == "GPU_PHI" && find_field(agent, "CPU_PHI") != nullptr);
}

/// "10%" or "10 %" of a fraction; nothing if it does not end in one.
std::optional<double> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  const auto value = parse_double(trim(text.substr(0, text.size() - 1)));
  return value ? std::optional(*value / 100) : std::nullopt;
}

/// A number as people type it, in the field's unit; "nan" for the agent's own choice.
Result<double> parse_value(std::string_view text, const PolicyField& field) {
  if (iequals(trim(text), "nan")) return kNan;
  // A fraction's unit is written "1": people type a bare number, or per cent.
  if (field.unit == "1") {
    if (const auto percent = parse_percent(trim(text))) return *percent;
  }
  const auto unit = field.unit == "1" ? std::string_view() : std::string_view(field.unit);
  auto value = parse_quantity(trim(text), unit);
  if (!value) return value.error().within("policy: " + field.name);
  return value;
}

Result<NamedValues> parse_assignments(std::string_view text, const AgentInfo& agent) {
  NamedValues values;
  for (const auto part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) {
      return fail(Errc::invalid, "policy: '{}': expected NAME=value", trim(part));
    }
    const auto name = trim(part.substr(0, equals));
    const auto* field = find_field(agent, name);
    if (field == nullptr) return unknown_field(name, agent);
    METE_TRY(const double value, parse_value(part.substr(equals + 1), *field));
    values.emplace_back(name, value);
  }
  return values;
}

Result<NamedValues> parse_positions(std::string_view text, const AgentInfo& agent) {
  const auto parts = split(text, ',');
  if (parts.size() > agent.policy.size()) {
    return fail(Errc::invalid, "policy: '{}' has {} values, but the agent {} takes {}{}{}", text,
                parts.size(), agent.name, agent.policy.size(), agent.policy.empty() ? "" : ": ",
                policy_field_names(agent));
  }
  NamedValues values;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    METE_TRY(const double value, parse_value(parts[i], agent.policy[i]));
    values.emplace_back(agent.policy[i].name, value);
  }
  return values;
}

bool names_a_file(std::string_view text) {
  return text.find('=') == std::string_view::npos &&
         (path_exists(std::string(text)) || text.ends_with(".json") || text.ends_with(".policy") ||
          text.find('/') != std::string_view::npos);
}

Result<double> json_value(const Json& value) {
  if (value.is_number()) return value.as_number();
  if (value.is_string() && iequals(value.as_string(), "nan")) return kNan;
  return fail(Errc::invalid, "expected a number or \"NAN\", got {}", value.dump(-1));
}

}  // namespace

Result<NamedValues> parse_policy_json(std::string_view text, std::string_view where) {
  auto json = parse_json(text);
  if (!json) return json.error().within(where);
  if (!json->is_object()) {
    return fail(Errc::invalid, "{}: expected an object of policy values, as {{\"GPU_PHI\": 0.5}}",
                where);
  }
  NamedValues values;
  for (const auto& [name, member] : json->members()) {
    const auto same = [&name = name](const auto& value) { return value.first == name; };
    if (std::any_of(values.begin(), values.end(), same)) {
      return fail(Errc::invalid, "{}: {} is given twice", where, name);
    }
    auto value = json_value(member);
    if (!value) return value.error().within(fmt::format("{}: {}", where, name));
    values.emplace_back(name, *value);
  }
  return values;
}

Result<NamedValues> parse_policy(std::string_view text, const AgentInfo& agent) {
  const auto words = trim(text);
  if (words.empty()) return NamedValues{};
  if (words.front() == '{') return parse_policy_json(words, "policy");
  if (names_a_file(words)) {
    METE_TRY(const auto content, read_file(std::string(words), kLargestPolicyFile));
    return parse_policy_json(content, words);
  }
  if (words.find('=') != std::string_view::npos) return parse_assignments(words, agent);
  return parse_positions(words, agent);
}

Result<std::vector<double>> resolve_policy(const NamedValues& values, const AgentInfo& agent) {
  std::vector<std::optional<double>> given(agent.policy.size());
  for (const auto& [name, value] : values) {
    const auto* field = find_field(agent, name);
    if (field == nullptr && is_for_another_agent(name, agent)) continue;
    if (field == nullptr) return unknown_field(name, agent);
    auto& slot = given[static_cast<std::size_t>(field - agent.policy.data())];
    if (slot) return fail(Errc::invalid, "policy: {} is given twice", name);
    slot = value;
    if (std::isnan(value) || (value >= field->min && value <= field->max)) continue;
    const bool bounded = std::isfinite(field->max);
    return fail(Errc::invalid, "policy: {} is {}, expected {}", name, value,
                bounded ? fmt::format("{} to {}", field->min, field->max)
                        : fmt::format("at least {}", field->min));
  }
  std::vector<double> resolved;
  for (std::size_t i = 0; i < agent.policy.size(); ++i) {
    const double value = given[i].value_or(kNan);
    resolved.push_back(std::isnan(value) ? agent.policy[i].fallback : value);
  }
  return resolved;
}

std::string policy_json(const NamedValues& values) {
  std::string text = "{";
  for (const auto& [name, value] : values) {
    if (text.size() > 1) text += ", ";
    text += std::isnan(value) ? fmt::format("{}: \"NAN\"", Json(name).dump(-1))
                              : fmt::format("{}: {:.16g}", Json(name).dump(-1), value);
  }
  return text + "}";
}

std::string policy_json(PolicyValues values, const AgentInfo& agent) {
  NamedValues named;
  for (std::size_t i = 0; i < values.size(); ++i) {
    named.emplace_back(agent.policy[i].name, values[i]);
  }
  return policy_json(named);
}

std::string policy_field_names(const AgentInfo& agent) { return join(field_names(agent), ", "); }

}  // namespace mete
