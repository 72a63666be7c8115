// What report and trace say of a run before any figure.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace mete {

/// The generation of GEOPM's formats that mete writes, and who wrote: readers of GEOPM's files look
/// for a version here.
inline constexpr const char* kGeopmFormat = "3.1.0+mete." METE_VERSION;

struct RunHeader {
  std::string start_time;  ///< as format_wall_time gives it
  std::string profile;
  std::string node;
  std::string agent;
  std::string policy = "{}";  ///< one line of JSON
  double period = 0;          ///< s
  bool replayed = false;      ///< a board ran it
};

}  // namespace mete
