// Power, energy and temperature sensors that the kernel's hwmon shows: board power monitors,
// Grace's power meters, disks, graphics cards. Each sensor is a signal of the board, named after
// its chip and label; what it is fastened to, only the board's maker knows.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

/// Looks for its sensors when info() is first asked: a few hundred small files on a large server.
/// The clock must outlive the provider.
std::unique_ptr<Provider> make_hwmon_provider(SysRoot root, const Clock& clock);

}  // namespace mete
