// Long lines thinned to what a screen can show, without losing a spike or closing a gap.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/plot/decimate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "mete/plot/ticks.h"

namespace mete {
namespace {

/// What is kept of one run of neighbouring values within one column.
struct Group {
  std::size_t first = 0, last = 0, least = 0, most = 0;
  bool open = false;

  void add(std::size_t i, std::span<const double> y) {
    if (!open) {
      *this = {i, i, i, i, true};
      return;
    }
    last = i;
    if (y[i] < y[least]) least = i;
    if (y[i] > y[most]) most = i;
  }
  void close(std::vector<std::size_t>& kept) {
    if (!open) return;
    std::vector<std::size_t> mine{first, least, most, last};
    std::sort(mine.begin(), mine.end());
    mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
    kept.insert(kept.end(), mine.begin(), mine.end());
    open = false;
  }
};

std::vector<std::size_t> thin_subset(std::span<const std::size_t> points, std::span<const double> x,
                                     std::span<const double> y, double low, double high,
                                     std::size_t columns) {
  std::vector<std::size_t> kept;
  if (points.size() <= columns * 4 || !(high > low)) {
    kept.assign(points.begin(), points.end());
    return kept;
  }
  const double per_column = static_cast<double>(columns) / (high - low);
  const double last_column = static_cast<double>(columns) - 1;
  Group group;
  double column = -1;
  std::optional<std::size_t> gap;
  for (const std::size_t i : points) {
    if (!drawable(x[i]) || !drawable(y[i])) {
      gap = i;
      continue;
    }
    const double mine = std::clamp(std::floor((x[i] - low) * per_column), 0.0, last_column);
    if (mine != column) {
      group.close(kept);
      if (gap) kept.push_back(*gap);
    }
    gap.reset();
    column = mine;
    group.add(i, y);
  }
  group.close(kept);
  return kept;
}

}  // namespace

std::vector<std::size_t> thin_line(std::span<const double> x, std::span<const double> y, double low,
                                   double high, std::size_t columns) {
  std::vector<std::size_t> all(std::min(x.size(), y.size()));
  std::iota(all.begin(), all.end(), std::size_t{0});
  return thin_subset(all, x, y, low, high, columns);
}

std::vector<std::size_t> thin_steps(std::span<const double> x, std::span<const double> y,
                                    double low, double high, std::size_t columns) {
  const std::size_t n = std::min(x.size(), y.size());
  std::vector<std::size_t> changes;
  for (std::size_t i = 0; i < n; ++i) {
    const bool repeats = i > 0 && i + 1 < n && drawable(x[i]) && y[i] == y[i - 1];
    // The point before a gap ends the step there.
    const bool before_gap = i + 1 < n && !(drawable(y[i + 1]) && drawable(x[i + 1]));
    if (!repeats || before_gap) changes.push_back(i);
  }
  return thin_subset(changes, x, y, low, high, columns);
}

}  // namespace mete
