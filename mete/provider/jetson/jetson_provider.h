// NVIDIA Jetson modules: power of their rails by the INA3221 monitors, and the clock of their GPU
// by devfreq. The carrier board is not measured. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

/// The clock must outlive the provider.
std::unique_ptr<Provider> make_jetson_provider(SysRoot root, const Clock& clock);

}  // namespace mete
