// Matrix multiplies by a library (GemmRuntime), on this machine's CPU or one of its GPUs, for a
// GemmBench. SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "mete/base/interrupt.h"
#include "mete/base/sys_root.h"
#include "mete/kernel/gemm.h"
#include "mete/study/efficiency/gemm_bench.h"

namespace mete {

/// Where the multiplies run, and what is asked before and beside them.
struct BenchHost {
  int threads = 1;               ///< of a CPU
  std::optional<int> gpu;        ///< N of cuda:N; nothing: the CPU
  std::string library = "auto";  ///< of a CPU, as GemmJob::library
  /// Bytes that matrices may take.
  std::function<Result<double>()> free_bytes;
  /// Sets the clock, Hz; empty where it cannot be set.
  std::function<Result<void>(double)> set_clock;
  std::optional<BenchMeter> meter;
  const Interrupt* interrupt = nullptr;  ///< ends a run within a chunk of multiplies
};
/// MemAvailable of /proc/meminfo.
Result<double> available_memory(const SysRoot& root);

/// The first multiplies: pages, caches, the library's threads. Returns how many come to about 20
/// ms: a chunk long enough that the clock costs nothing, short enough that power is read in time.
Result<std::uint64_t> warm_up(Gemm& gemm, const Clock& clock);

struct GemmTiming {
  double seconds = 0;  ///< by the device's own clock where it has one
  std::uint64_t count = 0;
};
/// The loop behind every rate of `mete bench gemm`: chunks for as long as `more(passed seconds)`.
/// `beside(passed)`, where there is one, is called between queueing a chunk and waiting for it.
Result<GemmTiming> time_multiplies(Gemm& gemm, const Clock& clock, std::uint64_t chunk,
                                   const std::function<bool(double)>& more,
                                   const std::function<void(double)>& beside = {});

/// The runtime and the clock must outlive it.
class RuntimeBench final : public BenchDevice {
 public:
  RuntimeBench(GemmRuntime& runtime, const Clock& clock, BenchHost host);
  Result<void> check(const GemmPoint& point) override;
  /// Warm-up, then multiplies until the time is over and the meter has settled; the result is
  /// checked by a naive multiply. `gone` if interrupted.
  Result<GemmRun> measure(const GemmPoint& point, const BenchPlan& plan,
                          std::uint64_t seed) override;
  /// A CPU's arithmetic units' own rate for a type, measured once; NaN where there is no loop for
  /// it.
  double peak(GemmType type);

 private:
  [[nodiscard]] GemmJob job_of(const GemmPoint& point, GemmType type, std::uint64_t seed) const;
  Result<GemmTiming> run_timed(Gemm& gemm, const BenchPlan& plan, GemmRun& run);
  [[nodiscard]] std::string units_of(const Gemm& gemm, const GemmRun& run, GemmType type);

  GemmRuntime& runtime_;
  const Clock& clock_;
  BenchHost host_;
  std::map<GemmType, double> peaks_;
};

}  // namespace mete
