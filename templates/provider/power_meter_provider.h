// A telemetry provider to copy: one power meter that a driver publishes as a file in milliwatts.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

/// BOARD_POWER (W) from /sys/class/power_meter/power_milliwatts; unavailable where that file is
/// not.
std::unique_ptr<Provider> make_power_meter_provider(SysRoot root);

}  // namespace mete
