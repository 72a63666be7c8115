// Energy against time per clock as an agent believed it, as it found it, and as it was measured.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "mete/plot/plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

struct Layer {
  std::string_view kind;
  std::string_view name;
  Role role;
  bool dashed;
};
// In the order in which they are drawn: what is surest lies on top.
constexpr std::array<Layer, 3> kLayers{{{"believed", "believed at first", Role::other_a, true},
                                        {"measured", "measured", Role::swept, false},
                                        {"found", "found by trying", Role::agent, false}}};

struct Columns {
  const std::vector<std::string>* kind;
  const std::vector<double>*clock, *time, *doubt, *energy;
};

Result<Columns> columns_of(const Table& table) {
  Columns c{};
  METE_TRY(c.kind, table.texts("kind"));
  METE_TRY(c.clock, table.numbers("clock"));
  METE_TRY(c.time, table.numbers("time change"));
  METE_TRY(c.doubt, table.numbers("doubt"));
  METE_TRY(c.energy, table.numbers("energy change"));
  for (std::size_t i = 0; i < c.kind->size(); ++i) {
    if (std::none_of(kLayers.begin(), kLayers.end(),
                     [&](const Layer& layer) { return layer.kind == c.kind->at(i); })) {
      return fail(Errc::invalid, "row {}: kind '{}': expected believed, found or measured", i + 1,
                  c.kind->at(i));
    }
  }
  return c;
}

std::string detail(std::string_view name, const Columns& c, std::size_t i) {
  std::string text = fmt::format("{} at {}\ntime {}", name, show_value(c.clock->at(i), "Hz", 4),
                                 show_value(c.time->at(i), "1", 3, true));
  if (drawable(c.doubt->at(i))) {
    text += fmt::format(" ± {}", show_value(c.doubt->at(i), "1", 2));
  }
  return text + fmt::format("\nenergy {}", show_value(c.energy->at(i), "1", 3, true));
}

/// One label a clock is enough: where it settled, else where it was found, else where measured.
bool has_label(const Layer& layer, const Columns& c, std::size_t row,
               std::optional<double> settled) {
  if (layer.dashed) return false;
  const double clock = c.clock->at(row);
  const auto same = [&](double other) { return std::abs(other - clock) <= 1e-6 * clock; };
  if (settled && same(*settled)) return false;
  if (layer.kind == "found") return true;
  for (std::size_t i = 0; i < c.kind->size(); ++i) {
    if (c.kind->at(i) == "found" && same(c.clock->at(i))) return false;
  }
  return true;
}

Series layer_series(const Layer& layer, const Columns& c, std::optional<double> settled) {
  Series series;
  series.name = std::string(layer.name);
  series.role = layer.role;
  series.mark = Mark::line_points;
  series.dashed = layer.dashed;
  series.faint = layer.dashed;
  for (std::size_t i = 0; i < c.kind->size(); ++i) {
    if (c.kind->at(i) != layer.kind) continue;
    const double doubt = drawable(c.doubt->at(i)) ? c.doubt->at(i) : 0;
    series.x.push_back(c.time->at(i));
    series.y.push_back(c.energy->at(i));
    series.x_low.push_back(doubt > 0 ? c.time->at(i) - doubt : kNoValue);
    series.x_high.push_back(doubt > 0 ? c.time->at(i) + doubt : kNoValue);
    series.labels.push_back(has_label(layer, c, i, settled) ? show_value(c.clock->at(i), "Hz", 3)
                                                            : "");
    series.details.push_back(detail(layer.name, c, i));
  }
  return series;
}

/// A ring around the clock it settled at: where it was found, else where it was measured.
void add_chosen(Panel& panel, const Columns& c, double clock) {
  for (const std::string_view kind : {"found", "measured"}) {
    for (std::size_t i = 0; i < c.kind->size(); ++i) {
      if (c.kind->at(i) != kind || std::abs(c.clock->at(i) - clock) > 1e-6 * clock) continue;
      Series series;
      series.name = "settled at";
      series.role = Role::chosen;
      series.labels_matter = true;
      series.x = {c.time->at(i)};
      series.y = {c.energy->at(i)};
      series.labels = {show_value(clock, "Hz", 3)};
      series.details = {"settled at\n" + detail(kind, c, i)};
      panel.series.push_back(std::move(series));
      return;
    }
  }
}

}  // namespace

Result<Figure> beliefs(const Table& table, const BeliefsOptions& options) {
  METE_TRY(const Columns c, columns_of(table));
  Figure figure;
  figure.id = "beliefs";
  figure.title = options.title.empty() ? "Believed and measured" : options.title;
  Panel panel;
  panel.x = {"Time against the top clock", "1"};
  panel.y = {"Energy against the top clock", "1"};
  panel.x.signed_ticks = panel.y.signed_ticks = true;
  panel.height = 320;
  panel.empty_note = "Nothing was believed, found or measured.";
  // Clocks far slower than any that was tried would squeeze the part where the choice is made.
  double longest = 0.15;
  for (std::size_t i = 0; i < c.kind->size(); ++i) {
    if (c.kind->at(i) == "found" && drawable(c.time->at(i))) {
      longest = std::max(longest, 1.6 * c.time->at(i));
    }
  }
  if (options.max_slowdown) longest = std::max(longest, 1.6 * *options.max_slowdown);
  std::size_t beyond = 0;
  const bool found = std::find(c.kind->begin(), c.kind->end(), "found") != c.kind->end();
  for (const Layer& layer : kLayers) {
    Series series = layer_series(layer, c, options.settled);
    if (series.x.empty()) continue;
    const double most = *std::max_element(series.x.begin(), series.x.end());
    if (found && most > longest) {
      beyond += static_cast<std::size_t>(
          std::count_if(series.x.begin(), series.x.end(), [&](double x) { return x > longest; }));
      panel.x.high = longest;
    }
    panel.series.push_back(std::move(series));
  }
  if (options.settled) add_chosen(panel, c, *options.settled);
  if (options.max_slowdown && drawable(*options.max_slowdown)) {
    Rule rule;
    rule.at = *options.max_slowdown;
    rule.label = fmt::format("slowest allowed: {}", show_value(rule.at, "1", 4, true));
    rule.shade_beyond = true;
    panel.rules.push_back(std::move(rule));
  }
  figure.panels.push_back(std::move(panel));
  figure.caption = options.caption;
  if (beyond > 0) {
    figure.caption += fmt::format(
        " {} point{} at slower clocks lie{} to the right of the figure; the table has them.",
        beyond, beyond == 1 ? "" : "s", beyond == 1 ? "s" : "");
  }
  figure.description = fmt::format(
      "Scatter of energy against time per clock: {} points that were believed, found or measured.",
      c.kind->size());
  figure.data = table;
  return figure;
}

}  // namespace mete
