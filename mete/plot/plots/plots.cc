// The plots that need no options, by name. To add one: a file beside this one, a row here.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/plots.h"

#include <array>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::array<PlotColumn, 4> kFrontierColumns{{{"role", "", "sweep, baseline or agent"},
                                                      {"clock", "Hz", "the clock of the run"},
                                                      {"time", "s", "of the run"},
                                                      {"energy", "J", "of the run"}}};
constexpr std::array<PlotColumn, 4> kTimelineColumns{{{"run", "", "which run the sample is of"},
                                                      {"time", "s", "since the start of the run"},
                                                      {"clock", "Hz", "at that time"},
                                                      {"power", "W", "at that time"}}};
constexpr std::array<PlotColumn, 7> kBarsColumns{
    {{"arm", "", "what was compared with the baseline"},
     {"energy", "1", "change, -0.2 is 20 % less"},
     {"energy_low", "1", "lower end of its interval"},
     {"energy_high", "1", "upper end"},
     {"time", "1", "change"},
     {"time_low", "1", "lower end of its interval"},
     {"time_high", "1", "upper end"}}};

constexpr std::array<PlotColumn, 3> kRegionColumns{
    {{"region", "", "a part of the program"},
     {"own energy", "J", "without that of regions inside it"},
     {"time", "s", "summed over threads"}}};

constexpr std::array<PlotInfo, 4> kPlots{
    {{"frontier", "energy against time, one point per clock", kFrontierColumns,
      [](const Table& table) { return frontier(table); }},
     {"timeline", "clock and power over time, runs on one axis", kTimelineColumns,
      [](const Table& table) { return timeline(table); }},
     {"bars", "change of energy and time per arm, with intervals", kBarsColumns,
      [](const Table& table) { return bars_with_intervals(table); }},
     {"regions", "energy and time of each region of a program", kRegionColumns,
      [](const Table& table) { return region_bars(table); }}}};

}  // namespace

std::span<const PlotInfo> plots() { return kPlots; }

Result<const PlotInfo*> find_plot(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& plot : kPlots) {
    if (plot.name == name) return &plot;
    names.emplace_back(plot.name);
  }
  return fail(Errc::invalid, "no plot is named '{}'{}; the plots are {}", name,
              did_you_mean(name, names), join(names, ", "));
}

}  // namespace mete
