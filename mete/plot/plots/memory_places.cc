// Where tensors lie, over the time of a step. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "mete/plot/memory_plots.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

constexpr std::size_t kMostBoxes = 6'000;
/// Of a pool: lower than this is less than half a pixel.
constexpr double kLeastShare = 1.0 / 700;

struct Stays {
  const std::vector<std::string>* tensor = nullptr;
  const std::vector<std::string>* pool = nullptr;
  const std::vector<double>* from = nullptr;
  const std::vector<double>* to = nullptr;
  const std::vector<double>* offset = nullptr;
  const std::vector<double>* bytes = nullptr;
};

Result<Stays> stays_of(const Table& table) {
  Stays s;
  METE_TRY(s.tensor, table.texts("tensor"));
  METE_TRY(s.pool, table.texts("pool"));
  METE_TRY(s.from, table.numbers("from"));
  METE_TRY(s.to, table.numbers("to"));
  METE_TRY(s.offset, table.numbers("offset"));
  METE_TRY(s.bytes, table.numbers("bytes"));
  return s;
}

struct PoolKind {
  std::string_view name;
  std::string_view title;
  Role role;
  double height;
};
constexpr std::array<PoolKind, 2> kPools{
    {{"fast", "Fast memory", Role::swept, 300}, {"slow", "Slow memory", Role::other_a, 200}}};

/// The stays of one pool that can be seen; counts the others.
Panel panel_of(const PoolKind& kind, const Stays& s, std::optional<double> size,
               std::size_t& unseen) {
  Panel panel;
  panel.title = kind.title;
  panel.x = {"Time in the step", "s"};
  panel.x.from_zero = true;
  panel.y = {"Address", "B"};
  panel.y.from_zero = true;
  panel.height = kind.height;
  panel.empty_note = "Nothing lies here.";
  std::vector<std::size_t> rows;
  double top = size.value_or(0);
  for (std::size_t i = 0; i < s.tensor->size(); ++i) {
    if ((*s.pool)[i] != kind.name) continue;
    rows.push_back(i);
    top = std::max(top, (*s.offset)[i] + (*s.bytes)[i]);
  }
  panel.y.high = top;
  const auto area = [&s](std::size_t i) { return (*s.bytes)[i] * ((*s.to)[i] - (*s.from)[i]); };
  std::stable_sort(rows.begin(), rows.end(),
                   [&area](std::size_t a, std::size_t b) { return area(a) > area(b); });
  Series series;
  series.role = kind.role;
  series.mark = Mark::boxes;
  for (const std::size_t i : rows) {
    if ((*s.bytes)[i] < top * kLeastShare || series.x.size() >= kMostBoxes) {
      ++unseen;
      continue;
    }
    series.x.push_back(((*s.from)[i] + (*s.to)[i]) / 2);
    series.x_low.push_back((*s.from)[i]);
    series.x_high.push_back((*s.to)[i]);
    series.y.push_back((*s.offset)[i] + (*s.bytes)[i] / 2);
    series.y_low.push_back((*s.offset)[i]);
    series.y_high.push_back((*s.offset)[i] + (*s.bytes)[i]);
    series.details.push_back(
        fmt::format("{}\n{}, {} to {}", (*s.tensor)[i], show_value((*s.bytes)[i], "B", 3),
                    show_value((*s.from)[i], "s", 3), show_value((*s.to)[i], "s", 3)));
  }
  panel.series.push_back(std::move(series));
  return panel;
}

}  // namespace

Result<Figure> memory_places(const Table& table, const MemoryPlacesOptions& options) {
  METE_TRY(const Stays stays, stays_of(table));
  Figure figure;
  figure.id = "places";
  figure.title = "Every tensor's place";
  figure.share_x = true;
  std::size_t unseen = 0;
  for (const auto& kind : kPools) {
    const bool any =
        std::find(stays.pool->begin(), stays.pool->end(), kind.name) != stays.pool->end();
    if (!any && kind.name == "slow") continue;
    figure.panels.push_back(
        panel_of(kind, stays, kind.name == "fast" ? options.fast_pool : options.slow_pool, unseen));
  }
  figure.caption =
      "Each box is one tensor: from when to when it lies at which addresses. A tensor in several "
      "boxes was moved, or was kept in slow memory meanwhile.";
  if (unseen > 0) {
    figure.caption += fmt::format(" {} more are too small to be drawn.", unseen);
  }
  figure.description = fmt::format("{} stays of tensors in memory.", table.rows());
  figure.data = table;
  return figure;
}

Result<Figure> memory_use(const Table& kernels, const MemoryUseOptions& options) {
  METE_TRY(const auto* time, kernels.numbers("time"));
  METE_TRY(const auto* fast, kernels.numbers("fast"));
  METE_TRY(const auto* alive, kernels.numbers("alive"));
  Figure figure;
  figure.id = "memory";
  figure.title = "Memory over time";
  figure.caption =
      "What is alive and not in fast memory lies in slow memory: the space between the lines.";
  Panel panel;
  panel.x = {"Time in the step", "s"};
  panel.y = {"Memory", "B"};
  panel.y.from_zero = true;
  panel.empty_note = "There are no kernels.";
  const auto line = [&](const char* name, Role role, const std::vector<double>& y) {
    Series series;
    series.name = name;
    series.role = role;
    series.mark = Mark::step;
    series.x = *time;
    series.y = y;
    panel.series.push_back(std::move(series));
  };
  line("All tensors alive", Role::baseline, *alive);
  line("In fast memory", Role::swept, *fast);
  if (options.limit) {
    panel.rules.push_back({.vertical = false, .at = *options.limit, .label = "limit"});
  }
  const auto peak = [](const std::vector<double>& y) {
    return y.empty() ? 0.0 : *std::max_element(y.begin(), y.end());
  };
  figure.description =
      fmt::format("At most {} are alive, of which at most {} lie in fast memory.",
                  show_value(peak(*alive), "B", 3), show_value(peak(*fast), "B", 3));
  figure.panels.push_back(std::move(panel));
  figure.data = kernels;
  return figure;
}

}  // namespace mete
