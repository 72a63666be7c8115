// Where sysfs tells the temperatures of cores and packages: hwmon's coretemp (Intel) and k10temp
// (AMD), else the thermal zones of ARM boards and of x86 (Linux
// Documentation/hwmon/{coretemp,k10temp}.rst, Documentation/ABI/testing/sysfs-class-thermal).
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/sys_root.h"
#include "mete/provider/linux/cpu_map.h"

namespace mete {

/// Files with millidegrees Celsius; "" for a part that has no sensor.
struct TemperatureFiles {
  std::vector<std::string> core;     ///< by dense core id
  std::vector<std::string> package;  ///< by dense package id
};

TemperatureFiles find_temperatures(const SysRoot& root, const CpuMap& map);

}  // namespace mete
