// What `mete bench gemm` prints. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/cli/bench_parts.h"
#include "mete/cli/study_output.h"

namespace mete {
namespace {

/// "oneDNN 2.6.3 sgemm"; "" where nobody wrote it down.
std::string implementation_of(const GemmRun& run) {
  for (const auto& oddity : run.oddities) {
    if (oddity.kind == "implementation") return oddity.detail;
  }
  return "";
}

/// What was observed of a configuration's runs: "tensor", or "tensor, unclear" where they differ.
std::string observed_of(const GemmPoint& point, const std::vector<GemmRun>& runs) {
  std::set<std::string> seen;
  for (const auto& run : runs) {
    if (run.point == point && !run.tensor_observed.empty()) seen.insert(run.tensor_observed);
  }
  return seen.empty() ? "-" : join({seen.begin(), seen.end()}, ", ");
}

}  // namespace

std::vector<std::string> implementations_of(const std::vector<GemmRun>& runs) {
  std::set<std::string> seen;
  for (const auto& run : runs) {
    const auto who = implementation_of(run);
    if (!who.empty()) seen.insert(fmt::format("{}: {}", run.point.dtype, who));
  }
  return {seen.begin(), seen.end()};
}

Result<void> same_library(const std::vector<GemmRun>& before, const GemmRun& now,
                          const std::string& file) {
  // The first word: a newer version of a library is for the reader of the environment to weigh.
  const auto library = [](const std::string& who) { return who.substr(0, who.find(' ')); };
  for (const auto& run : before) {
    const auto there = implementation_of(run);
    const auto here = implementation_of(now);
    if (!(run.point == now.point) || there.empty() || library(there) == library(here)) continue;
    return fail(Errc::invalid,
                "{}: its runs of {} {} were made by {}, and now {} would make them: choose another "
                "file, or --library",
                file, now.point.dtype, now.point.size_text(), there, here);
  }
  return {};
}

Json bench_json(const std::vector<EfficiencyRow>& rows, const BenchOutcome& outcome,
                const BenchSitting& sitting, const std::string& output) {
  Json json = summary_json(rows, sitting.replayed ? PowerRule::notebook : PowerRule::settled);
  json.set("study", output.empty() ? Json() : Json(output));
  json.set("device", sitting.device);
  json.set("replayed", sitting.replayed);
  json.set("power", sitting.has_power);
  json.set("environment", sitting.environment);
  json.set("reference_spread", outcome.reference_spread);
  json.set("interrupted", outcome.interrupted);
  Json observed = Json::array();
  for (const auto& run : outcome.runs) {
    observed.push(Json::object({{"dtype", run.point.dtype},
                                {"size", run.point.size_text()},
                                {"frequency", run.point.frequency},
                                {"flops", run.flops},
                                {"iterations", run.iterations},
                                {"seconds", run.seconds},
                                {"tensor_requested", run.point.tensor},
                                {"tensor_observed", run.tensor_observed},
                                {"implementation", implementation_of(run)}}));
  }
  json.set("runs", std::move(observed));
  return json;
}

void print_bench(const std::vector<EfficiencyRow>& rows, const std::vector<GemmRun>& runs,
                 const BenchOutcome& outcome, const BenchSitting& sitting,
                 const std::string& output) {
  fmt::print("{:<8}{:<22}{:<12}{:>10}  {:<28}{:>10}  {}\n", "type", "asked / observed", "size",
             "MHz", "GFLOP/s [95 %]", "W", "GFLOP/s per W");
  for (const auto& row : rows) {
    const auto rate = row.flops.bounded()
                          ? fmt::format("{:.1f} [{:.1f}, {:.1f}]", row.flops.estimate / 1e9,
                                        row.flops.low / 1e9, row.flops.high / 1e9)
                          : fmt::format("{:.1f} (one run)", row.flops.estimate / 1e9);
    fmt::print(
        "{:<8}{:<22}{:<12}{:>10}  {:<28}{:>10}  {}\n", row.point.dtype,
        fmt::format("{} / {}", row.point.tensor, observed_of(row.point, runs)),
        row.point.size_text(),
        row.point.frequency > 0 ? fmt::format("{:.2f}", row.point.frequency / 1e6) : "as it was",
        rate, std::isnan(row.watts.estimate) ? "-" : fmt::format("{:.2f}", row.watts.estimate),
        std::isnan(row.flops_per_watt.estimate)
            ? "-"
            : fmt::format("{:.2f}", row.flops_per_watt.estimate / 1e9));
  }
  if (std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.flops.low <= 0; })) {
    fmt::print(
        "an interval that begins at 0: so few runs that differ so much do not tell the least; "
        "more --trials narrow it\n");
  }
  for (const auto& who : implementations_of(runs)) fmt::print("{}\n", who);
  if (sitting.replayed)
    fmt::print("replayed from a board: these are its makers' measurements, not this machine's\n");
  if (!sitting.has_power) {
    fmt::print(
        "no power signal here, so no joules: `mete doctor` says why, --power SIGNAL names "
        "another\n");
  }
  if (!std::isnan(outcome.reference_spread)) {
    fmt::print(
        "the reference point, measured again and again, differed by {} (standard deviation)\n",
        format_percent(outcome.reference_spread, 2));
  }
  if (!output.empty())
    fmt::print("{}: every run with its samples; `mete study summary {}`\n", output, output);
}

}  // namespace mete
