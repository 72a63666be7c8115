// Looking kernels and operating points up, and finding a board by name or path.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/board/board.h"

#include <algorithm>
#include <limits>

#include "mete/base/files.h"
#include "mete/base/text.h"
#include "mete/base/utf8.h"
#include "mete/provider/board/builtin_boards.h"

namespace mete {
namespace {

/// The published V100 table is 270 kB for 158 kernels.
constexpr std::size_t kBoardFileLimit = std::size_t{64} << 20U;

std::string stem(const std::string& path) {
  std::string name = base_name(path);
  if (name.size() > 4 && name.ends_with(".csv")) name.resize(name.size() - 4);
  return name;
}

}  // namespace

std::vector<std::string> Board::kernel_names() const {
  std::vector<std::string> names;
  names.reserve(kernels.size());
  for (const auto& kernel : kernels) names.push_back(kernel.name);
  return names;
}

Result<std::size_t> Board::find_kernel(std::string_view kernel) const {
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    if (kernels[i].name == kernel) return i;
  }
  const auto names = kernel_names();
  std::string offer = did_you_mean(kernel, names);
  if (offer.empty())
    offer = fmt::format("; it has {} kernels, '{}' for one", names.size(), names.front());
  return fail(Errc::invalid, "board {} has no kernel '{}'{}", name, kernel, offer);
}

OperatingPoint Board::at(std::size_t kernel, double hertz) const noexcept {
  const auto& points = kernels[kernel].points;
  const auto above = std::lower_bound(clocks.begin(), clocks.end(), hertz);
  if (above == clocks.end()) return points.back();
  const auto i = static_cast<std::size_t>(above - clocks.begin());
  if (*above == hertz || i == 0) return points[i];
  return interpolate(clocks[i - 1], points[i - 1], clocks[i], points[i], hertz);
}

double Board::lowest_watts() const noexcept {
  double lowest = std::numeric_limits<double>::infinity();
  for (const auto& kernel : kernels) {
    for (const auto& point : kernel.points) lowest = std::min(lowest, point.watts);
  }
  return lowest;
}

OperatingPoint interpolate(double low_hertz, const OperatingPoint& low, double high_hertz,
                           const OperatingPoint& high, double hertz) noexcept {
  const double by_clock = (hertz - low_hertz) / (high_hertz - low_hertz);
  const double by_period = (1 / hertz - 1 / low_hertz) / (1 / high_hertz - 1 / low_hertz);
  OperatingPoint point;
  point.seconds = low.seconds + by_period * (high.seconds - low.seconds);
  point.watts = low.watts + by_clock * (high.watts - low.watts);
  for (std::size_t a = 0; a < kActivityCount; ++a) {
    point.activities[a] = low.activities[a] + by_clock * (high.activities[a] - low.activities[a]);
  }
  return point;
}

std::vector<std::string> builtin_board_names() {
  std::vector<std::string> names;
  for (const auto& board : builtin_boards()) names.emplace_back(board.name);
  return names;
}

Result<Board> load_board(const std::string& name_or_path) {
  for (const auto& board : builtin_boards()) {
    if (board.name == name_or_path) {
      return parse_board(board.csv, name_or_path, fmt::format("boards/{}.csv", name_or_path));
    }
  }
  if (!path_exists(name_or_path)) {
    const auto names = builtin_board_names();
    return fail(Errc::invalid,
                "no board and no file is named '{}'{}{} a board is {}, or a CSV file", name_or_path,
                did_you_mean(name_or_path, names),
                did_you_mean(name_or_path, names).empty() ? ":" : "", join(names, ", "));
  }
  if (is_directory(name_or_path)) {
    return fail(Errc::invalid, "{}: is a folder; a board is one CSV file", name_or_path);
  }
  auto text = read_file(name_or_path, kBoardFileLimit);
  // Which file to read was the user's choice: whatever is wrong with it is wrong input.
  if (!text) return Error{Errc::invalid, text.error().what};
  return parse_board(without_mark(*text), stem(name_or_path), name_or_path);
}

}  // namespace mete
