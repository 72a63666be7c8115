// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/run_options.h"

#include <cmath>

#include "mete/base/text.h"
#include "mete/cli/options.h"

namespace mete {
namespace {

struct ControlSpec {
  std::string name;
  std::optional<Domain> domain;
  std::optional<int> index;
};

Result<ControlSpec> parse_control_spec(std::string_view text) {
  const auto parts = split(trim(text), '@');
  if (parts.size() > 2 || trim(parts[0]).empty()) {
    return fail(Errc::invalid, "control '{}': expected NAME, NAME@domain or NAME@domain-index",
                text);
  }
  ControlSpec spec{std::string(trim(parts[0])), std::nullopt, std::nullopt};
  if (parts.size() == 1) return spec;
  std::string_view domain = trim(parts[1]);
  if (const auto dash = domain.rfind('-'); dash != std::string_view::npos) {
    const auto index = parse_int(domain.substr(dash + 1));
    if (!index || *index < 0 || *index > 1'000'000) {
      return fail(Errc::invalid, "control '{}': expected a number after '{}'", text,
                  domain.substr(0, dash + 1));
    }
    spec.index = static_cast<int>(*index);
    domain = domain.substr(0, dash);
  }
  auto parsed = parse_domain(domain);
  if (!parsed) return parsed.error().within(fmt::format("control '{}'", text));
  spec.domain = *parsed;
  return spec;
}

}  // namespace

void add_command_words(OptionSet& app, std::vector<std::string>& words) {
  app.add_command(words,
                  "The command and its arguments, or with --board a kernel or a program file");
}

Result<std::vector<Request>> parse_signal_list(std::string_view text, const Platform& platform) {
  std::vector<Request> out;
  for (const auto word : split(text, ',')) {
    if (trim(word).empty()) continue;
    METE_TRY(const SignalSpec spec, parse_signal_spec(word));
    METE_TRY(const auto requests, platform.expand(spec));
    out.insert(out.end(), requests.begin(), requests.end());
  }
  return out;
}

Result<std::vector<ControlSetting>> parse_control_setting(std::string_view text,
                                                          const Platform& platform) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) {
    return fail(Errc::invalid, "'{}': expected CONTROL=VALUE, as in {}=1.2GHz", text,
                trim(text).empty() ? "CPU_FREQUENCY_MAX_CONTROL" : trim(text));
  }
  METE_TRY(const ControlSpec spec, parse_control_spec(text.substr(0, equals)));
  METE_TRY(const ControlInfo info, platform.control_info(spec.name));
  const auto value = parse_quantity(trim(text.substr(equals + 1)), info.unit);
  if (!value) return value.error().within(fmt::format("control '{}'", info.name));
  const Domain domain = spec.domain.value_or(info.domain);
  const int count = platform.topology().count(domain);
  if (count == 0 || (spec.index && *spec.index >= count)) {
    return fail(Errc::invalid, "control '{}': there {} {} {} here", trim(text.substr(0, equals)),
                count == 1 ? "is" : "are", count, domain_name(domain));
  }
  std::vector<ControlSetting> out;
  for (int i = 0; i < count; ++i) {
    if (!spec.index || *spec.index == i) out.push_back({{info.name, domain, i}, *value});
  }
  return out;
}

Result<Nanoseconds> parse_period(std::string_view text) {
  const auto seconds = parse_quantity(text, "s");
  if (!seconds) return seconds.error().within("period");
  if (!(*seconds >= 1e-5 && *seconds <= 86400)) {
    return fail(Errc::invalid, "period '{}': expected 10us to a day", text);
  }
  return from_seconds(*seconds);
}

}  // namespace mete
