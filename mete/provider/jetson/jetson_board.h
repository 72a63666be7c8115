// What is known of each Jetson module: which of its power rails make up the module's power, and
// which feed one thing alone. Sources: NVIDIA's L4T developer guides, "Software-Based Power
// Consumption Modeling". SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mete/base/sys_root.h"

namespace mete {

struct JetsonBoard {
  std::string_view name;  ///< "Jetson AGX Orin"
  /// Part numbers of /proc/device-tree/compatible, divided by blanks.
  std::string_view modules;
  /// Words of /proc/device-tree/model that mean this board, divided by '|'.
  std::string_view models;
  /// The rails whose sum is the module's power, divided by blanks; "" if it has no sensors. Rails
  /// that are fed by another rail of the list are not in it.
  std::string_view total;
  std::string_view gpu;   ///< the rail that feeds the GPU and nothing else, or ""
  std::string_view cpu;   ///< the same for the CPUs
  std::string_view dram;  ///< the same for memory
};

/// The board that this is, by its module's part number, else by its model; nullptr for none.
const JetsonBoard* find_jetson_board(const SysRoot& root);

/// One channel of an INA3221 monitor.
struct JetsonRail {
  std::string name;  ///< "VDD_IN"
  /// Millivolts and milliamperes, whose product is taken, or milliwatts alone.
  std::string volts;
  std::string amperes;
  std::string milliwatts;
};
/// Both layouts: hwmon's (JetPack 5 and later) and iio's (JetPack 4). Channels that are not
/// connected (NC) or switched off are left out. At most 32.
std::vector<JetsonRail> find_jetson_rails(const SysRoot& root);

/// The GPU's folder in /sys/class/devfreq, or "".
std::string find_jetson_gpu(const SysRoot& root);

}  // namespace mete
