// How much memory can still be taken here without pushing anything out. It is asked before a pool
// is made: a process that takes too much is killed, not told. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "mete/base/result.h"
#include "mete/base/sys_root.h"

namespace mete {

/// Bytes that all control groups above this process, and the machine, leave; part of it is kept
/// back. `unavailable` without /proc/meminfo.
Result<std::uint64_t> memory_available(const SysRoot& sys);
/// Bytes free on a NUMA node. `unavailable`, listing the nodes, if there is no such node or it has
/// no memory.
Result<std::uint64_t> node_memory_available(const SysRoot& sys, int node);
/// Bytes that the file system of an open file has left for us.
Result<std::uint64_t> file_system_available(int fd, const std::string& where);
/// True if the file system keeps its files in memory (tmpfs).
bool lies_in_memory(int fd);

/// `unavailable` if `bytes` are more than `available`: "TIER: a pool of X does not fit: Y are
/// left".
Result<void> check_room(const std::string& tier, std::uint64_t bytes, std::uint64_t available);

}  // namespace mete
