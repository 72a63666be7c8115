// Columns of any table against one another.
// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include <fmt/format.h>

#include "mete/base/text.h"
#include "mete/plot/plots.h"

namespace mete {
namespace {

constexpr std::array<Role, 5> kRoles{Role::swept, Role::agent, Role::other_a, Role::other_b,
                                     Role::other_c};

const Column& column_of(const Table& table, std::string_view name) { return *table.find(name); }

}  // namespace

Result<Figure> xy(const Table& table, const XyOptions& options) {
  METE_TRY(const auto* x, table.numbers(options.x));
  if (options.y.empty()) return fail(Errc::invalid, "xy: expected at least one column to draw");
  if (options.y.size() > kRoles.size()) {
    return fail(Errc::invalid, "xy: {} columns to draw: expected at most {}", options.y.size(),
                kRoles.size());
  }
  Figure figure;
  figure.id = "xy";
  figure.title = options.title.empty()
                     ? fmt::format("{} against {}", join(options.y, ", "), options.x)
                     : options.title;
  Panel panel;
  panel.x = {options.x, column_of(table, options.x).unit, options.x_scale};
  for (std::size_t i = 0; i < options.y.size(); ++i) {
    METE_TRY(const auto* y, table.numbers(options.y[i]));
    const std::string& unit = column_of(table, options.y[i]).unit;
    if (i > 0 && unit != panel.y.unit) {
      return fail(Errc::invalid, "'{}' is in '{}' and '{}' in '{}': one panel has one unit",
                  options.y[0], panel.y.unit, options.y[i], unit);
    }
    panel.y = {options.y.size() == 1 ? options.y[0] : "", unit, options.y_scale};
    Series series;
    series.name = options.y[i];
    series.role = kRoles.at(i);
    series.mark = options.mark;
    series.x = *x;
    series.y = *y;
    panel.series.push_back(std::move(series));
  }
  figure.caption = figure.title;
  figure.panels.push_back(std::move(panel));
  figure.data = table;
  return figure;
}

}  // namespace mete
