// Tables to figures. Each plot names the columns it needs; a missing one is refused with the
// nearest names, an empty table gives a figure that says so. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mete/base/result.h"
#include "mete/base/stats.h"
#include "mete/base/table.h"
#include "mete/plot/figure.h"

namespace mete {

struct FrontierOptions {
  std::optional<double> chosen_clock;  ///< Hz: ringed among the swept clocks
  /// Weight of energy, 0..1: draws the line of equal (1-phi)·time + phi·energy, both relative to
  /// the baseline, through the swept clock where that is smallest.
  std::optional<double> phi;
  std::optional<double>
      max_slowdown;  ///< fraction: draws a bound at this time, beyond it is shaded
  /// The agent's relative change against the baseline where the caller knows better than this plot
  /// (pairs of interleaved runs: paired_relative_change). Both or neither.
  std::optional<Interval> agent_time, agent_energy;
  double confidence = 0.95;
};

/// Energy against time, relative to the baseline. One row per run:
///   role    text: "sweep", "baseline" or "agent"
///   clock   Hz; NaN where the run had no one clock
///   time    s
///   energy  J
/// Points are means with Student's t intervals over the runs of a clock. Without baseline runs the
/// highest swept clock is the baseline, and the caption says so. Rows with a NaN or non-positive
/// time or energy are left out and counted in the caption.
Result<Figure> frontier(const Table& runs, const FrontierOptions& options = {});

struct TimelineOptions {
  std::optional<double> from, to;  ///< s: the part of the runs that is shown
};

/// Clock (steps) and power (line) over time for several runs on one time axis. Rows of samples:
///   run    text: "baseline", "agent" (those names fix the role), or any other
///   time   s since the start of that run, not falling within a run
///   clock  Hz
///   power  W
Result<Figure> timeline(const Table& samples, const TimelineOptions& options = {});
/// Adds a run's samples to a table for timeline(), which may be empty. Refuses columns of unequal
/// length.
Result<void> append_run(Table& samples, std::string_view run, std::span<const double> time,
                        std::span<const double> clock, std::span<const double> power);

/// An agent's clock over time, and why it changed. `samples`, not falling in time:
///   time, clock, asked, power    s; Hz it ran at; Hz asked for; W
/// `made`, one row per decision:
///   time, clock    s; Hz asked for
///   kind           "probe", "settle", "identify", "other work", "dead band" or "asks"
///   why            a sentence
Result<Figure> decisions(const Table& samples, const Table& made);

struct BeliefsOptions {
  std::string title = {};
  std::string caption = {};
  std::optional<double> settled;       ///< Hz: ringed
  std::optional<double> max_slowdown;  ///< fraction: beyond it is shaded
};

/// Energy against time per clock, both as changes against the top clock. One row per point:
///   kind             "believed" (before it was tried), "found" (by trying) or "measured"
///   clock            Hz
///   time change      fraction
///   doubt            of the time change, a standard deviation; NaN where there is none
///   energy change    fraction
Result<Figure> beliefs(const Table& table, const BeliefsOptions& options = {});

/// Change of energy and time against the baseline with confidence intervals, one row per arm:
///   arm                                 text
///   energy, energy_low, energy_high     fractions (−0.2: 20 % less); NaN ends: unbounded
///   time, time_low, time_high           fractions
Result<Figure> bars_with_intervals(const Table& arms);

/// Energy and time of each region of a program, the costliest first; at most 12 are drawn:
///   region        text
///   own energy    J; NaN where none was measured
///   time          s
Result<Figure> region_bars(const Table& regions);

/// One column against another, of any table; `y` may name several. Units come from the table.
struct XyOptions {
  std::string x;
  std::vector<std::string> y;
  Mark mark = Mark::line;
  Scale x_scale = Scale::linear, y_scale = Scale::linear;
  std::string title = {};
};
Result<Figure> xy(const Table& table, const XyOptions& options);

/// A column a plot needs.
struct PlotColumn {
  std::string_view name, unit, meaning;
};

/// A plot as `mete view` and the documentation know it.
struct PlotInfo {
  std::string_view name;
  std::string_view about;
  std::span<const PlotColumn> columns;
  Result<Figure> (*draw)(const Table&);
};

/// All of them, in the order of the documentation.
std::span<const PlotInfo> plots();
/// The plot of that name, or an error with the nearest names.
Result<const PlotInfo*> find_plot(std::string_view name);

}  // namespace mete
