// What any bytes must do in the reader of reports: be refused in one line that names the file, or
// give hosts whose figures can be asked for. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "fuzz/check.h"

#include "mete/dataset/report_file.h"

namespace mete::fuzz {

inline void ask(const ReportTotals& totals) {
  for (const auto& [name, value] : totals.values()) {
    require(totals.find(name).has_value(), "a figure is found by its own name");
  }
  static_cast<void>(totals.signal("GPU_ENERGY", Domain::gpu, 0));
  static_cast<void>(totals.runtime());
}

inline void report_target(std::string_view bytes) {
  const auto report = ReportFile::parse(bytes, "file");
  if (!report) {
    require_fair(report.error(), "file: ");
    return;
  }
  require(!report->hosts.empty(), "a report has a host");
  for (const auto& host : report->hosts) {
    require(report->host(host.name) != nullptr, "a host is found by its own name");
    ask(host.application);
    ask(host.epoch);
    ask(host.unmarked);
    for (const auto& region : host.regions) ask(region.totals);
    for (const auto& [name, totals] : host.others) ask(totals);
  }
}

}  // namespace mete::fuzz
