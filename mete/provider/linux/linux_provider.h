// What the Linux kernel tells of a node's CPUs and memory, from /proc and /sys: utilisation,
// frequency, temperature, memory; and, where cpufreq lets us write, the range of CPU frequencies.
//
// The root is a parameter, so that tests show any machine from a folder. Nothing is opened for
// reading values until a signal is pushed; making a provider lists a few folders of sysfs.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>

#include "mete/base/clock.h"
#include "mete/base/sys_root.h"
#include "mete/signal/provider.h"

namespace mete {

/// Reads every file at every read_batch.
std::unique_ptr<Provider> make_linux_provider(SysRoot root);
/// Reads the kernel's tables no more often than they can change or are worth their cost (a read of
/// /proc/cpuinfo takes 20 µs): CPU times every 50 ms, which is five of their ticks (over one tick a
/// CPU is busy or not); memory every 10 ms; stated frequencies every 100 ms, or every
/// second on a virtual machine whose CPUs do not count their cycles: those never change; load every
/// second. In between, a reading repeats. Files of one number (cpufreq, temperatures) are read
/// every time. The clock must outlive the provider.
std::unique_ptr<Provider> make_paced_linux_provider(SysRoot root, const Clock& clock);

}  // namespace mete
