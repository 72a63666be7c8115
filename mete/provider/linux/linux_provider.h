// What the Linux kernel tells of a node's CPUs and memory, from /proc and /sys: utilisation,
// frequency, temperature, memory; and, where cpufreq lets us write, the range of CPU frequencies.
//
// The root is a parameter, so that tests show any machine from a folder. Nothing is opened for
// reading values until a signal is pushed; making a provider lists a few folders of sysfs.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

std::unique_ptr<Provider> make_linux_provider(SysRoot root);

}  // namespace mete
