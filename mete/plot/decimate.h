// Long lines thinned to what a screen can show, without losing a spike or closing a gap.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mete {

/// Indices of the points to keep, in order. Of each of `columns` equal slices of [low, high] in x:
/// the first and last point, the one with the least and the one with the largest y; and one NaN
/// point where there were some between the points of two slices, so that a gap stays a gap unless
/// it is narrower than a slice. All points are kept if there are no more than 4 per column. x must
/// not fall.
std::vector<std::size_t> thin_line(std::span<const double> x, std::span<const double> y, double low,
                                   double high, std::size_t columns);

/// The same for steps: points that repeat the value before them are dropped first (the last one is
/// kept), for they draw nothing.
std::vector<std::size_t> thin_steps(std::span<const double> x, std::span<const double> y,
                                    double low, double high, std::size_t columns);

}  // namespace mete
