// Models, optimizers and ratios against each other. Bars of one panel per model, a group for each
// ratio, a bar for each optimizer. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/plot/memory_plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

constexpr std::size_t kMostModels = 12;
/// Colours, in the order in which optimizers first appear.
constexpr std::array<Role, 7> kRoles{Role::baseline, Role::other_a, Role::swept,  Role::agent,
                                     Role::other_b,  Role::chosen,  Role::other_c};

std::vector<std::string> distinct(const std::vector<std::string>& values) {
  std::vector<std::string> out;
  for (const auto& value : values) {
    if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(value);
  }
  return out;
}

/// What a bar shows of a row; NaN: no bar.
struct Bar {
  double value = kNoValue;
  double low = kNoValue;
  double high = kNoValue;
};

struct Grid {
  std::vector<std::string> models, optimizers, ratios;
  const std::vector<std::string>* model = nullptr;
  const std::vector<std::string>* optimizer = nullptr;
  const std::vector<std::string>* ratio = nullptr;
};

Result<Grid> grid_of(const Table& runs) {
  Grid grid;
  METE_TRY(grid.model, runs.texts("model"));
  METE_TRY(grid.optimizer, runs.texts("optimizer"));
  METE_TRY(grid.ratio, runs.texts("ratio"));
  grid.models = distinct(*grid.model);
  grid.optimizers = distinct(*grid.optimizer);
  grid.ratios = distinct(*grid.ratio);
  if (grid.models.size() > kMostModels || grid.optimizers.size() > kRoles.size()) {
    return fail(Errc::invalid,
                "{} models and {} optimizers: at most {} and {} can be drawn; draw fewer",
                grid.models.size(), grid.optimizers.size(), kMostModels, kRoles.size());
  }
  return grid;
}

struct Measure {
  std::string label;
  std::string unit;
  bool signed_ticks = false;
  Scale scale = Scale::linear;
  int digits = 3;
};

/// A panel per model; `bar` says what each row shows.
template <class BarOf>
std::vector<Panel> panels_of(const Grid& grid, const Measure& measure, BarOf bar) {
  std::vector<Panel> panels;
  for (const auto& model : grid.models) {
    Panel panel;
    panel.title = model;
    panel.categories = grid.ratios;
    panel.x.label = "Slow to fast memory";
    panel.y = {measure.label, measure.unit, measure.scale};
    panel.y.signed_ticks = measure.signed_ticks;
    panel.height = grid.models.size() > 3 ? 150 : 200;
    panel.empty_note = "Nothing was measured.";
    for (std::size_t o = 0; o < grid.optimizers.size(); ++o) {
      Series series;
      series.name = grid.optimizers[o];
      series.role = kRoles[o];
      series.mark = measure.scale == Scale::log ? Mark::points : Mark::bars;
      for (std::size_t i = 0; i < grid.model->size(); ++i) {
        if ((*grid.model)[i] != model || (*grid.optimizer)[i] != grid.optimizers[o]) continue;
        const Bar one = bar(i);
        const auto at = std::find(grid.ratios.begin(), grid.ratios.end(), (*grid.ratio)[i]);
        series.x.push_back(static_cast<double>(at - grid.ratios.begin()));
        series.y.push_back(one.value);
        series.y_low.push_back(one.low);
        series.y_high.push_back(one.high);
        series.details.push_back(
            fmt::format("{}, {}, {}\n{}", model, grid.optimizers[o], (*grid.ratio)[i],
                        show_value(one.value, measure.unit, measure.digits, measure.signed_ticks)));
      }
      panel.series.push_back(std::move(series));
    }
    panels.push_back(std::move(panel));
  }
  return panels;
}

}  // namespace

Result<Figure> memory_speedup(const Table& runs) {
  METE_TRY(const Grid grid, grid_of(runs));
  METE_TRY(const auto* slowdown, runs.numbers("slowdown"));
  METE_TRY(const auto* low, runs.numbers("slowdown_low"));
  METE_TRY(const auto* high, runs.numbers("slowdown_high"));
  METE_TRY(const auto* slow, runs.numbers("all_slow_slowdown"));
  Figure figure;
  figure.id = "speedup";
  figure.title = "Speed-up over all in slow memory";
  figure.caption =
      "Higher is faster; the line is all in fast memory. Thin bars are confidence intervals. Each "
      "run was timed beside all-fast, in turns; the ratios of those are compared.";
  figure.panels = panels_of(grid, {"Speed-up", ""}, [&](std::size_t i) {
    return Bar{(*slow)[i] / (*slowdown)[i], (*slow)[i] / (*high)[i], (*slow)[i] / (*low)[i]};
  });
  for (std::size_t m = 0; m < grid.models.size(); ++m) {
    for (std::size_t i = 0; i < grid.model->size(); ++i) {
      const double best = (*slow)[i];
      if ((*grid.model)[i] != grid.models[m] || !std::isfinite(best)) continue;
      figure.panels[m].rules.push_back({.vertical = false, .at = best, .label = "all fast"});
      break;
    }
  }
  figure.data = runs;
  return figure;
}

Result<Figure> memory_cost(const Table& runs, std::string_view optimizer,
                           double fast_price_per_slow) {
  METE_TRY(const Grid grid, grid_of(runs));
  METE_TRY(const auto* slowdown, runs.numbers("slowdown"));
  Figure figure;
  figure.id = "cost";
  figure.title = "Speed against cost of memory";
  figure.caption = fmt::format(
      "With {}. Cost: of as much memory in these parts, where fast memory costs {} times slow "
      "memory per byte; 100 % is all fast.",
      optimizer, fast_price_per_slow);
  Panel panel;
  panel.categories = grid.ratios;
  panel.x.label = "Slow to fast memory";
  panel.y = {"Of all fast", "1"};
  panel.y.from_zero = true;
  panel.empty_note = "Nothing was measured.";
  for (std::size_t m = 0; m < grid.models.size(); ++m) {
    Series series;
    series.name = grid.models[m] + ", speed";
    series.role = kRoles[m % kRoles.size()];
    series.mark = Mark::bars;
    for (std::size_t i = 0; i < grid.model->size(); ++i) {
      if ((*grid.model)[i] != grid.models[m] || (*grid.optimizer)[i] != optimizer) continue;
      const auto at = std::find(grid.ratios.begin(), grid.ratios.end(), (*grid.ratio)[i]);
      series.x.push_back(static_cast<double>(at - grid.ratios.begin()));
      series.y.push_back(1 / (*slowdown)[i]);
    }
    panel.series.push_back(std::move(series));
  }
  Series cost;
  cost.name = "Memory, cost";
  cost.role = Role::agent;
  cost.mark = Mark::line_points;
  for (std::size_t r = 0; r < grid.ratios.size(); ++r) {
    const auto parts = split(grid.ratios[r], ':');
    const auto slow_part = parse_double(parts[0]);
    const auto fast_part = parse_double(parts.size() > 1 ? parts[1] : "1");
    if (!slow_part || !fast_part || !(*slow_part + *fast_part > 0)) continue;
    cost.x.push_back(static_cast<double>(r));
    cost.y.push_back((*slow_part / fast_price_per_slow + *fast_part) / (*slow_part + *fast_part));
  }
  panel.series.push_back(std::move(cost));
  figure.panels.push_back(std::move(panel));
  figure.data = runs;
  return figure;
}

Result<Figure> memory_prediction_error(const Table& runs) {
  METE_TRY(const Grid grid, grid_of(runs));
  METE_TRY(const auto* seconds, runs.numbers("seconds"));
  METE_TRY(const auto* predicted, runs.numbers("predicted_seconds"));
  Figure figure;
  figure.id = "prediction";
  figure.title = "Predicted against measured time";
  figure.caption = "Above zero the profile promised a slower step than was measured.";
  figure.panels = panels_of(grid, {"Error", "1", true}, [&](std::size_t i) {
    return Bar{((*predicted)[i] - (*seconds)[i]) / (*seconds)[i]};
  });
  figure.data = runs;
  return figure;
}

Result<Figure> memory_placement_error(const Table& runs) {
  METE_TRY(const Grid grid, grid_of(runs));
  METE_TRY(const auto* error, runs.numbers("placement_error"));
  METE_TRY(const auto* low, runs.numbers("placement_error_low"));
  METE_TRY(const auto* high, runs.numbers("placement_error_high"));
  Figure figure;
  figure.id = "placement-error";
  figure.title = "Prediction error of the placement alone";
  figure.caption =
      "Predicted: all-fast as it ran in the same turn, and what the profile says the placement "
      "adds to it. How fast the machine happened to compute is in both.";
  figure.panels = panels_of(grid, {"Error", "1", true},
                            [&](std::size_t i) { return Bar{(*error)[i], (*low)[i], (*high)[i]}; });
  figure.data = runs;
  return figure;
}

Result<Figure> memory_solve_time(const Table& runs) {
  METE_TRY(const Grid grid, grid_of(runs));
  METE_TRY(const auto* solve, runs.numbers("solve_seconds"));
  Figure figure;
  figure.id = "solving";
  figure.title = "Time to decide";
  figure.caption = "From the profile to a verified placement.";
  figure.panels = panels_of(grid, {"Time", "s"}, [&](std::size_t i) { return Bar{(*solve)[i]}; });
  figure.data = runs;
  return figure;
}

Result<Figure> memory_case_study(const Table& limits) {
  METE_TRY(const auto* optimizer, limits.texts("optimizer"));
  METE_TRY(const auto* bytes, limits.numbers("fast_bytes"));
  METE_TRY(const auto* slowdown, limits.numbers("slowdown"));
  METE_TRY(const auto* input, limits.numbers("input_fast"));
  METE_TRY(const auto* output, limits.numbers("output_fast"));
  METE_TRY(const auto* to_slow, limits.numbers("to_slow_bytes"));
  METE_TRY(const auto* to_fast, limits.numbers("to_fast_bytes"));
  Figure figure;
  figure.id = "case";
  figure.title = "With ever less fast memory";
  figure.caption =
      "Above: how much slower a step is than with all in fast memory. Middle: how much of what "
      "kernels read (solid) and write (dashed) lies in fast memory. Below: what is moved to slow "
      "(solid) and to fast memory (dashed) in a step.";
  figure.share_x = true;
  struct Part {
    const char* name;
    const std::vector<double>* values;
    bool dashed;
  };
  const auto panel_of = [&](const char* label, const char* unit, bool signed_ticks,
                            const std::vector<Part>& parts) {
    Panel panel;
    panel.x = {"Fast memory", "B"};
    panel.x.from_zero = true;
    panel.y = {label, unit};
    panel.y.from_zero = true;
    panel.y.signed_ticks = signed_ticks;
    panel.height = 170;
    const auto optimizers = distinct(*optimizer);
    for (std::size_t o = 0; o < optimizers.size(); ++o) {
      for (const auto& part : parts) {
        Series series;
        if (part.name[0] == '\0') series.name = optimizers[o];
        series.role = kRoles[(o + 1) % kRoles.size()];
        series.mark = Mark::line_points;
        series.dashed = part.dashed;
        for (std::size_t i = 0; i < bytes->size(); ++i) {
          if ((*optimizer)[i] != optimizers[o]) continue;
          series.x.push_back((*bytes)[i]);
          series.y.push_back((*part.values)[i]);
          series.details.push_back(fmt::format("{}{}, {} of fast memory\n{}", optimizers[o],
                                               part.name, show_value((*bytes)[i], "B", 3),
                                               show_value((*part.values)[i], unit, 3)));
        }
        panel.series.push_back(std::move(series));
      }
    }
    return panel;
  };
  figure.panels.push_back(panel_of("Slow-down", "1", true, {{"", slowdown, false}}));
  figure.panels.push_back(panel_of("In fast memory", "1", false,
                                   {{", read", input, false}, {", written", output, true}}));
  figure.panels.push_back(
      panel_of("Moved", "B", false, {{", to slow", to_slow, false}, {", to fast", to_fast, true}}));
  figure.data = limits;
  return figure;
}

}  // namespace mete
