// What an agent decided, when, and why: its clock over time with a mark at each decision.
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "mete/plot/plots.h"
#include "mete/plot/run_panels.h"
#include "mete/plot/ticks.h"

namespace mete {
namespace {

struct KindStyle {
  std::string_view kind;
  std::string_view name;  ///< in the legend
  Role role;
};
// Settling is what all the rest is for: it has the shape of a chosen clock.
constexpr std::array<KindStyle, 6> kKinds{
    {{"settle", "settles", Role::chosen},
     {"probe", "tries a clock", Role::swept},
     {"identify", "measures at the top clock", Role::baseline},
     {"other work", "sees other work", Role::other_a},
     {"dead band", "leaves or re-enters the dead band", Role::other_b},
     {"asks", "asks for a clock", Role::other_c}}};

const KindStyle* style_of(std::string_view kind) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&](const KindStyle& s) { return s.kind == kind; });
  return found == kKinds.end() ? nullptr : found;
}

Series line_of(std::string name, Role role, Mark mark, const std::vector<double>& x,
               const std::vector<double>& y) {
  Series series;
  series.name = std::move(name);
  series.role = role;
  series.mark = mark;
  series.x = x;
  series.y = y;
  return series;
}

Result<std::vector<Series>> marks_of(const Table& table) {
  METE_TRY(const auto* time, table.numbers("time"));
  METE_TRY(const auto* clock, table.numbers("clock"));
  METE_TRY(const auto* kind, table.texts("kind"));
  METE_TRY(const auto* why, table.texts("why"));
  std::vector<Series> all;
  for (const KindStyle& style : kKinds) {
    Series series = line_of(std::string(style.name), style.role, Mark::points, {}, {});
    for (std::size_t i = 0; i < table.rows(); ++i) {
      if (kind->at(i) != style.kind) continue;
      series.x.push_back(time->at(i));
      series.y.push_back(clock->at(i));
      series.details.push_back(fmt::format("{}\n{}\n{}", show_value(time->at(i), "s", 4),
                                           show_value(clock->at(i), "Hz", 4), why->at(i)));
    }
    if (!series.x.empty()) all.push_back(std::move(series));
  }
  for (std::size_t i = 0; i < table.rows(); ++i) {
    if (style_of(kind->at(i)) == nullptr) {
      return fail(Errc::invalid,
                  "row {}: kind '{}': expected probe, settle, identify, other work, dead band or "
                  "asks",
                  i + 1, kind->at(i));
    }
  }
  return all;
}

}  // namespace

Result<Figure> decisions(const Table& samples, const Table& made) {
  METE_TRY(const auto* time, samples.numbers("time"));
  METE_TRY(const auto* running, samples.numbers("clock"));
  METE_TRY(const auto* asked, samples.numbers("asked"));
  METE_TRY(const auto* power, samples.numbers("power"));
  METE_TRY(auto marks, marks_of(made));
  for (std::size_t i = 1; i < time->size(); ++i) {
    if ((*time)[i] < (*time)[i - 1]) {
      return fail(Errc::invalid, "row {}: time falls from {} s to {} s", i + 1, (*time)[i - 1],
                  (*time)[i]);
    }
  }
  Figure figure;
  figure.id = "decisions";
  figure.title = "What the agent decided, and when";
  figure.share_x = true;
  auto [clock, watts] = run_panels(220, 120);
  clock.series.push_back(line_of("clock it ran at", Role::baseline, Mark::step, *time, *running));
  if (std::any_of(asked->begin(), asked->end(), drawable)) {
    clock.series.push_back(line_of("clock asked for", Role::agent, Mark::step, *time, *asked));
  }
  for (auto& series : marks) clock.series.push_back(std::move(series));
  watts.series.push_back(line_of("", Role::agent, Mark::line, *time, *power));
  figure.panels.push_back(std::move(clock));
  if (made.rows() > 0) {
    figure.caption =
        "Each mark is a decision; point at it to read why. The clock asked for holds until the "
        "next one; the device follows a little later.";
  }
  // The time is told below the last panel that has any.
  if (std::any_of(power->begin(), power->end(), drawable)) {
    figure.panels.push_back(std::move(watts));
  } else {
    figure.caption += figure.caption.empty() ? "No power was recorded." : " No power was recorded.";
  }
  figure.description = fmt::format("The agent's clock over time with {} decision{} marked.",
                                   made.rows(), made.rows() == 1 ? "" : "s");
  figure.data = made;
  return figure;
}

}  // namespace mete
