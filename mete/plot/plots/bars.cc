// Changes of energy and time per arm of an experiment, with their intervals.
// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include <fmt/format.h>

#include "mete/plot/plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

// More bars than these cannot be labelled.
constexpr std::size_t kMostArms = 40;

struct Measure {
  std::string_view name, column, low, high;
  Role role;
};
constexpr std::array<Measure, 2> kMeasures{
    {{"Energy", "energy", "energy_low", "energy_high", Role::swept},
     {"Time", "time", "time_low", "time_high", Role::other_a}}};

std::string detail(std::string_view arm, std::string_view name, double value, double low,
                   double high) {
  std::string text = fmt::format("{}\n{} {}", arm, name, show_value(value, "1", 4, true));
  if (drawable(low) && drawable(high)) {
    return text +
           fmt::format(", {} to {}", show_value(low, "1", 4, true), show_value(high, "1", 4, true));
  }
  return text + ", no interval";
}

}  // namespace

Result<Figure> bars_with_intervals(const Table& arms) {
  METE_TRY(const auto* names, arms.texts("arm"));
  if (names->size() > kMostArms) {
    return fail(Errc::invalid, "{} arms: at most {} can be drawn as bars; draw fewer",
                names->size(), kMostArms);
  }
  Figure figure;
  figure.id = "change";
  figure.title = "Change against the baseline";
  figure.caption = "Below zero is less than the baseline; thin bars are confidence intervals.";
  Panel panel;
  panel.categories = *names;
  panel.y = {"Change", "1"};
  panel.y.signed_ticks = true;
  panel.height = 220;
  panel.empty_note = "There are no changes to draw.";
  for (const auto& measure : kMeasures) {
    METE_TRY(const auto* value, arms.numbers(measure.column));
    METE_TRY(const auto* low, arms.numbers(measure.low));
    METE_TRY(const auto* high, arms.numbers(measure.high));
    Series series;
    series.name = measure.name;
    series.role = measure.role;
    series.mark = Mark::bars;
    series.y = *value;
    series.y_low = *low;
    series.y_high = *high;
    for (std::size_t i = 0; i < names->size(); ++i) {
      series.x.push_back(static_cast<double>(i));
      series.details.push_back(
          detail((*names)[i], measure.name, (*value)[i], (*low)[i], (*high)[i]));
      figure.description +=
          fmt::format("{}{}: {} {}", figure.description.empty() ? "" : "; ", (*names)[i],
                      measure.name, show_value((*value)[i], "1", 4, true));
    }
    panel.series.push_back(std::move(series));
  }
  figure.panels.push_back(std::move(panel));
  figure.data = arms;
  return figure;
}

}  // namespace mete
