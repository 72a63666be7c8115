// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/cpu_bench.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::size_t kCheckedElements = 64;
constexpr double kPeakSeconds = 0.2;
// A chunk long enough that the clock costs nothing, short enough that power is read in time.
constexpr double kChunkSeconds = 0.02;

Result<double> available_bytes(const SysRoot& root) {
  METE_TRY(const auto text, root.read_text("/proc/meminfo"));
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with("MemAvailable:")) continue;
    const auto value =
        parse_double(trim(line.substr(13, line.size() - 13 - (line.ends_with(" kB") ? 3 : 0))));
    if (value) return *value * 1024;
  }
  return fail(Errc::unavailable, "/proc/meminfo does not tell MemAvailable");
}

/// The meter shows the load and nothing else any more: the second half of its samples has no trend
/// left.
bool settled(const std::vector<PowerSample>& samples) {
  if (samples.size() < 8) return false;
  const auto half = samples.size() / 2;
  double first = 0;
  double second = 0;
  const auto quarter = (samples.size() - half) / 2;
  for (std::size_t i = 0; i < quarter; ++i) {
    first += samples[half + i].watts;
    second += samples[samples.size() - 1 - i].watts;
  }
  return std::abs(second - first) <= 0.01 * std::abs(first);
}

}  // namespace

CpuBench::CpuBench(GemmRuntime& runtime, const Clock& clock, SysRoot root, int threads,
                   std::optional<BenchMeter> meter)
    : runtime_(runtime),
      clock_(clock),
      root_(std::move(root)),
      threads_(threads),
      meter_(std::move(meter)) {}

Result<void> CpuBench::check(const GemmPoint& point) {
  METE_TRY(const auto type, gemm_type_named(point.dtype));
  const GemmShape shape{point.rows, point.depth};
  // A small one tells whether the type is there at all.
  if (auto probe = runtime_.make({{8, 8}, type, 1, 1}); !probe) return probe.error();
  const double needed = shape.bytes(type);
  // oneDNN keeps a second copy of B; the naive judge reads in place.
  const double with_copy =
      needed + static_cast<double>(point.rows * point.depth * gemm_input_bytes(type));
  if (const auto there = available_bytes(root_); there && with_copy > *there) {
    return fail(Errc::invalid,
                "size {} of {} needs {}, and {} are free: leave it out, or free memory",
                point.size_text(), point.dtype, format_quantity(with_copy, "B"),
                format_quantity(*there, "B"));
  }
  return {};
}

double CpuBench::peak(GemmType type) {
  const auto known = peaks_.find(type);
  if (known != peaks_.end()) return known->second;
  const auto measured = runtime_.measure_peak(type, threads_, kPeakSeconds);
  const double rate = measured ? *measured : std::numeric_limits<double>::quiet_NaN();
  peaks_[type] = rate;
  return rate;
}

Result<GemmRun> CpuBench::measure(const GemmPoint& point, const BenchPlan& plan,
                                  std::uint64_t seed) {
  METE_TRY(const auto type, gemm_type_named(point.dtype));
  const GemmJob job{{point.rows, point.depth}, type, threads_, seed};
  METE_TRY(const auto gemm, runtime_.make(job));
  GemmRun run;
  run.point = point;

  // Warm-up: pages, caches, the library's threads, and how many multiplies make a chunk.
  auto start = clock_.now();
  METE_TRY_VOID(gemm->run(1));
  METE_TRY_VOID(gemm->finish());
  start = clock_.now();
  METE_TRY_VOID(gemm->run(1));
  METE_TRY_VOID(gemm->finish());
  const double once = std::max(to_seconds(clock_.now() - start), 1e-7);
  const auto chunk = static_cast<std::uint64_t>(std::clamp(kChunkSeconds / once, 1.0, 1e6));

  start = clock_.now();
  double passed = 0;
  double next_power = 0;
  std::uint64_t count = 0;
  while (passed < plan.seconds || (meter_ && passed < plan.longest && !settled(run.power))) {
    METE_TRY_VOID(gemm->run(chunk));
    METE_TRY_VOID(gemm->finish());
    count += chunk;
    passed = to_seconds(clock_.now() - start);
    if (meter_ && passed >= next_power) {
      const double watts = meter_->read();
      if (std::isfinite(watts)) run.power.push_back({passed, watts});
      next_power = passed + meter_->period_seconds;
    }
  }
  run.iterations = static_cast<double>(count);
  run.seconds = passed;
  run.flops = job.shape.operations() * run.iterations / passed;
  run.power_source = meter_ ? meter_->source : "";
  run.tensor_observed =
      gemm->implementation().find("amx") == std::string::npos ? "nontensor" : "tensor";
  run.oddities.push_back({"implementation", gemm->implementation()});

  const auto error = check_gemm(*gemm, job, kCheckedElements, Rng(seed).fork(2));
  if (!error.ok()) {
    return fail(Errc::failed,
                "{} {}: the result is wrong: an element is off by {:.2g} of its sum, rounding "
                "explains {:.2g}",
                gemm->implementation(), point.size_text(), error.worst, error.tolerance);
  }
  if (point.rows > 1 &&
      !(input_variance(*gemm, job.shape, kCheckedElements, Rng(seed).fork(3)) > 0)) {
    return fail(Errc::internal, "the matrices of {} {} are constant: their power would say nothing",
                point.dtype, point.size_text());
  }
  if (meter_ && !settled(run.power))
    run.oddities.push_back({"meter-moving", "the meter had not settled when the run ended"});
  return run;
}

}  // namespace mete
