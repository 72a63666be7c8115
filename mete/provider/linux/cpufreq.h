// The cpufreq folders of sysfs: which CPUs share a clock, what range it has, and the two limits
// that may be set (Linux Documentation/admin-guide/pm/cpufreq.rst).
//
// A policy is a set of CPUs that change frequency together. Limits exist per policy; they are
// offered at the finest of cpu, core and package whose parts are exactly the policies. Where none
// fits (the clusters of a big.LITTLE board) they are offered per cpu, and setting one CPU sets all
// CPUs of its cluster. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mete/base/sys_root.h"
#include "mete/provider/linux/cpu_map.h"
#include "mete/signal/provider.h"

namespace mete {

inline constexpr const char* kMaxControl = "CPU_FREQUENCY_MAX_CONTROL";
inline constexpr const char* kMinControl = "CPU_FREQUENCY_MIN_CONTROL";

struct CpufreqMap {
  std::vector<std::string> policies;  ///< folders
  std::vector<int> policy_of_cpu;     ///< by dense CPU id; -1 for none
  Domain native = Domain::cpu;        ///< where the limits are offered
  std::vector<int> policy_of_part;    ///< by part of `native`; -1 for none

  /// "folder/name" of a CPU's policy if that file is there, else "".
  [[nodiscard]] std::string file(const SysRoot& root, int policy, const char* name) const;
};

CpufreqMap read_cpufreq_map(const SysRoot& root, const CpuMap& map);

/// The limits of one policy, kHz.
struct CpufreqRange {
  std::int64_t min = 0;
  std::int64_t max = 0;

  friend bool operator==(const CpufreqRange&, const CpufreqRange&) = default;
};

/// One write to one of the two files.
struct CpufreqWrite {
  bool is_max = false;
  std::int64_t kilohertz = 0;
};
/// What to write, in order, to come from one range to another with min <= max after every write.
/// Both ranges have min <= max; what is so already is not written.
std::vector<CpufreqWrite> order_writes(CpufreqRange now, CpufreqRange wanted);

/// Sets scaling_min_freq and scaling_max_freq, in such an order that the minimum never exceeds the
/// maximum on the way: the kernel refuses that. A maximum below the present minimum takes the
/// minimum down with it, and a minimum above the present maximum takes the maximum up; therefore
/// the saved text of either control holds both, and restoring either restores both.
class CpufreqControls final : public Controls {
 public:
  CpufreqControls(SysRoot root, CpufreqMap map, const ProviderInfo& info)
      : root_(std::move(root)), map_(std::move(map)), info_(info) {}

  Result<ControlLimits> limits(const Request& request) const override;
  Result<int> push(const Request& request) override;
  Result<void> write_batch(std::span<const double> values) override;
  Result<std::string> save(const Request& request) const override;
  Result<void> restore(const Request& request, const std::string& saved) override;

 private:
  struct Handle {
    int policy = 0;
    bool is_max = false;
  };
  [[nodiscard]] Result<Handle> find(const Request& request) const;
  [[nodiscard]] std::string path(int policy, const char* name) const;
  [[nodiscard]] Result<CpufreqRange> present(int policy) const;
  [[nodiscard]] Result<void> set(int policy, CpufreqRange wanted) const;

  SysRoot root_;
  CpufreqMap map_;
  const ProviderInfo& info_;  // the provider's own, which outlives this
  std::vector<Handle> handles_;
};

}  // namespace mete
