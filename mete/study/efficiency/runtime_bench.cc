// SPDX-License-Identifier: BSD-3-Clause
#include "mete/study/efficiency/runtime_bench.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "mete/base/text.h"

namespace mete {
namespace {

constexpr std::size_t kCheckedElements = 64;
constexpr double kPeakSeconds = 0.2;
constexpr double kChunkSeconds = 0.02;

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

Result<double> available_memory(const SysRoot& root) {
  METE_TRY(const auto text, root.read_text("/proc/meminfo"));
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with("MemAvailable:")) continue;
    const auto value =
        parse_double(trim(line.substr(13, line.size() - 13 - (line.ends_with(" kB") ? 3 : 0))));
    if (value) return *value * 1024;
  }
  return fail(Errc::unavailable, "/proc/meminfo does not tell MemAvailable");
}

Result<std::uint64_t> warm_up(Gemm& gemm, const Clock& clock) {
  METE_TRY_VOID(gemm.run(1));
  METE_TRY_VOID(gemm.finish());
  const auto start = clock.now();
  METE_TRY_VOID(gemm.run(1));
  METE_TRY_VOID(gemm.finish());
  const double once = std::max(to_seconds(clock.now() - start), 1e-7);
  return static_cast<std::uint64_t>(std::clamp(kChunkSeconds / once, 1.0, 1e6));
}

Result<GemmTiming> time_multiplies(Gemm& gemm, const Clock& clock, std::uint64_t chunk,
                                   const std::function<bool(double)>& more,
                                   const std::function<void(double)>& beside) {
  GemmTiming timing;
  double passed = 0;
  double of_device = 0;
  const auto start = clock.now();
  while (more(passed)) {
    METE_TRY_VOID(gemm.run(chunk));
    // While the device works: a look at the power must not make it wait.
    if (beside) beside(passed);
    METE_TRY_VOID(gemm.finish());
    timing.count += chunk;
    of_device += gemm.device_seconds().value_or(0);
    passed = to_seconds(clock.now() - start);
  }
  timing.seconds = of_device > 0 ? of_device : passed;
  return timing;
}

RuntimeBench::RuntimeBench(GemmRuntime& runtime, const Clock& clock, BenchHost host)
    : runtime_(runtime), clock_(clock), host_(std::move(host)) {}

GemmJob RuntimeBench::job_of(const GemmPoint& point, GemmType type, std::uint64_t seed) const {
  return {.shape = {point.rows, point.depth},
          .type = type,
          .threads = host_.threads,
          .seed = seed,
          .device = host_.gpu.value_or(0),
          .tensor = point.tensor == "tensor",
          .library = host_.library};
}

Result<void> RuntimeBench::check(const GemmPoint& point) {
  METE_TRY(const auto type, gemm_type_named(point.dtype));
  // A small one tells whether the type is there at all.
  auto small = point;
  small.rows = small.depth = 16;
  if (auto probe = runtime_.make(job_of(small, type, 1)); !probe) return probe.error();
  const GemmShape shape{point.rows, point.depth};
  // oneDNN keeps a second copy of B; the naive judge of a CPU reads in place.
  const double copy = static_cast<double>(point.rows * point.depth * gemm_input_bytes(type));
  const double needed = shape.bytes(type) + (host_.gpu ? 0 : copy);
  if (const auto there = host_.free_bytes(); there && needed > *there) {
    return fail(
        Errc::invalid, "size {} of {} needs {}, and {} are free: leave it out, or free memory",
        point.size_text(), point.dtype, format_quantity(needed, "B"), format_quantity(*there, "B"));
  }
  return {};
}

double RuntimeBench::peak(GemmType type) {
  const auto known = peaks_.find(type);
  if (known != peaks_.end()) return known->second;
  const auto measured = runtime_.measure_peak(type, host_.threads, kPeakSeconds);
  const double rate = measured ? *measured : std::numeric_limits<double>::quiet_NaN();
  peaks_[type] = rate;
  return rate;
}

Result<GemmTiming> RuntimeBench::run_timed(Gemm& gemm, const BenchPlan& plan, GemmRun& run) {
  METE_TRY(const auto chunk, warm_up(gemm, clock_));
  const auto& meter = host_.meter;
  const auto stopped = [this] {
    return host_.interrupt != nullptr && host_.interrupt->signal() != 0;
  };
  const auto more = [&](double passed) {
    if (stopped()) return false;
    return passed < plan.seconds || (meter && passed < plan.longest && !settled(run.power));
  };
  double next_power = 0;
  const auto start = clock_.now();
  const auto look = [&](double passed) {
    if (passed < next_power) return;
    const double watts = meter->read();
    if (std::isfinite(watts)) run.power.push_back({to_seconds(clock_.now() - start), watts});
    next_power = passed + meter->period_seconds;
  };
  auto timing =
      time_multiplies(gemm, clock_, chunk, more, meter ? look : std::function<void(double)>());
  if (stopped()) return fail(Errc::gone, "interrupted");
  return timing;
}

std::string RuntimeBench::units_of(const Gemm& gemm, const GemmRun& run, GemmType type) {
  if (host_.gpu) return std::string(observed_units(run.flops, runtime_.peaks(type, *host_.gpu)));
  return gemm.implementation().find("amx") == std::string::npos ? "nontensor" : "tensor";
}

Result<GemmRun> RuntimeBench::measure(const GemmPoint& point, const BenchPlan& plan,
                                      std::uint64_t seed) {
  METE_TRY(const auto type, gemm_type_named(point.dtype));
  const auto job = job_of(point, type, seed);
  if (point.frequency > 0 && host_.set_clock) METE_TRY_VOID(host_.set_clock(point.frequency));
  METE_TRY(const auto gemm, runtime_.make(job));
  GemmRun run;
  run.point = point;
  METE_TRY(const auto timing, run_timed(*gemm, plan, run));
  run.iterations = static_cast<double>(timing.count);
  run.seconds = timing.seconds;
  run.flops = job.shape.operations() * run.iterations / timing.seconds;
  run.power_source = host_.meter ? host_.meter->source : "";
  run.tensor_observed = units_of(*gemm, run, type);
  run.oddities.push_back({"implementation", gemm->implementation()});

  if (const double huge = gemm->huge_page_share(); std::isfinite(huge)) {
    run.oddities.push_back(
        {"pages", fmt::format("{:.0f} % of the matrices' memory in huge pages", 100 * huge)});
  }

  const auto error = check_gemm(*gemm, job, kCheckedElements, Rng(seed).fork(2));
  if (!error.ok()) {
    return fail(Errc::failed,
                "{} {}: the result is wrong: an element is off by {:.2g} of its sum, rounding "
                "explains {:.2g}",
                gemm->implementation(), point.size_text(), error.worst, error.tolerance);
  }
  const double variance = input_variance(*gemm, job.shape, kCheckedElements, Rng(seed).fork(3));
  if (point.rows > 1 && !(variance > 0)) {
    return fail(Errc::internal, "the matrices of {} {} are constant: their power would say nothing",
                point.dtype, point.size_text());
  }
  run.oddities.push_back({"fill", fmt::format("random, variance {:.3g}", variance)});
  if (host_.meter && !settled(run.power))
    run.oddities.push_back({"meter-moving", "the meter had not settled when the run ended"});
  return run;
}

}  // namespace mete
