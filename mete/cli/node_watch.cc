// SPDX-License-Identifier: BSD-3-Clause
#include "mete/cli/node_watch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

namespace mete {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct ZoneOfPower {
  std::string_view signal;
  std::string_view zone;
};
/// Energies know their zone (kEnergyDomains); powers are told apart by name.
constexpr std::array kZonesOfPowers{
    ZoneOfPower{"CPU_POWER", "package"},        ZoneOfPower{"BOARD_POWER", "psys"},
    ZoneOfPower{"CPU_CORE_POWER", "core"},      ZoneOfPower{"CPU_UNCORE_POWER", "uncore"},
    ZoneOfPower{"DRAM_POWER", "dram"},          ZoneOfPower{"GPU_POWER", "gpu"},
    ZoneOfPower{"GPU_POWER_INSTANT", "gpu"},    ZoneOfPower{"GPU_POWER_AVERAGE", "gpu"},
    ZoneOfPower{"GPU_ENERGY_INTEGRATED", "gpu"}};

std::string zone_of(const RecordedSeries& one) {
  if (one.domain < kEnergyDomains.size()) return std::string(kEnergyDomains[one.domain]);
  for (const auto& row : kZonesOfPowers) {
    if (row.signal == one.info.name) return std::string(row.zone);
  }
  return {};
}

/// Where a signal is read: at its own domain, or its CPUs taken together.
Domain shown_domain(const SignalInfo& info, const Topology& topology, bool each_cpu) {
  const bool fine = info.domain == Domain::cpu || info.domain == Domain::core;
  if (!fine || each_cpu) return info.domain;
  return topology.count(Domain::package) > 0 ? Domain::package : Domain::board;
}

}  // namespace

Result<NodeWatch> NodeWatch::open(Platform& platform, bool each_cpu,
                                  std::vector<std::string>& notices) {
  NodeWatch watch(platform);
  std::vector<Request> requests;
  for (const auto& info : platform.signals()) {
    if (info.name == "TIME" || info.behavior == Behavior::label) continue;
    const Domain domain = shown_domain(info, platform.topology(), each_cpu);
    for (int i = 0; i < platform.topology().count(domain); ++i) {
      Request request{info.name, domain, i};
      // Pushed again by the series, which gets the same handle.
      if (const auto handle = platform.push_signal(request)) {
        requests.push_back(std::move(request));
      } else {
        notices.push_back(
            fmt::format("{} is left out: {}", report_name(request), handle.error().what));
      }
    }
  }
  std::vector<std::string> repeated;  // an energy that was refused above is refused here again
  METE_TRY_VOID(watch.series_.begin(platform, requests, repeated));
  for (const auto& one : watch.series_.all()) {
    WatchedValue value;
    value.info = one.info;
    value.request = one.request;
    value.zone = zone_of(one);
    value.integrated_here = one.integrate;
    value.value = kNaN;
    watch.values_.push_back(std::move(value));
  }
  watch.first_.assign(watch.values_.size(), kNaN);
  return watch;
}

void NodeWatch::read(Nanoseconds now) {
  platform_->read_batch();
  series_.read(*platform_, now);
  const auto& all = series_.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const RecordedSeries& one = all[i];
    WatchedValue& out = values_[i];
    const auto fault = platform_->sample(one.handle).fault;
    if (fault && *fault != Errc::retry) ++faults_;
    out.value = std::isfinite(one.value) ? one.value : kNaN;
    if (out.info.behavior != Behavior::monotone) continue;
    out.gained = one.gained;
    if (one.integrate || std::isnan(out.value)) continue;
    if (std::isnan(first_[i])) first_[i] = out.value;
    // A counter that steps back (a reloaded driver, a garbled reading) goes on from where it was:
    // readers of a count take every step back for a start at 0, and would add all of it again.
    out.value = first_[i] + one.gained;
  }
}

void NodeWatch::read_first(Clock& clock, const Interrupt& interrupt) {
  constexpr int kTries = 25;
  constexpr Nanoseconds kPause = std::chrono::milliseconds(20);
  const auto wants_another_look = [this] {
    return std::any_of(series_.all().begin(), series_.all().end(),
                       [this](const RecordedSeries& one) {
                         return platform_->sample(one.handle).fault == Errc::retry;
                       });
  };
  read(clock.now());
  for (int i = 0; i < kTries && interrupt.signal() == 0 && wants_another_look(); ++i) {
    clock.sleep_until(clock.now() + kPause);
    read(clock.now());
  }
}

}  // namespace mete
