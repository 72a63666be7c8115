// Matrix multiplies on this machine's CPU, for a GemmBench. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "mete/base/sys_root.h"
#include "mete/kernel/gemm.h"
#include "mete/study/efficiency/gemm_bench.h"

namespace mete {

/// The runtime and the clock must outlive it.
class CpuBench final : public BenchDevice {
 public:
  CpuBench(GemmRuntime& runtime, const Clock& clock, SysRoot root, int threads,
           std::optional<BenchMeter> meter);
  Result<void> check(const GemmPoint& point) override;
  /// Warm-up, then multiplies until the time is over and the meter has settled; the result is
  /// checked by a naive multiply.
  Result<GemmRun> measure(const GemmPoint& point, const BenchPlan& plan,
                          std::uint64_t seed) override;
  /// The arithmetic units' own rate for a type, measured once; NaN where there is no loop for it.
  double peak(GemmType type);

 private:
  GemmRuntime& runtime_;
  const Clock& clock_;
  SysRoot root_;
  int threads_;
  std::optional<BenchMeter> meter_;
  std::map<GemmType, double> peaks_;
};

}  // namespace mete
