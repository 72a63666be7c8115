// Reading sensors.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/hwmon/sensor.h"

#include <utility>

namespace mete {

Result<Sensor> Sensor::open(const SysRoot& root, const SensorFiles& files) {
  METE_TRY(KernelFile first, KernelFile::open(root, files.first));
  KernelFile second;
  if (!files.second.empty()) {
    METE_TRY(second, KernelFile::open(root, files.second));
  }
  Sensor sensor(std::move(first), std::move(second), files.scale);
  const Reading trial = sensor.read();
  if (trial.fault) return fail(*trial.fault, "{}: expected one number", root.path(files.first));
  return sensor;
}

Reading Sensor::read() const noexcept {
  Reading value = first_.read_number(scale_);
  if (value.fault || !second_.is_open()) return value;
  const Reading factor = second_.read_number(1);
  if (factor.fault) return factor;
  value.value *= factor.value;
  return value;
}

std::string name_of_label(const std::string& label) {
  constexpr std::size_t kLongest = 48;
  std::string name;
  for (const char c : label) {
    if (name.size() == kLongest) break;
    if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      name += c;
    } else if (c >= 'a' && c <= 'z') {
      name += static_cast<char>(c - 'a' + 'A');
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

}  // namespace mete
