// Regions of a program on a time line: one lane for each name, outer regions above inner ones.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mete/plot/figure.h"

namespace mete {

/// A stretch of time in which a region was entered, once or often.
struct LaneSpan {
  double begin = 0;  ///< s
  double end = 0;
  std::uint64_t count = 0;
  double seconds = 0;  ///< within the region, summed over threads
  std::uint32_t threads = 0;
};

struct RegionLane {
  std::string name;
  std::size_t level = 0;    ///< how many regions it was within
  std::uint64_t count = 0;  ///< all times it was entered
  double seconds = 0;
  std::vector<LaneSpan> spans;  ///< by their beginning
};

inline constexpr std::size_t kMostLanes = 12;
/// Bands of all lanes together: with more, near ones are drawn as one.
inline constexpr std::size_t kMostBands = 1200;

struct DrawnLanes {
  std::vector<RegionLane> lanes;  ///< those of the longest time, outer ones first
  std::size_t lanes_of = 0;       ///< how many there were
  std::size_t bands = 0;
  std::uint64_t times = 0;  ///< entered, in the lanes drawn
};

/// At most kMostLanes lanes and kMostBands bands within [from, to].
DrawnLanes choose_lanes(std::vector<RegionLane> lanes, double from, double to);
/// Of a span's time, how much was spent in the region: 0..1.
double share_of(const LaneSpan& span);
/// "epoch · 10 times, 3.2 s"
std::string describe_lane(const RegionLane& lane);
/// "12 times in 3.2 s, 2 threads": what a band tells.
std::string describe_span(const LaneSpan& span);
/// How the lanes are to be read, and how many are drawn of how many.
std::string describe_lanes(const DrawnLanes& drawn);

/// Adds a panel of lanes below those of a figure whose x is time, within their range; tells of it
/// in caption and description. Nothing where no region was entered.
void add_region_lanes(Figure& figure, std::vector<RegionLane> lanes);

}  // namespace mete
