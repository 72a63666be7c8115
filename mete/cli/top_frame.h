// What `mete top` shows, as lines of text: the parts of the node (package, memory, GPU) in rows,
// and the processes that use its CPUs most. Pure: no clock, no terminal.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mete/base/json.h"
#include "mete/cli/node_watch.h"

namespace mete {

/// A row. SI units; NaN: not told here.
struct TopPart {
  std::string name;  ///< "package 0"
  double watts = std::numeric_limits<double>::quiet_NaN();
  double joules = std::numeric_limits<double>::quiet_NaN();  ///< since the start
  double use = std::numeric_limits<double>::quiet_NaN();     ///< 0..1
  double hertz = std::numeric_limits<double>::quiet_NaN();
  double celsius = std::numeric_limits<double>::quiet_NaN();
  double memory_used = std::numeric_limits<double>::quiet_NaN();   ///< bytes
  double memory_total = std::numeric_limits<double>::quiet_NaN();  ///< bytes
  std::optional<Source> source;                                    ///< of power and energy
};

struct TopProcess {
  int pid = 0;
  std::string name;  ///< as the kernel tells it: anything may be in it
  double cpus = 0;   ///< CPUs kept busy since the last frame
  double rss_bytes = std::numeric_limits<double>::quiet_NaN();
  double watts = std::numeric_limits<double>::quiet_NaN();  ///< its share of the packages' power
};

struct TopState {
  std::string node;
  double seconds = 0;  ///< since the start
  std::vector<TopPart> parts;
  std::vector<TopProcess> processes;  ///< the busiest first
  bool processes_told = true;
};

/// The rows of what is told, in the order board, package, dram, gpu.
std::vector<TopPart> top_parts(std::span<const WatchedValue> values);

/// At most `height` lines of at most `width` characters, without line ends. Control characters in
/// names are shown as '?'.
std::vector<std::string> top_lines(const TopState& state, std::size_t width, std::size_t height);

Json to_json(const TopState& state);

}  // namespace mete
