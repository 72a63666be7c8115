// Which logical CPUs are online and how they lie in cores, packages and memory nodes, from sysfs.
//
// Ids of mete are dense and from 0; the kernel's have holes (CPUs taken offline, packages numbered
// 0 and 3). A CpuMap is the only place that knows both. Formats: Linux
// Documentation/admin-guide/cputopology.rst and Documentation/ABI/stable/sysfs-devices-node.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include "mete/base/sys_root.h"
#include "mete/signal/domain.h"

namespace mete {

struct CpuMap {
  std::vector<int> kernel_cpu;      ///< dense CPU id → the kernel's, ascending
  std::vector<Topology::Cpu> cpus;  ///< dense CPU id → its dense package, core and memory node
  std::vector<int> kernel_package;  ///< dense package id → physical_package_id
  struct Core {
    int package = 0;      ///< dense
    int kernel_core = 0;  ///< core_id, unique within a package on x86
  };
  std::vector<Core> cores;  ///< by dense core id: ordered by package, then by first CPU

  /// The dense id, or -1.
  [[nodiscard]] int dense_cpu(int kernel_id) const;
  [[nodiscard]] int count(Domain domain) const;
  /// The dense CPUs that lie in a part of board, package, core or cpu.
  [[nodiscard]] std::vector<int> cpus_of(Domain domain, int index) const;
};

/// Never fails: without sysfs the CPUs are those of /proc/stat, each a core of one package; without
/// that, none.
CpuMap read_cpu_map(const SysRoot& root);

}  // namespace mete
