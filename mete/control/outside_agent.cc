// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/outside_agent.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "mete/base/files.h"

namespace mete {
namespace {

constexpr std::string_view kPythonEnd = ".py";
constexpr std::string_view kLibraryEnd = ".so";
constexpr double kShortestPeriod = 1e-5;  // as --period takes it
constexpr double kLongestPeriod = 86400;
constexpr std::size_t kLongestName = 200;

/// The file and the class of "dir/my_agent.py:MyAgent"; the class is "" if none was named.
struct PythonName {
  std::string_view path;
  std::string_view class_name;
};

PythonName split_python_name(std::string_view name) {
  const auto colon = name.rfind(".py:");
  if (colon == std::string_view::npos) return {name, {}};
  return {name.substr(0, colon + kPythonEnd.size()), name.substr(colon + kPythonEnd.size() + 1)};
}

/// Names end up in reports, columns and file names: one printable word or a few, on one line.
bool is_printable(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

bool is_signal_name(std::string_view text) {
  return is_printable(text) && text.find_first_of(" |,@\"'") == std::string_view::npos;
}

Result<void> check_field(const PolicyField& field, std::set<std::string>& seen) {
  if (!is_signal_name(field.name)) {
    return fail(Errc::failed, "a policy field's name must be one word, as in GPU_PHI");
  }
  if (!seen.insert(field.name).second) {
    return fail(Errc::failed, "the policy field {} is there twice", field.name);
  }
  if (std::isnan(field.min) || std::isnan(field.max) || field.min > field.max) {
    return fail(Errc::failed, "the policy field {} goes from {} to {}", field.name, field.min,
                field.max);
  }
  if (field.fallback < field.min || field.fallback > field.max) {
    return fail(Errc::failed, "the policy field {} has the default {}, which is not in {} to {}",
                field.name, field.fallback, field.min, field.max);
  }
  return {};
}

}  // namespace

bool names_outside_agent(std::string_view name) {
  return name.ends_with(kPythonEnd) || name.find(".py:") != std::string_view::npos ||
         name.ends_with(kLibraryEnd);
}

Result<std::unique_ptr<Agent>> make_outside_agent(std::string_view name,
                                                  const AgentContext& context) {
  if (name.ends_with(kLibraryEnd)) return make_library_agent(std::string(name), context);
  const auto [path, class_name] = split_python_name(name);
  if (!path_exists(std::string(path))) {
    return fail(Errc::invalid, "{}: there is no such file; an agent in Python is FILE.py:CLASS",
                path);
  }
  return make_python_agent(std::string(path), std::string(class_name), context);
}

Result<void> check_policy_size(const AgentInfo& info, PolicyValues policy) {
  if (policy.size() == info.policy.size()) return {};
  return fail(Errc::invalid, "policy: the agent {} takes {} values, got {}", info.name,
              info.policy.size(), policy.size());
}

Result<void> check_agent_info(const AgentInfo& info) {
  if (!is_printable(info.name)) {
    return fail(Errc::failed, "its name must be a line of 1 to {} characters", kLongestName);
  }
  if (!(info.period_seconds >= kShortestPeriod && info.period_seconds <= kLongestPeriod)) {
    return fail(Errc::failed, "its period is {} s, expected 1e-05 (10 us) to 86400 (a day)",
                info.period_seconds);
  }
  if (!info.control.empty() && !is_signal_name(info.control)) {
    return fail(Errc::failed, "its control must be one name, as `mete list controls` shows them");
  }
  std::set<std::string> seen;
  for (const auto* list : {&info.signals, &info.optional_signals}) {
    for (const auto& name : *list) {
      if (!is_signal_name(name)) {
        return fail(Errc::failed,
                    "each of its signals must be one name, as `mete list signals` shows them");
      }
      if (!seen.insert(name).second) {
        return fail(Errc::failed, "the signal {} is there twice", name);
      }
    }
  }
  seen.clear();
  for (const auto& field : info.policy) METE_TRY_VOID(check_field(field, seen));
  return {};
}

}  // namespace mete
