// What each region of a program cost: energy of its own above its time.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "mete/plot/plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

// More bars than these cannot be labelled.
constexpr std::size_t kMostRegions = 12;

/// The costliest first: by energy, or where none was measured by time.
std::vector<std::size_t> by_cost(const std::vector<double>& joules,
                                 const std::vector<double>& seconds) {
  const bool measured = std::any_of(joules.begin(), joules.end(), drawable);
  const auto& cost = measured ? joules : seconds;
  std::vector<std::size_t> order(cost.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&cost](std::size_t a, std::size_t b) {
    const auto known = [&cost](std::size_t i) { return drawable(cost[i]) ? cost[i] : -1.0; };
    return known(a) > known(b);
  });
  return order;
}

/// As much of a name as has room below its bar.
std::string short_name(const std::string& name, std::size_t bars) {
  constexpr std::size_t kCharacters = 90;  // in a row, on a phone
  const std::size_t most = std::max<std::size_t>(6, kCharacters / std::max<std::size_t>(bars, 1));
  if (name.size() <= most) return name;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + "…";
}

struct Measure {
  const char* name;
  const char* unit;
  Role role;
  const char* absent;
};

Panel panel_of(const Measure& measure, const std::vector<std::string>& names,
               const std::vector<double>& values, const std::vector<std::size_t>& order) {
  Panel panel;
  panel.y = {measure.name, measure.unit};
  panel.y.from_zero = true;
  panel.height = 170;
  panel.empty_note = measure.absent;
  Series series;
  series.name = measure.name;
  series.role = measure.role;
  series.mark = Mark::bars;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double value = values[order[i]];
    panel.categories.push_back(short_name(names[order[i]], order.size()));
    series.x.push_back(static_cast<double>(i));
    series.y.push_back(value);
    series.details.push_back(fmt::format("{}\n{} {}", names[order[i]], measure.name,
                                         show_value(value, measure.unit, 4, false)));
  }
  panel.series.push_back(std::move(series));
  return panel;
}

}  // namespace

Result<Figure> region_bars(const Table& regions) {
  METE_TRY(const auto* names, regions.texts("region"));
  METE_TRY(const auto* joules, regions.numbers("own energy"));
  METE_TRY(const auto* seconds, regions.numbers("time"));
  std::vector<std::size_t> order = by_cost(*joules, *seconds);
  Figure figure;
  figure.id = "regions";
  figure.title = "What each region cost";
  figure.caption =
      "Energy: without that of regions inside it, so that bars add up. Time: summed over threads, "
      "inner regions included.";
  if (order.size() > kMostRegions) {
    figure.caption +=
        fmt::format(" The {} costliest of {} regions are drawn.", kMostRegions, order.size());
    order.resize(kMostRegions);
  }
  if (std::any_of(joules->begin(), joules->end(), drawable)) {
    figure.panels.push_back(panel_of({"Own energy", "J", Role::swept, ""}, *names, *joules, order));
  } else {
    figure.caption = "Time: summed over threads, inner regions included. No energy was measured.";
  }
  figure.panels.push_back(
      panel_of({"Time", "s", Role::other_a, "No time to draw."}, *names, *seconds, order));
  for (const std::size_t i : order) {
    figure.description += fmt::format(
        "{}{}: {} of its own, {}", figure.description.empty() ? "" : "; ", (*names)[i],
        show_value((*joules)[i], "J", 4, false), show_value((*seconds)[i], "s", 4, false));
  }
  figure.data = regions;
  return figure;
}

}  // namespace mete
