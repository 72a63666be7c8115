// What the verbs that look around (doctor, list, read, write) share: how a value is printed, and
// why a name that mete knows is not there. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/json.h"
#include "mete/signal/platform.h"

namespace mete {

/// With every digit that is needed to read it back; integers and codes as their signal's format
/// says.
std::string print_value(double value, Format format);

/// For a signal or control that exists on other machines: why it is not here, and the next step.
/// Nothing for names that mete does not know.
std::optional<Error> explain_absence(const Platform& platform, std::string_view name);

/// NAME DOMAIN INDEX from a command line; the index in [0, count).
Result<Request> parse_request(const Platform& platform, const std::string& name,
                              const std::string& domain, const std::string& index);

Json to_json(const SignalInfo& info, const Topology& topology);
Json to_json(const ControlInfo& info, const Topology& topology);
Json to_json(const Absence& absence);

/// Rows of cells as columns of equal width; the last column is not padded.
std::string align(const std::vector<std::vector<std::string>>& rows);

}  // namespace mete
