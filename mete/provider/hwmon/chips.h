// The chips of /sys/class/hwmon and the sensors on them that tell power, energy and temperature.
// Formats: Linux Documentation/hwmon/sysfs-interface.rst and acpi_power_meter.rst.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "mete/base/sys_root.h"
#include "mete/provider/hwmon/sensor.h"

namespace mete {

enum class SensorKind { power, energy, temperature };

struct ChipSensor {
  SensorKind kind = SensorKind::power;
  std::string name;   ///< "HWMON::POWER_METER:GRACE_POWER_SOCKET_0_POWER"; each once
  std::string label;  ///< for people: "power_meter: Grace Power Socket 0"
  SensorFiles files;
  bool averaged = false;  ///< the chip averages over an interval of its own
  bool product = false;   ///< of a voltage and a current
};

/// Sensors that are switched off (*_enable 0) are left out. At most 256 of a chip and 64 chips.
std::vector<ChipSensor> find_chip_sensors(const SysRoot& root);

}  // namespace mete
