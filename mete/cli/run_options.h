// What is typed for signals and controls, resolved on a platform: shared by run, sweep and tune.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/measure/session.h"
#include "mete/signal/platform.h"

namespace mete {

class OptionSet;

/// The words after `--`, which `run`, `sweep` and `tune` take alike; see OptionSet::add_command.
void add_command_words(OptionSet& app, std::vector<std::string>& words);

/// "NAME[@domain],..": each signal over all parts of its domain; without one, over the board.
Result<std::vector<Request>> parse_signal_list(std::string_view text, const Platform& platform);

/// "CONTROL[@domain[-index]]=VALUE" with a unit ("1.2GHz"): one setting for each part of the
/// domain. Without a domain, the control's own, so that each part gets the value (as the Python
/// tutorial's --initialize-control does).
Result<std::vector<ControlSetting>> parse_control_setting(std::string_view text,
                                                          const Platform& platform);

/// "50ms", "0.05" or "1 s".
Result<Nanoseconds> parse_period(std::string_view text);

}  // namespace mete
