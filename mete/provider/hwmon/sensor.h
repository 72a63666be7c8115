// One sensor of sysfs: a file's number, or the product of two (volts and amperes), read again and
// again without memory. A device that is taken out stays gone: the name hwmon3 may go to another.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "mete/base/sys_root.h"
#include "mete/provider/linux/kernel_file.h"
#include "mete/signal/provider.h"

namespace mete {

struct SensorFiles {
  std::string first;   ///< "/sys/.."
  std::string second;  ///< the other factor, or ""
  double scale = 1;    ///< from the files' unit, or the product of their units, to SI
};

class Sensor {
 public:
  /// Does a trial read; errors name the file.
  static Result<Sensor> open(const SysRoot& root, const SensorFiles& files);
  [[nodiscard]] Reading read() const noexcept;

 private:
  Sensor(KernelFile first, KernelFile second, double scale)
      : first_(std::move(first)), second_(std::move(second)), scale_(scale) {}
  KernelFile first_;
  KernelFile second_;
  double scale_ = 1;
};

/// "Package id 0" → "PACKAGE_ID_0": a label as a part of a signal's name; at most 48 characters.
std::string name_of_label(const std::string& label);

}  // namespace mete
