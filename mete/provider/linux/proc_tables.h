// The small tables of /proc that describe the whole machine: clocks, memory, load (proc(5)). Each
// is opened when the first signal that needs it is pushed, and read once per batch however many
// signals do. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <vector>

#include "mete/provider/linux/cpu_map.h"
#include "mete/provider/linux/kernel_file.h"

namespace mete {

/// Whether /proc/cpuinfo has "cpu MHz" lines (x86 has, ARM has not).
bool clocks_tell_frequency(const SysRoot& root);
/// Whether what it tells is a fixed figure: a virtual machine without the counters by which the
/// kernel measures the clock.
bool clocks_are_nominal(const SysRoot& root);

/// "cpu MHz" of /proc/cpuinfo, Hz, by dense CPU id.
class ClockTable {
 public:
  Result<void> open(const SysRoot& root, const CpuMap& map);
  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  void update() noexcept;
  [[nodiscard]] Reading value(std::size_t cpu) const noexcept { return values_[cpu]; }

 private:
  KernelFile file_;
  std::vector<char> buffer_;
  std::vector<int> kernel_cpu_;
  std::vector<Reading> values_;
};

/// /proc/meminfo, KiB.
class MemoryTable {
 public:
  Result<void> open(const SysRoot& root);
  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  void update() noexcept;
  [[nodiscard]] Reading total() const noexcept { return total_; }
  [[nodiscard]] Reading available() const noexcept { return available_; }
  [[nodiscard]] Reading used() const noexcept;

 private:
  KernelFile file_;
  Reading total_ = Reading::missing(Errc::retry);
  Reading available_ = Reading::missing(Errc::retry);
};

/// The first number of /proc/loadavg.
class LoadFile {
 public:
  Result<void> open(const SysRoot& root);
  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  void update() noexcept;
  [[nodiscard]] Reading value() const noexcept { return value_; }

 private:
  KernelFile file_;
  Reading value_ = Reading::missing(Errc::retry);
};

}  // namespace mete
