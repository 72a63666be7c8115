// Energy against time, one point per clock: where the baseline, the chosen clock and the agent lie
// on it. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/plot/plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

// The part near the baseline gets a panel of its own where the whole is this many times as wide.
constexpr double kZoomFrom = 2.5;
constexpr double kLeastZoom = 0.15;

struct Runs {
  std::vector<double> time, energy;
};

struct Data {
  std::map<double, Runs> swept;  // by clock, which is the order they are joined in
  Runs baseline, agent;
  std::size_t left_out = 0;
  bool own_baseline = true;
  double baseline_clock = kNoValue;  // where a swept clock stands in
};

/// A mean with its interval, absolute and relative to the baseline's mean.
struct Spot {
  double clock = kNoValue;
  Interval time, energy;                // s, J
  Interval time_change, energy_change;  // fractions
};

Result<Data> sort_runs(const Table& table) {
  METE_TRY(const auto* role, table.texts("role"));
  METE_TRY(const auto* clock, table.numbers("clock"));
  METE_TRY(const auto* time, table.numbers("time"));
  METE_TRY(const auto* energy, table.numbers("energy"));
  Data data;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const double t = (*time)[i];
    const double e = (*energy)[i];
    const std::string& what = (*role)[i];
    if (what != "sweep" && what != "baseline" && what != "agent") {
      return fail(Errc::invalid, "row {}: role '{}': expected sweep, baseline or agent", i + 1,
                  what);
    }
    const bool usable = drawable(t) && t > 0 && drawable(e) && e > 0;
    if (!usable || (what == "sweep" && !drawable((*clock)[i]))) {
      ++data.left_out;
      continue;
    }
    Runs& runs = what == "sweep"      ? data.swept[(*clock)[i]]
                 : what == "baseline" ? data.baseline
                                      : data.agent;
    runs.time.push_back(t);
    runs.energy.push_back(e);
  }
  if (data.baseline.time.empty() && !data.swept.empty()) {
    data.own_baseline = false;
    data.baseline_clock = data.swept.rbegin()->first;
    data.baseline = data.swept.rbegin()->second;
  }
  return data;
}

Interval change_of(const Interval& value, double reference) {
  return {value.estimate / reference - 1, value.low / reference - 1, value.high / reference - 1,
          value.n};
}

Spot spot_of(const Runs& runs, const Data& data, double confidence) {
  Spot spot;
  spot.time = positive_mean_interval(runs.time, confidence);
  spot.energy = positive_mean_interval(runs.energy, confidence);
  spot.time_change = change_of(spot.time, mean_of(data.baseline.time));
  spot.energy_change = change_of(spot.energy, mean_of(data.baseline.energy));
  return spot;
}

std::string detail(std::string_view name, const Spot& spot) {
  const auto line = [](std::string_view what, const Interval& value, const Interval& change,
                       std::string_view unit) {
    std::string text = fmt::format("{} {} ({}", what, show_value(value.estimate, unit),
                                   show_value(change.estimate, "1", 4, true));
    if (change.bounded()) {
      text += fmt::format(", {} to {}", show_value(change.low, "1", 4, true),
                          show_value(change.high, "1", 4, true));
    }
    return text + ")";
  };
  return fmt::format("{}\n{}\n{}\n{} run{}", name, line("time", spot.time, spot.time_change, "s"),
                     line("energy", spot.energy, spot.energy_change, "J"), spot.time.n,
                     spot.time.n == 1 ? "" : "s");
}

void add_point(Series& series, const Spot& spot, std::string label, std::string text) {
  series.x.push_back(spot.time_change.estimate);
  series.y.push_back(spot.energy_change.estimate);
  series.x_low.push_back(spot.time_change.low);
  series.x_high.push_back(spot.time_change.high);
  series.y_low.push_back(spot.energy_change.low);
  series.y_high.push_back(spot.energy_change.high);
  series.labels.push_back(std::move(label));
  series.details.push_back(std::move(text));
}

Series series_of(std::string name, Role role, Mark mark) {
  Series series;
  series.name = std::move(name);
  series.role = role;
  series.mark = mark;
  series.labels_matter = role != Role::swept;
  return series;
}

const Spot* chosen_spot(const std::vector<Spot>& swept, const FrontierOptions& options) {
  if (!options.chosen_clock) return nullptr;
  for (const auto& spot : swept) {
    if (std::abs(spot.clock - *options.chosen_clock) <= 1e-6 * std::abs(spot.clock)) return &spot;
  }
  return nullptr;
}

/// The line on which (1-phi)·time + phi·energy is what it is at the best swept clock.
Series iso_line(const std::vector<Spot>& swept, double phi) {
  const auto objective = [phi](const Spot& spot) {
    return (1 - phi) * spot.time_change.estimate + phi * spot.energy_change.estimate;
  };
  const auto best = std::min_element(swept.begin(), swept.end(), [&](const Spot& a, const Spot& b) {
    return objective(a) < objective(b);
  });
  Series line =
      series_of(fmt::format("equally good at phi = {:.2g}", phi), Role::bound, Mark::line);
  line.dashed = true;
  // Far beyond the panel, which clips it.
  constexpr double kFar = 20;
  const double size = std::hypot(phi, 1 - phi);
  for (const double way : {-kFar, kFar}) {
    line.x.push_back(best->time_change.estimate + way * phi / size);
    line.y.push_back(best->energy_change.estimate - way * (1 - phi) / size);
  }
  return line;
}

void add_agent(Panel& panel, const Data& data, const FrontierOptions& options) {
  if (data.agent.time.empty()) return;
  Spot mean = spot_of(data.agent, data, options.confidence);
  if (options.agent_time && options.agent_energy) {
    mean.time_change = *options.agent_time;
    mean.energy_change = *options.agent_energy;
  }
  if (data.agent.time.size() > 1) {
    Series each = series_of("agent, each run", Role::agent, Mark::points);
    each.faint = true;
    for (std::size_t i = 0; i < data.agent.time.size(); ++i) {
      const Spot one =
          spot_of({{data.agent.time[i]}, {data.agent.energy[i]}}, data, options.confidence);
      add_point(each, one, "", detail(fmt::format("agent, run {}", i + 1), one));
    }
    panel.series.push_back(std::move(each));
  }
  Series series = series_of("agent", Role::agent, Mark::points);
  add_point(series, mean, "agent", detail("agent", mean));
  panel.series.push_back(std::move(series));
}

Panel whole_panel(const std::vector<Spot>& swept, const Data& data,
                  const FrontierOptions& options) {
  Panel panel;
  panel.x = {"Time against the baseline", "1"};
  panel.y = {"Energy against the baseline", "1"};
  panel.x.signed_ticks = panel.y.signed_ticks = true;
  panel.height = 360;
  panel.empty_note = "No run has both a time and an energy.";
  if (!swept.empty() && options.phi && *options.phi >= 0 && *options.phi <= 1) {
    panel.series.push_back(iso_line(swept, *options.phi));
  }
  Series line = series_of("swept clocks", Role::swept, Mark::line_points);
  const Spot* chosen = chosen_spot(swept, options);
  for (const auto& spot : swept) {
    const std::string name = show_value(spot.clock, "Hz", 3);
    add_point(line, spot, &spot == chosen ? "" : name, detail(name, spot));
  }
  panel.series.push_back(std::move(line));
  if (!data.baseline.time.empty()) {
    const Spot spot = spot_of(data.baseline, data, options.confidence);
    Series series = series_of("baseline", Role::baseline, Mark::points);
    add_point(series, spot, "baseline", detail("baseline", spot));
    panel.series.push_back(std::move(series));
  }
  add_agent(panel, data, options);
  if (chosen != nullptr) {
    Series series = series_of("chosen clock", Role::chosen, Mark::points);
    const std::string name = show_value(chosen->clock, "Hz", 3);
    add_point(series, *chosen, name, detail("chosen: " + name, *chosen));
    // The swept point inside the ring has these already.
    series.x_low.clear();
    series.y_low.clear();
    panel.series.push_back(std::move(series));
  }
  if (options.max_slowdown && drawable(*options.max_slowdown)) {
    Rule rule;
    rule.at = *options.max_slowdown;
    rule.label = fmt::format("slowest allowed: {}", show_value(rule.at, "1", 4, true));
    rule.shade_beyond = true;
    panel.rules.push_back(std::move(rule));
  }
  return panel;
}

/// The panel with only the points up to `limit`.
Panel near_panel(const Panel& whole, double limit) {
  Panel panel = whole;
  for (auto& series : panel.series) {
    if (series.role == Role::bound) continue;
    for (std::size_t i = series.x.size(); i-- > 0;) {
      if (series.x[i] <= limit) continue;
      const auto at = static_cast<std::ptrdiff_t>(i);
      for (auto* column :
           {&series.x, &series.y, &series.x_low, &series.x_high, &series.y_low, &series.y_high}) {
        if (i < column->size()) column->erase(column->begin() + at);
      }
      series.labels.erase(series.labels.begin() + at);
      series.details.erase(series.details.begin() + at);
    }
  }
  return panel;
}

/// Where slow clocks would squeeze the part where decisions are made, that part is shown alone
/// first.
std::vector<Panel> panels_of(Panel whole, const std::vector<Spot>& swept,
                             const FrontierOptions& options) {
  double slowest = 0;
  double matters = kLeastZoom;
  for (const auto& spot : swept) slowest = std::max(slowest, spot.time_change.estimate);
  for (const auto& series : whole.series) {
    if (series.role == Role::swept || series.role == Role::bound) continue;
    for (const double x : series.x) matters = std::max(matters, x * 1.3);
  }
  if (options.max_slowdown) matters = std::max(matters, *options.max_slowdown * 1.5);
  const auto near = std::count_if(swept.begin(), swept.end(), [matters](const Spot& spot) {
    return spot.time_change.estimate <= matters;
  });
  if (slowest < kZoomFrom * matters || near < 3) return {std::move(whole)};
  Panel close = near_panel(whole, matters);
  close.title = fmt::format("Near the baseline: {} of {} clocks", near, swept.size());
  whole.title = "All clocks";
  // What is labelled above needs no label in the crowd.
  for (auto& series : whole.series) {
    if (series.role == Role::chosen) continue;
    for (std::size_t i = 0; i < series.labels.size(); ++i) {
      if (series.x[i] <= matters) series.labels[i].clear();
    }
  }
  whole.height = 200;
  return {std::move(close), std::move(whole)};
}

Table data_of(const std::vector<Spot>& swept, const Data& data, const FrontierOptions& options) {
  Table table;
  std::vector<std::string> role;
  std::vector<std::vector<double>> columns(8);
  const auto add = [&](std::string name, const Spot& spot) {
    role.push_back(std::move(name));
    const double values[] = {spot.clock,
                             spot.time.estimate,
                             spot.energy.estimate,
                             spot.time_change.estimate,
                             spot.time_change.low,
                             spot.time_change.high,
                             spot.energy_change.estimate,
                             static_cast<double>(spot.time.n)};
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i].push_back(values[i]);
  };
  std::vector<double> energy_low;
  std::vector<double> energy_high;
  const auto add_spot = [&](std::string name, const Spot& spot) {
    add(std::move(name), spot);
    energy_low.push_back(spot.energy_change.low);
    energy_high.push_back(spot.energy_change.high);
  };
  for (const auto& spot : swept) add_spot("sweep", spot);
  if (data.own_baseline && !data.baseline.time.empty()) {
    add_spot("baseline", spot_of(data.baseline, data, options.confidence));
  }
  if (!data.agent.time.empty()) {
    Spot spot = spot_of(data.agent, data, options.confidence);
    if (options.agent_time && options.agent_energy) {
      spot.time_change = *options.agent_time;
      spot.energy_change = *options.agent_energy;
    }
    add_spot("agent", spot);
  }
  table.add_texts("role", std::move(role));
  table.add_numbers("clock", "Hz", columns[0]);
  table.add_numbers("time", "s", columns[1]);
  table.add_numbers("energy", "J", columns[2]);
  table.add_numbers("time change", "1", columns[3]);
  table.add_numbers("low", "1", columns[4]);
  table.add_numbers("high", "1", columns[5]);
  table.add_numbers("energy change", "1", columns[6]);
  table.add_numbers("energy low", "1", std::move(energy_low));
  table.add_numbers("energy high", "1", std::move(energy_high));
  table.add_numbers("runs", "", columns[7]);
  return table;
}

std::string caption_of(const Data& data, const FrontierOptions& options) {
  std::string text = fmt::format(
      "Down is less energy, left is less time; both are changes against the {}. Each point is the "
      "mean of "
      "the runs at one clock, its bars the {:.0f} % interval of that mean; the clocks are joined "
      "in order.",
      data.own_baseline
          ? "mean of the baseline runs"
          : fmt::format("runs at the highest clock, {}, for there were no baseline runs",
                        show_value(data.baseline_clock, "Hz", 3)),
      options.confidence * 100);
  if (options.phi) {
    text += fmt::format(
        " On the dashed line, (1 − phi) × time + phi × energy is the same as at the best swept "
        "clock; "
        "below and to the left of it is better.");
  }
  if (options.max_slowdown) text += " In the shaded part a run takes longer than allowed.";
  if (data.left_out > 0) {
    text +=
        fmt::format(" {} run{} without a usable time, energy or clock {} left out.", data.left_out,
                    data.left_out == 1 ? "" : "s", data.left_out == 1 ? "is" : "are");
  }
  return text;
}

std::string description_of(const std::vector<Spot>& swept) {
  if (swept.empty()) return "Energy against time; there are no swept clocks.";
  const auto least = std::min_element(swept.begin(), swept.end(), [](const Spot& a, const Spot& b) {
    return a.energy_change.estimate < b.energy_change.estimate;
  });
  return fmt::format(
      "Scatter of energy against time for {} clocks from {} to {}. Energy is least at {}: energy "
      "{}, time {} "
      "against the baseline.",
      swept.size(), show_value(swept.front().clock, "Hz", 3),
      show_value(swept.back().clock, "Hz", 3), show_value(least->clock, "Hz", 3),
      show_value(least->energy_change.estimate, "1", 4, true),
      show_value(least->time_change.estimate, "1", 4, true));
}

}  // namespace

Result<Figure> frontier(const Table& runs, const FrontierOptions& options) {
  METE_TRY(const Data data, sort_runs(runs));
  std::vector<Spot> swept;
  for (const auto& [clock, mine] : data.swept) {
    Spot spot = spot_of(mine, data, options.confidence);
    spot.clock = clock;
    swept.push_back(spot);
  }
  Figure figure;
  figure.id = "frontier";
  figure.title = "Energy against time";
  figure.caption =
      data.baseline.time.empty() ? "There are no runs to compare." : caption_of(data, options);
  figure.description = description_of(swept);
  figure.panels = panels_of(whole_panel(swept, data, options), swept, options);
  figure.data = data_of(swept, data, options);
  return figure;
}

}  // namespace mete
