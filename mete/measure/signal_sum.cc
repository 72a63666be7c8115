// Figures of single signals, of whole runs, and which signals a report needs.
// SPDX-License-Identifier: BSD-3-Clause
#include "mete/measure/signal_sum.h"

#include <array>
#include <cmath>
#include <optional>

#include "mete/measure/session.h"

namespace mete {
namespace {

struct DefaultSignal {
  std::string_view name;
  Domain domain;
};

// The order of GEOPM's trace (Tracer.cpp), then what its report needs, then per GPU the columns of
// the Python tutorial.
constexpr std::array<DefaultSignal, 19> kDefaults{{
    {"TIME", Domain::board},
    {"EPOCH_COUNT", Domain::board},
    {"CPU_ENERGY", Domain::board},
    {"DRAM_ENERGY", Domain::board},
    {"CPU_POWER", Domain::board},
    {"DRAM_POWER", Domain::board},
    {"CPU_FREQUENCY_STATUS", Domain::board},
    {"CPU_CYCLES_THREAD", Domain::board},
    {"CPU_CYCLES_REFERENCE", Domain::board},
    {"CPU_CORE_TEMPERATURE", Domain::board},
    {"CPU_UNCORE_FREQUENCY_STATUS", Domain::board},
    {"CPU_UTILIZATION", Domain::board},
    {"GPU_CORE_FREQUENCY_STATUS", Domain::gpu},
    {"GPU_POWER", Domain::gpu},
    {"GPU_UTILIZATION", Domain::gpu},
    {"GPU_CORE_ACTIVITY", Domain::gpu},
    {"GPU_UNCORE_ACTIVITY", Domain::gpu},
    {"GPU_ENERGY", Domain::gpu},
    {"GPU_TEMPERATURE", Domain::gpu},
}};

}  // namespace

double SignalSum::figure() const noexcept {
  switch (behavior_) {
    case Behavior::monotone:
      return count_ < 2 || went_back_ ? kNaN : last_ - first_;
    case Behavior::variable:
      return weight_ > 0 ? first_ + weighted_ / weight_ : kNaN;
    case Behavior::constant:
    case Behavior::label:
      break;
  }
  return last_;
}

double RunResult::total(std::string_view signal_name) const {
  const auto name = canonical_name(signal_name);
  std::optional<Domain> domain;
  double sum = std::numeric_limits<double>::quiet_NaN();
  for (const auto& one : totals) {
    if (one.request.name != name) continue;
    // A board's figure and its parts' are the same joules: those of one domain are taken.
    if (!domain) {
      domain = one.request.domain;
      sum = 0;
    }
    if (one.request.domain == *domain) sum += one.value;
  }
  return sum;
}

std::vector<Request> default_signals(const Platform& platform) {
  std::vector<Request> out;
  for (const auto& wanted : kDefaults) {
    // Asked first: an error would look for near names, which nobody reads.
    if (!platform.has_signal(wanted.name)) continue;
    const auto info = platform.signal_info(wanted.name);
    if (!info || info->name != wanted.name) continue;
    const Topology& topology = platform.topology();
    if (!topology.is_nested(info->domain, wanted.domain)) continue;
    for (int i = 0; i < topology.count(wanted.domain); ++i) {
      out.push_back({info->name, wanted.domain, i});
    }
  }
  return out;
}

}  // namespace mete
