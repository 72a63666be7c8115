// mete restore: gives back what a killed mete left changed.
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "mete/base/json.h"
#include "mete/cli/command.h"
#include "mete/cli/options.h"
#include "mete/cli/target.h"
#include "mete/signal/control_guard.h"

namespace mete {
namespace {

Result<ExitCode> restore(bool json, const Context& context) {
  Platform platform(builtin_providers(provider_context(context)));
  const RestoreOutcome outcome = restore_abandoned(platform, context.state_directory);
  if (json) {
    fmt::print("{}\n", Json::object({{"restored", outcome.restored},
                                     {"problems", Json::array_of(outcome.problems)},
                                     {"live", Json::array_of(outcome.live)}})
                           .dump());
  } else {
    for (const auto& live : outcome.live) fmt::print("still in use, left alone: {}\n", live);
    if (outcome.restored > 0) {
      fmt::print("gave back {} setting{}\n", outcome.restored, outcome.restored == 1 ? "" : "s");
    } else if (outcome.problems.empty()) {
      fmt::print("nothing to give back in {}\n", context.state_directory);
    }
  }
  if (outcome.problems.empty()) return 0;
  for (const auto& problem : outcome.problems) say(fmt::format("mete restore: {}", problem));
  return 1;
}

}  // namespace

Runner add_restore(OptionSet& app) {
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "Counts and problems as JSON");
  return [json](const Context& context) { return restore(*json, context); };
}

}  // namespace mete
