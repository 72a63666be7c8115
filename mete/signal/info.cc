// Names of all generations, aggregation and limits.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/signal/info.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// GEOPM's names before 2.0, the low-level names behind its aliases, and names that were renamed
// since (GEOPM's release notes and PlatformIO alias lists; ../shared facts, section 2).
constexpr std::array<Alias, 49> kAliases{{
    {"GPU_FREQUENCY_STATUS", "GPU_CORE_FREQUENCY_STATUS"},
    {"NVML::FREQUENCY", "GPU_CORE_FREQUENCY_STATUS"},
    {"NVML::GPU_CORE_FREQUENCY_STATUS", "GPU_CORE_FREQUENCY_STATUS"},
    {"NVML::POWER", "GPU_POWER"},
    {"NVML::GPU_POWER", "GPU_POWER"},
    {"NVML::TOTAL_ENERGY_CONSUMPTION", "GPU_ENERGY"},
    {"NVML::GPU_ENERGY_CONSUMPTION_TOTAL", "GPU_ENERGY"},
    {"NVML::UTILIZATION_ACCELERATOR", "GPU_UTILIZATION"},
    {"NVML::GPU_UTILIZATION", "GPU_UTILIZATION"},
    {"GPU_COMPUTE_ACTIVITY", "GPU_CORE_ACTIVITY"},
    {"DCGM::SM_ACTIVE", "GPU_CORE_ACTIVITY"},
    {"GPU_MEMORY_ACTIVITY", "GPU_UNCORE_ACTIVITY"},
    {"DCGM::DRAM_ACTIVE", "GPU_UNCORE_ACTIVITY"},
    {"DCGM::SM_OCCUPANCY", "GPU_SM_OCCUPANCY"},
    {"NVML::TEMPERATURE", "GPU_TEMPERATURE"},
    {"NVML::GPU_TEMPERATURE", "GPU_TEMPERATURE"},
    {"GPU_FREQUENCY_MIN_AVAIL", "GPU_CORE_FREQUENCY_MIN_AVAIL"},
    {"GPU_FREQUENCY_MAX_AVAIL", "GPU_CORE_FREQUENCY_MAX_AVAIL"},
    {"NVML::GPU_CORE_FREQUENCY_MIN_AVAIL", "GPU_CORE_FREQUENCY_MIN_AVAIL"},
    {"NVML::GPU_CORE_FREQUENCY_MAX_AVAIL", "GPU_CORE_FREQUENCY_MAX_AVAIL"},
    {"NVML::GPU_CORE_FREQUENCY_STEP", "GPU_CORE_FREQUENCY_STEP"},
    {"GPU_FREQUENCY_CONTROL", "GPU_CORE_FREQUENCY_MAX_CONTROL"},
    {"GPU_CORE_FREQUENCY_CONTROL", "GPU_CORE_FREQUENCY_MAX_CONTROL"},
    {"NVML::FREQUENCY_CONTROL", "GPU_CORE_FREQUENCY_MAX_CONTROL"},
    {"NVML::GPU_CORE_FREQUENCY_MAX_CONTROL", "GPU_CORE_FREQUENCY_MAX_CONTROL"},
    {"NVML::GPU_CORE_FREQUENCY_MIN_CONTROL", "GPU_CORE_FREQUENCY_MIN_CONTROL"},
    {"NVML::POWER_LIMIT_CONTROL", "GPU_POWER_LIMIT_CONTROL"},
    {"NVML::GPU_POWER_LIMIT_CONTROL", "GPU_POWER_LIMIT_CONTROL"},
    {"POWER_PACKAGE", "CPU_POWER"},
    {"ENERGY_PACKAGE", "CPU_ENERGY"},
    {"POWER_DRAM", "DRAM_POWER"},
    {"ENERGY_DRAM", "DRAM_ENERGY"},
    {"FREQUENCY", "CPU_FREQUENCY_STATUS"},
    {"CPUINFO::FREQ_MIN", "CPU_FREQUENCY_MIN_AVAIL"},
    {"CPUINFO::FREQ_MAX", "CPU_FREQUENCY_MAX_AVAIL"},
    {"CPUINFO::FREQ_STICKER", "CPU_FREQUENCY_STICKER"},
    {"CPUINFO::FREQ_STEP", "CPU_FREQUENCY_STEP"},
    {"FREQUENCY_MIN", "CPU_FREQUENCY_MIN_AVAIL"},
    {"FREQUENCY_MAX", "CPU_FREQUENCY_MAX_AVAIL"},
    {"FREQUENCY_STICKER", "CPU_FREQUENCY_STICKER"},
    {"FREQUENCY_STEP", "CPU_FREQUENCY_STEP"},
    {"CPU_FREQUENCY_CONTROL", "CPU_FREQUENCY_MAX_CONTROL"},
    {"TEMPERATURE_CORE", "CPU_CORE_TEMPERATURE"},
    {"TEMPERATURE_PACKAGE", "CPU_PACKAGE_TEMPERATURE"},
    {"INSTRUCTIONS_RETIRED", "CPU_INSTRUCTIONS_RETIRED"},
    {"CYCLES_THREAD", "CPU_CYCLES_THREAD"},
    {"CYCLES_REFERENCE", "CPU_CYCLES_REFERENCE"},
    {"TIME::ELAPSED", "TIME"},
    {"TIMESTAMP_COUNTER", "CPU_TIMESTAMP_COUNTER"},
}};

struct Moments {
  double sum = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  std::size_t n = 0;
};

Moments moments_of(std::span<const double> values) noexcept {
  Moments m;
  for (const double v : values) {
    if (std::isnan(v)) continue;
    m.sum += v;
    m.min = std::min(m.min, v);
    m.max = std::max(m.max, v);
    ++m.n;
  }
  return m;
}

/// Without memory of its own: the sampling path calls it. Quadratic, for the few parts a domain
/// has.
double median_without_memory(std::span<const double> values, std::size_t n) noexcept {
  const auto rank = [&](std::size_t wanted) {
    for (const double candidate : values) {
      if (std::isnan(candidate)) continue;
      std::size_t below = 0;
      std::size_t equal = 0;
      for (const double v : values) {
        below += v < candidate ? 1U : 0U;
        equal += v == candidate ? 1U : 0U;
      }
      if (below <= wanted && wanted < below + equal) return candidate;
    }
    return kNaN;
  };
  return n % 2 == 1 ? rank(n / 2) : (rank(n / 2 - 1) + rank(n / 2)) / 2;
}

double stddev_without_memory(std::span<const double> values, const Moments& m) noexcept {
  if (m.n < 2) return kNaN;
  const double mean = m.sum / static_cast<double>(m.n);
  double sum = 0;
  for (const double v : values) {
    if (!std::isnan(v)) sum += (v - mean) * (v - mean);
  }
  return std::sqrt(sum / static_cast<double>(m.n - 1));
}

double bitwise_or(std::span<const double> values) noexcept {
  std::uint64_t bits = 0;
  for (const double v : values) {
    if (v >= 0 && v < 0x1.0p64) bits |= static_cast<std::uint64_t>(v);
  }
  return static_cast<double>(bits);
}

/// All equal: that value. Regions that differ have no common hash or hint.
double same_or(std::span<const double> values, double otherwise) noexcept {
  double seen = kNaN;
  for (const double v : values) {
    if (std::isnan(v)) continue;
    if (!std::isnan(seen) && v != seen) return otherwise;
    seen = v;
  }
  return seen;
}

// GEOPM_REGION_HASH_UNMARKED and GEOPM_REGION_HINT_UNKNOWN of geopm_hash.h and geopm_hint.h.
constexpr double kUnmarkedHash = 0x725e8066;
constexpr double kUnknownHint = 1;

}  // namespace

double aggregate(Aggregation how, std::span<const double> values) noexcept {
  if (values.empty()) return kNaN;
  if (how == Aggregation::select_first) return values.front();
  const Moments m = moments_of(values);
  if (m.n == 0) return kNaN;
  const auto n = static_cast<double>(m.n);
  switch (how) {
    case Aggregation::sum:
      return m.sum;
    case Aggregation::average:
      return m.sum / n;
    case Aggregation::median:
      return median_without_memory(values, m.n);
    case Aggregation::integer_bitwise_or:
      return bitwise_or(values);
    case Aggregation::logical_and:
      return std::find(values.begin(), values.end(), 0.0) == values.end() ? 1 : 0;
    case Aggregation::logical_or:
      return m.min != 0 || m.max != 0 ? 1 : 0;
    case Aggregation::region_hash:
      return same_or(values, kUnmarkedHash);
    case Aggregation::region_hint:
      return same_or(values, kUnknownHint);
    case Aggregation::min:
      return m.min;
    case Aggregation::max:
      return m.max;
    case Aggregation::stddev:
      return stddev_without_memory(values, m);
    case Aggregation::expect_same:
      return same_or(values, kNaN);
    case Aggregation::select_first:
      break;
  }
  return values.front();
}

double ControlLimits::snap(double value) const {
  if (std::isnan(value)) return value;
  const double inside = std::clamp(value, min, max);
  if (supported.empty()) return inside;
  const auto above = std::lower_bound(supported.begin(), supported.end(), inside);
  if (above == supported.end()) return supported.back();
  if (above == supported.begin()) return *above;
  const double below = *(above - 1);
  return *above - inside < inside - below ? *above : below;
}

std::string_view aggregation_name(Aggregation a) {
  constexpr std::array<std::string_view, 13> kNames{
      "sum",         "average",    "median",      "integer_bitwise_or",
      "logical_and", "logical_or", "region_hash", "region_hint",
      "min",         "max",        "stddev",      "select_first",
      "expect_same"};
  return kNames[static_cast<std::size_t>(a)];
}

std::string_view behavior_name(Behavior b) {
  constexpr std::array<std::string_view, 4> kNames{"constant", "monotone", "variable", "label"};
  return kNames[static_cast<std::size_t>(b)];
}

std::string_view source_name(Source s) {
  constexpr std::array<std::string_view, 5> kNames{"counter", "sampled", "integrated", "estimated",
                                                   "replayed"};
  return kNames[static_cast<std::size_t>(s)];
}

Source weakest(Source a, Source b) { return std::max(a, b); }

std::span<const Alias> aliases() { return kAliases; }

std::string_view canonical_name(std::string_view name) {
  for (const auto& alias : kAliases) {
    if (alias.old_name == name) return alias.name;
  }
  return name;
}

}  // namespace mete
