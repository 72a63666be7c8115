// A board from CSV text: every cell is checked where it stands, so that errors name file and line;
// then rows become kernels, kernels get names, and what a kernel lacks at some clock is filled in
// from its neighbours. SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "mete/base/table.h"
#include "mete/base/text.h"
#include "mete/provider/board/board.h"

namespace mete {
namespace {

constexpr std::size_t kMaxRows = 500'000;
/// Kernels × clocks: 72 bytes each are kept.
constexpr std::size_t kMaxPoints = 1'000'000;
/// Bounds beyond which a figure is in another unit than the column's. No GPU draws 20 kW or runs at
/// 20 GHz.
constexpr double kMaxMegahertz = 20e3;
constexpr double kMaxWatts = 20e3;
constexpr double kMaxMilliseconds = 1e9;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Layout {
  std::size_t columns = 0;
  std::size_t benchmark = 0, core_mhz = 0, time = 0, power_w = 0;
  std::optional<std::size_t> set, args, kernel, memory_mhz;
  std::array<std::optional<std::size_t>, kActivityCount> activities;
};

struct Row {
  std::size_t line = 0;
  std::string set, benchmark, args, kernel;
  double hertz = 0;
  double memory_mhz = 0;
  OperatingPoint point;  ///< NaN where an activity is missing
};

/// The rows of one kernel, by clock.
struct Group {
  const Row* first = nullptr;
  std::map<double, const Row*> rows;
};

Error at_line(const std::string& file, std::size_t line, std::string_view what) {
  return fail(Errc::invalid, "{}:{}: {}", file, line, what);
}

// ---- header ----

Result<Layout> read_header(const std::vector<std::string>& cells, const std::string& file,
                           std::size_t line, std::vector<std::string>& notes) {
  std::map<std::string, std::size_t> where;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string name(trim(cells[i]));
    if (!where.emplace(name, i).second) {
      return at_line(file, line, fmt::format("two columns are named '{}'", name));
    }
  }
  const auto take = [&where](std::string_view name) -> std::optional<std::size_t> {
    const auto found = where.find(std::string(name));
    if (found == where.end()) return std::nullopt;
    const auto at = found->second;
    where.erase(found);
    return at;
  };
  Layout layout;
  layout.columns = cells.size();
  const std::array<std::tuple<std::string_view, std::string_view, std::size_t*>, 4> needed{
      {{"benchmark", "the kernel's name", &layout.benchmark},
       {"core_mhz", "core clock in MHz", &layout.core_mhz},
       {"time", "milliseconds per kernel", &layout.time},
       {"power_w", "watts", &layout.power_w}}};
  for (const auto& [name, meaning, place] : needed) {
    const auto at = take(name);
    if (!at) {
      std::vector<std::string> present;
      for (const auto& [column, index] : where) present.push_back(column);
      auto near = nearest_names(name, present, 1);
      return at_line(
          file, line,
          fmt::format("no column '{}' ({}){}", name, meaning,
                      near.empty()
                          ? std::string("; the first line that is no comment names the columns")
                          : fmt::format("; is it '{}'? Rename it if so", near[0])));
    }
    *place = *at;
  }
  layout.set = take("set");
  layout.args = take("args");
  layout.kernel = take("kernel");
  layout.memory_mhz = take("memory_mhz");
  for (std::size_t a = 0; a < kActivityCount; ++a) layout.activities[a] = take(kActivityColumns[a]);
  const std::vector<std::string> optional_names(kActivityColumns.begin(), kActivityColumns.end());
  for (const auto& [name, index] : where) {
    notes.push_back(fmt::format("line {}: column '{}' is not used{}", line, name,
                                did_you_mean(name, optional_names)));
  }
  return layout;
}

// ---- rows ----

Result<double> positive(const std::string& cell, std::string_view column, std::string_view unit,
                        double limit) {
  const auto text = trim(cell);
  if (text.empty()) return fail(Errc::invalid, "{} is missing: expected {}", column, unit);
  const auto value = parse_double(text);
  if (!value || !std::isfinite(*value) || *value <= 0) {
    return fail(Errc::invalid, "{} is '{}': expected {}, more than 0", column, text, unit);
  }
  if (*value > limit) {
    return fail(Errc::invalid, "{} is {}: expected {}, at most {}; is it in another unit?", column,
                text, unit, limit);
  }
  return *value;
}

Result<double> fraction_or_missing(const std::string& cell, std::string_view column) {
  const auto text = trim(cell);
  if (text.empty()) return kNaN;
  const auto value = parse_double(text);
  if (!value) return fail(Errc::invalid, "{} is '{}': expected a fraction, 0 to 1", column, text);
  if (std::isnan(*value)) return kNaN;
  if (*value < 0 || *value > 1) {
    return fail(Errc::invalid, "{} is {}: expected a fraction, 0 to 1", column, text);
  }
  return *value;
}

/// Names are typed in programs, "NAME:20s" and "kernel NAME 20": they may not hold what separates
/// there.
Result<std::string> name_part(const std::vector<std::string>& cells, std::optional<std::size_t> at,
                              std::string_view column) {
  if (!at) return std::string();
  std::string name(trim(cells[*at]));
  const auto bad = std::find_if(name.begin(), name.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u <= ' ' || u == 0x7F || c == ':' || c == '#' || c == ',';
  });
  if (bad != name.end() || name.size() > 200) {
    return fail(Errc::invalid,
                "{} is '{}': a name has no space, ':', '#' or ',' and at most 200 characters",
                column, name.substr(0, 60));
  }
  return name;
}

Result<Row> read_row(const std::vector<std::string>& cells, const Layout& layout) {
  if (cells.size() != layout.columns) {
    return fail(Errc::invalid, "{} cells, but the header names {} columns", cells.size(),
                layout.columns);
  }
  Row row;
  METE_TRY(row.set, name_part(cells, layout.set, "set"));
  METE_TRY(row.benchmark, name_part(cells, layout.benchmark, "benchmark"));
  METE_TRY(row.args, name_part(cells, layout.args, "args"));
  METE_TRY(row.kernel, name_part(cells, layout.kernel, "kernel"));
  if (row.benchmark.empty())
    return fail(Errc::invalid, "benchmark is missing: expected the kernel's name");
  METE_TRY(const double mhz, positive(cells[layout.core_mhz], "core_mhz", "MHz", kMaxMegahertz));
  row.hertz = std::round(mhz * 1e6);
  if (row.hertz < 1) return fail(Errc::invalid, "core_mhz is {}: expected MHz", mhz);
  METE_TRY(const double ms,
           positive(cells[layout.time], "time", "milliseconds per kernel", kMaxMilliseconds));
  row.point.seconds = ms / 1e3;
  METE_TRY(row.point.watts, positive(cells[layout.power_w], "power_w", "watts", kMaxWatts));
  if (row.point.seconds < 1e-12)
    return fail(Errc::invalid, "time is {}: expected milliseconds per kernel", ms);
  if (layout.memory_mhz && !trim(cells[*layout.memory_mhz]).empty()) {
    METE_TRY(row.memory_mhz,
             positive(cells[*layout.memory_mhz], "memory_mhz", "MHz", kMaxMegahertz));
  }
  for (std::size_t a = 0; a < kActivityCount; ++a) {
    if (!layout.activities[a]) continue;
    METE_TRY(row.point.activities[a],
             fraction_or_missing(cells[*layout.activities[a]], kActivityColumns[a]));
  }
  return row;
}

struct Parsed {
  std::string source;
  Layout layout;
  std::vector<Row> rows;
};

Result<Parsed> read_rows(std::string_view csv, const std::string& file,
                         std::vector<std::string>& notes) {
  if (csv.starts_with("\xEF\xBB\xBF")) csv.remove_prefix(3);
  Parsed parsed;
  bool have_header = false;
  std::size_t number = 0;
  while (!csv.empty()) {
    const auto end = csv.find('\n');
    const auto line = trim(csv.substr(0, end));
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    ++number;
    if (line.empty()) continue;
    if (line.front() == '#') {
      if (!have_header) parsed.source.append(trim(line.substr(1))).append("\n");
      continue;
    }
    auto cells = parse_csv(line);
    if (!cells) return at_line(file, number, "a quote is never closed");
    if (!have_header) {
      METE_TRY(parsed.layout, read_header(cells->front(), file, number, notes));
      have_header = true;
      continue;
    }
    if (parsed.rows.size() == kMaxRows)
      return at_line(file, number, fmt::format("more than {} rows", kMaxRows));
    auto row = read_row(cells->front(), parsed.layout);
    if (!row) return at_line(file, number, row.error().what);
    row->line = number;
    parsed.rows.push_back(std::move(*row));
  }
  if (!have_header)
    return fail(Errc::invalid, "{}: is empty: expected a header and one row per kernel and clock",
                file);
  if (parsed.rows.empty()) return fail(Errc::invalid, "{}: has a header but no rows", file);
  return parsed;
}

// ---- kernels ----

Result<std::vector<Group>> group_rows(const std::vector<Row>& rows, const std::string& file) {
  std::vector<Group> groups;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::size_t> where;
  for (const auto& row : rows) {
    const auto [place, is_new] =
        where.try_emplace({row.set, row.benchmark, row.args, row.kernel}, groups.size());
    if (is_new) groups.push_back({&row, {}});
    auto& group = groups[place->second];
    const auto [same, added] = group.rows.emplace(row.hertz, &row);
    if (added) continue;
    const bool memory = same->second->memory_mhz != row.memory_mhz;
    return at_line(file, row.line,
                   fmt::format("{} at {} MHz is in line {} already{}", row.benchmark,
                               row.hertz / 1e6, same->second->line,
                               memory ? ", at another memory clock; keep the rows of one" : ""));
  }
  return groups;
}

/// "benchmark", with "/args", "/kernel" and "set/" added only where they are needed to tell kernels
/// apart: args where the benchmark has several, kernel where the benchmark and args have several,
/// set where two are still alike.
std::vector<std::string> unique_names(const std::vector<Group>& groups) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> args_of;
  std::map<std::tuple<std::string, std::string, std::string>, std::set<std::string>> kernels_of;
  for (const auto& group : groups) {
    const Row& row = *group.first;
    args_of[{row.set, row.benchmark}].insert(row.args);
    kernels_of[{row.set, row.benchmark, row.args}].insert(row.kernel);
  }
  std::vector<std::string> names;
  std::map<std::string, int> uses;
  for (const auto& group : groups) {
    const Row& row = *group.first;
    std::string name = row.benchmark;
    if (args_of[{row.set, row.benchmark}].size() > 1) name += "/" + row.args;
    if (kernels_of[{row.set, row.benchmark, row.args}].size() > 1) name += "/" + row.kernel;
    ++uses[name];
    names.push_back(std::move(name));
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (uses[names[i]] > 1) names[i] = groups[i].first->set + "/" + names[i];
  }
  return names;
}

/// Fills an activity that some rows of the kernel lack, linearly in the clock; at the ends, with
/// the nearest.
Result<void> fill_activity(std::vector<std::pair<double, OperatingPoint>>& points,
                           std::size_t activity, const std::string& kernel,
                           std::vector<std::string>& notes) {
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!std::isnan(points[i].second.activities[activity])) known.push_back(i);
  }
  if (known.size() == points.size()) return {};
  if (known.empty()) {
    return fail(Errc::invalid,
                "{} has no {} at any clock: give it at one at least, or leave the column out",
                kernel, kActivityColumns[activity]);
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto& value = points[i].second.activities[activity];
    if (!std::isnan(value)) continue;
    const auto above = std::lower_bound(known.begin(), known.end(), i);
    const auto& high = points[above == known.end() ? known.back() : *above];
    const auto& low = points[above == known.begin() ? known.front() : *(above - 1)];
    const double span = high.first - low.first;
    const double part = span == 0 ? 0 : (points[i].first - low.first) / span;
    value = low.second.activities[activity] +
            part * (high.second.activities[activity] - low.second.activities[activity]);
    notes.push_back(fmt::format("{}: {} at {} MHz is missing; filled in from its neighbours",
                                kernel, kActivityColumns[activity], points[i].first / 1e6));
  }
  return {};
}

Result<BoardKernel> make_kernel(const Group& group, std::string name, Board& board) {
  BoardKernel kernel{std::move(name), group.first->set, {}};
  if (group.rows.size() < 2) {
    return fail(Errc::invalid, "{} was measured at one clock only: at least two are needed",
                kernel.name);
  }
  if (group.rows.begin()->first != board.clocks.front() ||
      group.rows.rbegin()->first != board.clocks.back()) {
    return fail(Errc::invalid,
                "{} was measured from {} to {} MHz, but others from {} to {} MHz: all kernels need "
                "the lowest and the "
                "highest clock",
                kernel.name, group.rows.begin()->first / 1e6, group.rows.rbegin()->first / 1e6,
                board.clocks.front() / 1e6, board.clocks.back() / 1e6);
  }
  std::vector<std::pair<double, OperatingPoint>> points;
  for (const auto& [hertz, row] : group.rows) points.emplace_back(hertz, row->point);
  for (std::size_t a = 0; a < kActivityCount; ++a) {
    if (board.has_activity[a]) {
      METE_TRY_VOID(fill_activity(points, a, kernel.name, board.notes));
    }
  }
  std::size_t above = 0;
  for (const double clock : board.clocks) {
    while (points[above].first < clock) ++above;
    if (points[above].first == clock) {
      kernel.points.push_back(points[above].second);
      continue;
    }
    const auto& [low_hertz, low] = points[above - 1];
    kernel.points.push_back(
        interpolate(low_hertz, low, points[above].first, points[above].second, clock));
    board.notes.push_back(fmt::format("{}: no row at {} MHz; filled in from its neighbours",
                                      kernel.name, clock / 1e6));
  }
  return kernel;
}

}  // namespace

Result<Board> parse_board(std::string_view csv, std::string name, const std::string& file) {
  Board board;
  board.name = std::move(name);
  METE_TRY(auto parsed, read_rows(csv, file, board.notes));
  board.source = std::string(trim(parsed.source));
  METE_TRY(const auto groups, group_rows(parsed.rows, file));
  for (std::size_t a = 0; a < kActivityCount; ++a) {
    board.has_activity[a] =
        parsed.layout.activities[a] &&
        std::any_of(parsed.rows.begin(), parsed.rows.end(),
                    [a](const Row& row) { return !std::isnan(row.point.activities[a]); });
    if (board.has_activity[a]) continue;
    for (auto& row : parsed.rows) row.point.activities[a] = 0;
  }
  std::set<double> clocks;
  for (const auto& row : parsed.rows) clocks.insert(row.hertz);
  board.clocks.assign(clocks.begin(), clocks.end());
  if (groups.size() * board.clocks.size() > kMaxPoints) {
    return fail(Errc::invalid, "{}: {} kernels at {} clocks: more than {} points", file,
                groups.size(), board.clocks.size(), kMaxPoints);
  }
  auto names = unique_names(groups);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    auto kernel = make_kernel(groups[i], std::move(names[i]), board);
    if (!kernel) return at_line(file, groups[i].first->line, kernel.error().what);
    board.kernels.push_back(std::move(*kernel));
  }
  std::set<std::string_view> seen;
  for (const auto& kernel : board.kernels) {
    if (!seen.insert(kernel.name).second) {
      return fail(Errc::invalid, "{}: two kernels would both be named '{}'; rename one", file,
                  kernel.name);
    }
  }
  return board;
}

}  // namespace mete
