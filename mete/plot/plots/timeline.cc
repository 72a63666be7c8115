// Clock and power over time, several runs on one axis.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/plot/decimate.h"
#include "mete/plot/plots.h"
#include "mete/plot/run_panels.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

// The table below the figure and its CSV: the extremes of this many slices of the time axis.
constexpr std::size_t kDataColumns = 120;
// More runs than this cannot be told apart in one panel.
constexpr std::size_t kMostRuns = 5;

struct Run {
  std::string name;
  std::vector<double> time, clock, power;
};

Result<std::vector<Run>> split_runs(const Table& table, const TimelineOptions& options) {
  METE_TRY(const auto* run, table.texts("run"));
  METE_TRY(const auto* time, table.numbers("time"));
  METE_TRY(const auto* clock, table.numbers("clock"));
  METE_TRY(const auto* power, table.numbers("power"));
  std::vector<Run> runs;
  Run* mine = nullptr;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const double t = (*time)[i];
    if (!drawable(t) || (options.from && t < *options.from) || (options.to && t > *options.to))
      continue;
    if (mine == nullptr || mine->name != (*run)[i]) {
      const auto found =
          std::find_if(runs.begin(), runs.end(), [&](const Run& r) { return r.name == (*run)[i]; });
      if (found == runs.end() && runs.size() == kMostRuns) {
        return fail(Errc::invalid, "timeline: more than {} runs; draw fewer at once", kMostRuns);
      }
      mine = found != runs.end() ? &*found : &runs.emplace_back(Run{(*run)[i], {}, {}, {}});
    }
    if (!mine->time.empty() && t < mine->time.back()) {
      return fail(Errc::invalid, "row {}: time falls from {} s to {} s within run '{}'", i + 1,
                  mine->time.back(), t, mine->name);
    }
    mine->time.push_back(t);
    mine->clock.push_back((*clock)[i]);
    mine->power.push_back((*power)[i]);
  }
  return runs;
}

std::vector<Role> roles_of(const std::vector<Run>& runs) {
  constexpr std::array<Role, 4> kOthers{Role::swept, Role::other_a, Role::other_b, Role::other_c};
  std::vector<Role> roles;
  std::size_t next = 0;
  for (const auto& run : runs) {
    if (run.name == "baseline") {
      roles.push_back(Role::baseline);
    } else if (run.name == "agent") {
      roles.push_back(Role::agent);
    } else {
      roles.push_back(kOthers.at(next++ % kOthers.size()));
    }
  }
  return roles;
}

Series series_of(const Run& run, Role role, Mark mark, const std::vector<double>& values) {
  Series series;
  series.name = run.name;
  series.role = role;
  series.mark = mark;
  series.x = run.time;
  series.y = values;
  return series;
}

Table thinned(const std::vector<Run>& runs, double low, double high) {
  Table out;
  out.add_texts("run");
  out.add_numbers("time", "s");
  out.add_numbers("clock", "Hz");
  out.add_numbers("power", "W");
  auto& columns = out.columns();
  for (const auto& run : runs) {
    std::vector<std::size_t> kept = thin_line(run.time, run.power, low, high, kDataColumns);
    const auto clock = thin_line(run.time, run.clock, low, high, kDataColumns);
    kept.insert(kept.end(), clock.begin(), clock.end());
    std::sort(kept.begin(), kept.end());
    kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
    for (const std::size_t i : kept) {
      columns[0].texts().push_back(run.name);
      columns[1].numbers().push_back(run.time[i]);
      columns[2].numbers().push_back(run.clock[i]);
      columns[3].numbers().push_back(run.power[i]);
    }
  }
  return out;
}

}  // namespace

Result<Figure> timeline(const Table& samples, const TimelineOptions& options) {
  METE_TRY(const auto runs, split_runs(samples, options));
  const auto roles = roles_of(runs);
  Figure figure;
  figure.id = "timeline";
  figure.title = "Clock and power over time";
  figure.share_x = true;
  auto [clock, power] = run_panels(130, 190);
  double low = INFINITY;
  double high = -INFINITY;
  std::size_t rows = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    clock.series.push_back(series_of(runs[i], roles[i], Mark::step, runs[i].clock));
    power.series.push_back(series_of(runs[i], roles[i], Mark::line, runs[i].power));
    if (runs[i].time.empty()) continue;
    rows += runs[i].time.size();
    low = std::min(low, runs[i].time.front());
    high = std::max(high, runs[i].time.back());
  }
  figure.panels = {std::move(clock), std::move(power)};
  figure.data = thinned(runs, low, high);
  figure.caption =
      "Each run starts at 0. A clock holds until the next sample; where a line stops there was no "
      "value.";
  if (figure.data.rows() < rows) {
    figure.caption += fmt::format(
        " Of {} samples the lines show the lowest and highest of each pixel column; the table "
        "keeps the "
        "extremes of {} slices of time.",
        rows, kDataColumns);
  }
  figure.description = fmt::format("Lines of clock and power over {} for {} run{}.",
                                   high > low ? show_value(high - low, "s", 3) : "no time",
                                   runs.size(), runs.size() == 1 ? "" : "s");
  return figure;
}

Result<void> append_run(Table& samples, std::string_view run, std::span<const double> time,
                        std::span<const double> clock, std::span<const double> power) {
  if (time.size() != clock.size() || time.size() != power.size()) {
    return fail(Errc::invalid, "run '{}': {} times, {} clocks and {} powers: expected equally many",
                run, time.size(), clock.size(), power.size());
  }
  if (samples.columns().empty()) {
    samples.add_texts("run");
    samples.add_numbers("time", "s");
    samples.add_numbers("clock", "Hz");
    samples.add_numbers("power", "W");
  }
  METE_TRY_VOID(samples.texts("run"));
  for (auto& column : samples.columns()) {
    if (column.name == "run" && column.is_text()) {
      column.texts().insert(column.texts().end(), time.size(), std::string(run));
    } else if (!column.is_text()) {
      const auto& from = column.name == "time" ? time : column.name == "clock" ? clock : power;
      column.numbers().insert(column.numbers().end(), from.begin(), from.end());
    }
  }
  return {};
}

}  // namespace mete
