// mete write: sets a control, as geopmwrite does: it stays so when mete ends.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/command.h"
#include "mete/cli/look.h"
#include "mete/cli/options.h"
#include "mete/cli/target.h"
#include "mete/signal/control_guard.h"

namespace mete {
namespace {

struct Options {
  std::string name;
  std::string domain;
  std::string index;
  std::string value;
  bool json = false;
};

/// The setting that was in force: the value where a signal tells it, else what would be restored.
std::string present_setting(Platform& platform, const Request& request) {
  if (platform.has_signal(request.name)) {
    if (const auto value = platform.read_signal(request))
      return print_value(*value, Format::number);
  }
  const auto saved = platform.save(request);
  std::vector<std::string> settings;
  if (saved) {
    for (const auto& part : *saved) settings.push_back(part.setting);
  }
  return settings.empty() ? "unknown" : join(settings, ", ");
}

Result<ExitCode> write(const Options& options, const Context& context) {
  std::vector<std::string> notices;
  METE_TRY(const auto target, make_target({}, context, 0, notices));
  for (const auto& notice : notices) say(fmt::format("mete write: {}", notice));
  Platform& platform = target->platform();
  if (!platform.has_control(options.name)) {
    if (auto why = explain_absence(platform, options.name)) return *why;
    if (platform.has_signal(options.name)) {
      return fail(Errc::invalid,
                  "'{}' is a signal: it can be read, not set; `mete list controls` shows what can",
                  options.name);
    }
  }
  METE_TRY(const ControlInfo info, platform.control_info(options.name));
  METE_TRY(const Request request,
           parse_request(platform, info.name, options.domain, options.index));
  const auto value = parse_quantity(options.value, info.unit);
  if (!value) return value.error().within(info.name);
  METE_TRY(const double checked, platform.check_setting(request, *value));
  // What a running mete has borrowed is not ours to set: it would be set again, or given back.
  METE_TRY_VOID(check_not_held(platform, request, context.state_directory));
  const std::string before = present_setting(platform, request);
  METE_TRY_VOID(platform.write_control(request, checked));
  if (options.json) {
    fmt::print("{}\n", Json::object({{"name", info.name},
                                     {"domain", domain_name(request.domain)},
                                     {"index", request.index},
                                     {"value", checked},
                                     {"unit", info.unit},
                                     {"before", before}})
                           .dump());
  } else {
    fmt::print("{} {} {}: {} {} (before: {}); it stays so until it is set again\n", info.name,
               domain_name(request.domain), request.index, print_value(checked, Format::number),
               info.unit, before);
  }
  return 0;
}

}  // namespace

Runner add_write(OptionSet& app) {
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->name, "A control, by any generation's name")->required();
  app.add_option("DOMAIN", options->domain, "Its domain or a coarser one, whose parts are all set")
      ->required();
  app.add_option("INDEX", options->index, "Which part")->required();
  app.add_option("VALUE", options->value, "In SI units, or with a unit: 1.8GHz")->required();
  app.add_flag("--json", options->json, "What was set, and what was before, as JSON");
  return [options](const Context& context) { return write(*options, context); };
}

}  // namespace mete
