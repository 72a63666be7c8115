// What a machine is called in a profile. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "mete/base/sys_root.h"

namespace mete {

/// CPU model and how many of them are online: "Intel(R) Xeon(R) Gold 6142 CPU @ 2.60GHz, 16 CPUs".
std::string machine_name(const SysRoot& sys);
/// Bytes of the last-level cache that a thread here uses; 32 MiB if it is not told.
std::uint64_t last_level_cache(const SysRoot& sys);

}  // namespace mete
