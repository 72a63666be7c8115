// The report of a run in GEOPM's YAML (docs/formats/geopm-report.md): what GEOPM's own Python
// readers look for, under its names, plus where every figure comes from and what the loop cost.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/measure/run_header.h"
#include "mete/measure/session.h"

namespace mete {

struct Report {
  RunHeader header;
  std::vector<ControlSetting> initial;
  std::vector<std::pair<std::string, std::string>> agent_lines;  ///< Steering::report_lines
  RunResult result;
};

/// Figures that were not measured are left out of the standard fields; a signal that was sampled
/// but never read is `.nan`. Never 0 for either.
std::string format_report(const Report& report);
/// Refuses early, before a workload is started, a path that could not be written at the end.
Result<void> check_writable(const std::string& path);

}  // namespace mete
