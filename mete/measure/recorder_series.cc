// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/recorder_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct EnergyNames {
  std::string_view energy;
  std::string_view power;
};
/// In the order of kEnergyDomains.
constexpr std::array<EnergyNames, kEnergyDomains.size()> kNames{
    {{"CPU_ENERGY", "CPU_POWER"},
     {"BOARD_ENERGY", "BOARD_POWER"},
     {"CPU_CORE_ENERGY", "CPU_CORE_POWER"},
     {"CPU_UNCORE_ENERGY", "CPU_UNCORE_POWER"},
     {"DRAM_ENERGY", "DRAM_POWER"},
     {"GPU_ENERGY", "GPU_POWER"}}};
constexpr std::string_view kEstimate = "CPU_ENERGY_ESTIMATE";

}  // namespace

bool RecorderSeries::push(Platform& platform, std::string_view name, std::size_t domain,
                          bool integrate, std::vector<std::string>& warnings) {
  if (!platform.has_signal(name)) return false;
  const auto info = platform.signal_info(name);
  if (!info) return false;
  bool any = false;
  for (int i = 0; i < platform.topology().count(info->domain); ++i) {
    RecordedSeries one;
    one.request = {info->name, info->domain, i};
    const auto handle = platform.push_signal(one.request);
    if (!handle) {
      warnings.push_back(
          fmt::format("{} is not recorded: {}", report_name(one.request), handle.error().what));
      continue;
    }
    one.info = *info;
    one.handle = *handle;
    one.domain = domain;
    one.integrate = integrate;
    one.value = one.last = kNaN;
    if (integrate) {
      one.of = info->name;
      one.info.name = kNames[domain].energy;
      one.info.unit = "J";
      one.info.behavior = Behavior::monotone;
      one.info.source = weakest(info->source, Source::integrated);
    }
    series_.push_back(std::move(one));
    any = true;
  }
  return any;
}

Result<void> RecorderSeries::begin(Platform& platform, const std::vector<Request>& others,
                                   std::vector<std::string>& warnings) {
  for (std::size_t d = 0; d < kNames.size(); ++d) {
    if (!push(platform, kNames[d].energy, d, false, warnings)) {
      push(platform, kNames[d].power, d, true, warnings);
    }
  }
  if (push(platform, kEstimate, kNoEnergy, false, warnings)) series_.back().estimate = true;
  for (const auto& request : others) {
    METE_TRY(const SignalInfo info, platform.signal_info(request.name));
    const Request resolved{info.name, request.domain, request.index};
    if (std::any_of(series_.begin(), series_.end(), [&resolved](const RecordedSeries& one) {
          return one.request == resolved && !one.integrate;
        })) {
      continue;
    }
    RecordedSeries one;
    one.request = resolved;
    METE_TRY(one.handle, platform.push_signal(resolved));
    one.info = info;
    one.value = one.last = kNaN;
    series_.push_back(std::move(one));
  }
  return {};
}

void RecorderSeries::read(const Platform& platform, Nanoseconds now) noexcept {
  const double seconds = first_ ? 0 : to_seconds(now - last_);
  for (auto& one : series_) {
    const double value = platform.value(one.handle);
    if (one.integrate) {
      // A power tells of the time before it, as SignalSum has it. An unknown one leaves the count
      // unknown for this sample, and its time out.
      if (!std::isnan(value) && !first_) one.gained += value * seconds;
      one.value = std::isnan(value) ? kNaN : one.gained;
      continue;
    }
    one.value = value;
    if (std::isnan(value) || one.info.behavior != Behavior::monotone) continue;
    if (value < one.last) {
      ++one.resets;
    } else if (!std::isnan(one.last)) {
      one.gained += value - one.last;
    }
    one.last = value;
  }
  last_ = now;
  first_ = false;
}

double RecorderSeries::gained(std::size_t domain) const noexcept {
  double sum = kNaN;
  for (const auto& one : series_) {
    if (one.domain == domain) sum = std::isnan(sum) ? one.gained : sum + one.gained;
  }
  return sum;
}

double RecorderSeries::gained(std::size_t domain, int index) const noexcept {
  for (const auto& one : series_) {
    if (one.domain == domain && one.request.index == index) return one.gained;
  }
  return kNaN;
}

int RecorderSeries::parts(std::size_t domain) const {
  return static_cast<int>(
      std::count_if(series_.begin(), series_.end(),
                    [domain](const RecordedSeries& one) { return one.domain == domain; }));
}

}  // namespace mete
