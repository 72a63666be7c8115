// ReportFile: reads GEOPM's reports of every generation, those of its Python agents, and mete's.
//
// The header's lines are read by hand, because they are free text that need not be YAML; the hosts
// are YAML. docs/formats/report.md lists the generations. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mete/base/result.h"
#include "mete/signal/domain.h"

namespace mete {

/// Figures under the names that the report gives them ("runtime (s)", "gpu-energy (J)",
/// "GPU_POWER@gpu-0"), in its order; NaN where the report says nan.
class ReportTotals {
 public:
  void add(std::string name, double value) { values_.emplace_back(std::move(name), value); }
  [[nodiscard]] const std::vector<std::pair<std::string, double>>& values() const {
    return values_;
  }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  /// The figure of exactly that name.
  [[nodiscard]] std::optional<double> find(std::string_view name) const;
  /// "NAME@domain-index" or "NAME-domain-index", whichever generation's signal and domain names the
  /// report has.
  [[nodiscard]] std::optional<double> signal(std::string_view name, Domain domain, int index) const;
  /// Wall time in s: "runtime (s)", "runtime (sec)", or base_agent.py's TIME.
  [[nodiscard]] std::optional<double> runtime() const;

 private:
  std::vector<std::pair<std::string, double>> values_;
};

struct ReportRegion {
  std::string name;
  std::optional<std::uint64_t> hash;
  ReportTotals totals;  ///< with "count"
};

struct ReportHost {
  std::string name;
  std::vector<std::pair<std::string, std::string>>
      agent_values;  ///< what the agent added for the host
  std::vector<ReportRegion> regions;
  ReportTotals unmarked;     ///< "Unmarked Totals"; empty if there are none, as for all of these
  ReportTotals epoch;        ///< "Epoch Totals"
  ReportTotals application;  ///< "Application Totals"
  std::vector<std::pair<std::string, ReportTotals>> others;  ///< "ROI Totals" of ml_agent.py, ..
};

struct ReportFile {
  std::string path;
  std::string version;  ///< "GEOPM Version"; mete's reports carry the format's version here
  std::string start_time;
  std::string profile;
  std::string agent;
  std::string policy;  ///< as written: JSON, "DYNAMIC", or YAML lines
  std::vector<std::pair<std::string, std::string>> header;  ///< other lines of the header
  std::vector<ReportHost> hosts;
  std::optional<double> figure_of_merit;
  std::optional<double> total_runtime;  ///< s, as the launcher measured it

  /// Errors name the file and, where there is one, the line.
  static Result<ReportFile> read(const std::string& path);
  static Result<ReportFile> parse(std::string_view text, const std::string& path);
  /// nullptr if the report has no such host.
  [[nodiscard]] const ReportHost* host(std::string_view name) const;
};

}  // namespace mete
