// Utilisation of each CPU from the tick counts of /proc/stat (proc(5)).
//
// Utilisation over a while is (ticks spent running) / (ticks passed). Running is user, nice,
// system, irq and softirq (user and nice hold the guests' time already); idle, iowait and steal are
// not: a CPU that the host took away ran nothing of ours. The kernel counts in steps of 1/USER_HZ
// (10 ms), so a sample taken sooner repeats the last value; before the first step there is none
// (Errc::retry). SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

#include "mete/provider/linux/cpu_map.h"
#include "mete/provider/linux/kernel_file.h"

namespace mete {

class CpuUsage {
 public:
  /// Opens /proc/stat and takes the first counts: values are differences from here on.
  Result<void> open(const SysRoot& root, const CpuMap& map);
  [[nodiscard]] bool is_open() const { return file_.is_open(); }
  void update() noexcept;
  /// By dense CPU id. A CPU that went offline is Errc::gone.
  [[nodiscard]] Reading value(int cpu) const noexcept {
    return cpus_[static_cast<std::size_t>(cpu)].reading;
  }

 private:
  struct Cpu {
    double busy = 0;
    double total = -1;  // below 0: no counts yet
    Reading reading = Reading::missing(Errc::retry);
    bool seen = false;
  };
  void take(Cpu& cpu, std::string_view numbers) noexcept;

  KernelFile file_;
  std::vector<char> buffer_;
  std::vector<int> dense_;  // kernel id → dense id, -1 for none
  std::vector<Cpu> cpus_;
};

}  // namespace mete
