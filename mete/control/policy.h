// Policy: what the owner wants of an agent, as named numbers, in GEOPM's JSON form or typed.
//
//   {"GPU_FREQ_MIN": "NAN", "GPU_FREQ_MAX": "NAN", "GPU_PHI": 0}   as geopmagent writes it
//   GPU_PHI=0.5,GPU_FREQ_MAX=1.2GHz                                 names, units as people type
//   them NAN,NAN,0                                                       in the order of the
//   agent's fields
//
// NaN, in whatever case, is "as the agent likes". SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/control/agent.h"

namespace mete {

/// The values that the user named, in the user's order. Not yet checked against an agent.
using NamedValues = std::vector<std::pair<std::string, double>>;

/// The JSON form. `where` (a file's name) begins every error. Refuses anything but one object of
/// numbers and "NAN"; a name given twice is refused too.
Result<NamedValues> parse_policy_json(std::string_view text, std::string_view where);

/// Any form that `mete run --policy` takes: the three above, a file that holds the JSON form, or ""
/// for nothing.
Result<NamedValues> parse_policy(std::string_view text, const AgentInfo& agent);

/// One value per field of the agent, in its order: the fallback where the user said nothing or NaN.
/// An unknown name (the error offers the nearest) and a value out of the field's range are refused.
/// The device's own limits are checked later, by Agent::start.
Result<std::vector<double>> resolve_policy(const NamedValues& values, const AgentInfo& agent);

/// One line as geopmagent writes it: ", " and ": " between the parts, "NAN" in quotes, up to 16
/// significant digits. Fields in the order of `values`.
std::string policy_json(const NamedValues& values);
/// The same of resolved values; a NaN stays "NAN".
std::string policy_json(PolicyValues values, const AgentInfo& agent);

/// "GPU_PHI, GPU_FREQ_MIN": for errors.
std::string policy_field_names(const AgentInfo& agent);

}  // namespace mete
