// mete agent: what geopmagent does: lists agents, tells an agent's policy fields, writes a policy
// as JSON, and checks one. SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agent.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/files.h"
#include "mete/base/json.h"
#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/control/policy.h"

namespace mete {
namespace {

struct Options {
  std::string agent;
  std::string policy;
  std::string check;
  bool json = false;
};

std::string range_of(const PolicyField& field) {
  if (std::isfinite(field.max)) return fmt::format("{} to {}", field.min, field.max);
  return field.unit == "Hz" ? "the device's range" : fmt::format("at least {}", field.min);
}

Json to_json(const AgentInfo& info) {
  Json fields = Json::array();
  for (const auto& field : info.policy) {
    fields.push(Json::object({{"name", field.name},
                              {"description", field.description},
                              {"unit", field.unit},
                              {"default", field.fallback},
                              {"min", field.min},
                              {"max", field.max}}));
  }
  return Json::object({{"name", info.name},
                       {"description", info.description},
                       {"domain", domain_name(info.domain)},
                       {"period_seconds", info.period_seconds},
                       {"signals", Json::array_of(info.signals)},
                       {"control", info.control},
                       {"policy", std::move(fields)}});
}

Result<ExitCode> list_agents(bool json) {
  Json all = Json::array();
  for (const auto& entry : builtin_agents()) {
    METE_TRY(const auto agent, entry.make({}));
    if (json) {
      all.push(to_json(agent->info()));
    } else {
      fmt::print("{:<14}{}\n", entry.name, entry.description);
    }
  }
  if (json) fmt::print("{}\n", all.dump());
  return 0;
}

void print_agent(const AgentInfo& info) {
  fmt::print("{}: {}\n", info.name, info.description);
  fmt::print("domain:   {}, every {} ms\n", domain_name(info.domain), info.period_seconds * 1e3);
  fmt::print("signals:  {}\n", info.signals.empty() ? "none" : join(info.signals, ", "));
  fmt::print("control:  {}\n", info.control.empty() ? "none" : info.control);
  fmt::print("policy:   {}\n", info.policy.empty() ? "none" : policy_field_names(info));
  for (const auto& field : info.policy) {
    fmt::print("  {:<20}{} ({}{})\n", field.name, field.description, range_of(field),
               field.unit == "1" || field.unit.empty() ? "" : ", " + field.unit);
  }
}

Result<ExitCode> check_policy(const Options& options, const AgentInfo& info) {
  METE_TRY(const auto text, read_file(options.check, std::size_t{1} << 20U));
  METE_TRY(const auto named, parse_policy_json(text, options.check));
  auto resolved = resolve_policy(named, info);
  if (!resolved) return resolved.error().within(options.check);
  if (options.json) {
    Json values = Json::object();
    for (std::size_t i = 0; i < info.policy.size(); ++i) {
      values.set(info.policy[i].name, (*resolved)[i]);
    }
    fmt::print("{}\n", Json::object({{"agent", info.name}, {"policy", values}}).dump());
    return 0;
  }
  fmt::print("{}: a policy of {}\n", options.check, info.name);
  for (std::size_t i = 0; i < info.policy.size(); ++i) {
    const double value = (*resolved)[i];
    fmt::print("  {:<20}{}\n", info.policy[i].name,
               std::isnan(value) ? "as the device has it" : fmt::format("{:.16g}", value));
  }
  return 0;
}

Result<ExitCode> run(const Options& options, bool policy_given) {
  if (options.agent.empty()) {
    if (policy_given || !options.check.empty()) {
      return fail(Errc::invalid,
                  "a policy is some agent's: name it with -a; `mete agent` lists them");
    }
    return list_agents(options.json);
  }
  METE_TRY(const auto agent, make_agent(options.agent, {}));
  const AgentInfo& info = agent->info();
  if (!options.check.empty()) return check_policy(options, info);
  if (policy_given) {
    METE_TRY(const auto named, parse_policy(options.policy, info));
    METE_TRY_VOID(resolve_policy(named, info));
    fmt::print("{}\n", policy_json(named));
    return 0;
  }
  if (options.json) {
    fmt::print("{}\n", to_json(info).dump());
  } else {
    print_agent(info);
  }
  return 0;
}

}  // namespace

Runner add_agent(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-a,--agent", options->agent, "The agent; without it, all are listed");
  auto* policy = app.add_option(
      "-p,--policy", options->policy,
      "Write this policy as JSON: values in the order of the agent's fields (NAN,NAN,0), or "
      "NAME=value,..; NAN leaves one to the agent");
  app.add_option("--check", options->check, "Check a policy file")->excludes(policy);
  app.add_flag("--json", options->json, "Tell it as JSON");
  return
      [options, policy](const Context& /*context*/) { return run(*options, policy->count() > 0); };
}

}  // namespace mete
