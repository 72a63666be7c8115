// SPDX-License-Identifier: BSD-3-Clause
#include "mete/control/agents/gpu_activity_agent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "mete/base/text.h"
#include "mete/control/clock_choice.h"

namespace mete {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kMiddle = 0.5;

enum PolicyIndex : std::size_t { kPhi, kEfficient, kPolicySize };
enum SignalIndex : std::size_t { kActivity, kUtilization, kSignals };

AgentInfo make_info() {
  constexpr double kAny = std::numeric_limits<double>::infinity();
  return {
      .name = "gpu_activity",
      .description = std::string(kGpuActivityDescription),
      .policy = {{"GPU_PHI", "the goal: 0 performance .. 1 energy; NAN: 0.5", "1", kMiddle, 0, 1},
                 {"GPU_FREQ_EFFICIENT",
                  "the clock at which compute-bound work costs the least energy; NAN: the "
                  "middle of the device's range",
                  "Hz", kNan, 0, kAny}},
      .domain = Domain::gpu,
      .signals = {"GPU_CORE_ACTIVITY", "GPU_UTILIZATION"},
      .control = "GPU_CORE_FREQUENCY_MAX_CONTROL",
      .period_seconds = 0.02};
}

struct Part {
  ClockChoice choice;
  double efficient = 0;  ///< Hz
  double max = 0;
};

Result<Part> make_part(const PartLimits& limits, std::size_t index, double efficient) {
  Part part;
  METE_TRY(part.choice, ClockChoice::make(limits, index, kNan, kNan, "", ""));
  if (efficient < limits.min - kClockTolerance || efficient > limits.max + kClockTolerance) {
    return fail(Errc::invalid,
                "policy: GPU_FREQ_EFFICIENT is {}, but part {} of the device takes {} to {}",
                format_quantity(efficient, "Hz", 4), index, format_quantity(limits.min, "Hz", 4),
                format_quantity(limits.max, "Hz", 4));
  }
  part.max = limits.max;
  part.efficient = std::isnan(efficient) ? (limits.min + limits.max) / 2
                                         : std::clamp(efficient, limits.min, limits.max);
  return part;
}

class GpuActivityAgent final : public Agent {
 public:
  const AgentInfo& info() const override { return info_; }

  Result<void> start(std::span<const PartLimits> parts, PolicyValues policy) override {
    if (policy.size() != kPolicySize) {
      return fail(Errc::invalid, "policy: the agent gpu_activity takes {} values", +kPolicySize);
    }
    if (policy[kPhi] < 0 || policy[kPhi] > 1) {
      return fail(Errc::invalid, "policy: GPU_PHI is {}, expected 0 (performance) to 1 (energy)",
                  policy[kPhi]);
    }
    parts_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      METE_TRY(auto part, make_part(parts[i], i, policy[kEfficient]));
      parts_.push_back(std::move(part));
    }
    phi_ = policy[kPhi];
    clipped_ = 0;
    return {};
  }

  void step(const Observation& observation, PolicyValues policy,
            std::span<double> decisions) noexcept override {
    if (policy.size() > kPhi) phi_ = policy[kPhi];
    const std::size_t parts = std::min({observation.parts, parts_.size(), decisions.size()});
    for (std::size_t p = 0; p < parts; ++p) {
      const auto row = observation.row(p);
      const bool whole = row.size() >= kSignals;
      const auto range = resolve_activity_range(parts_[p].efficient, parts_[p].max, phi_);
      const auto wanted =
          activity_clock(range, whole ? row[kActivity] : kNan, whole ? row[kUtilization] : kNan);
      clipped_ += wanted.clipped ? 1U : 0U;
      decisions[p] = parts_[p].choice.nearest(wanted.clock);
    }
  }

  /// Keys and order of GEOPM's report; the Controller writes the two before them.
  std::vector<std::pair<std::string, std::string>> report_lines() const override {
    std::vector<std::pair<std::string, std::string>> lines;
    lines.emplace_back("GPU Clipped Frequency Requests", fmt::format("{}", clipped_));
    const bool alike = std::all_of(parts_.begin(), parts_.end(), [this](const Part& part) {
      return part.max == parts_[0].max && part.efficient == parts_[0].efficient;
    });
    for (std::size_t p = 0; p < (alike ? std::min<std::size_t>(parts_.size(), 1) : parts_.size());
         ++p) {
      const auto who = alike ? "" : fmt::format("GPU {} ", p);
      const auto range = resolve_activity_range(parts_[p].efficient, parts_[p].max, phi_);
      const auto add = [&](std::string_view key, double value) {
        lines.emplace_back(who + std::string(key), fmt::format("{:.16g}", value));
      };
      add("Resolved Max Frequency", range.max);
      add("Resolved Efficient Frequency", range.efficient);
      add("Resolved Frequency Range", range.max - range.efficient);
    }
    return lines;
  }

 private:
  AgentInfo info_ = make_info();
  std::vector<Part> parts_;
  double phi_ = kMiddle;
  std::uint64_t clipped_ = 0;
};

}  // namespace

ActivityRange resolve_activity_range(double efficient, double max, double phi) noexcept {
  const double range = max - efficient;
  ActivityRange resolved{efficient, max};
  if (phi > kMiddle) {
    resolved.max = std::max(efficient, max - range * (phi - kMiddle) / kMiddle);
  } else if (phi < kMiddle) {
    resolved.efficient = std::min(max, efficient + range * (kMiddle - phi) / kMiddle);
  }
  return resolved;
}

ActivityClock activity_clock(const ActivityRange& range, double core_activity,
                             double utilization) noexcept {
  if (std::isnan(core_activity)) return {range.max, false};
  double share = std::min(core_activity, 1.0);
  if (utilization > 0) share /= std::min(utilization, 1.0);
  const double wanted = range.efficient + (range.max - range.efficient) * share;
  // An infinite share of an empty range.
  if (std::isnan(wanted)) return {range.max, false};
  return {std::clamp(wanted, range.efficient, range.max),
          wanted < range.efficient || wanted > range.max};
}

Result<std::unique_ptr<Agent>> make_gpu_activity_agent(const AgentContext& /*context*/) {
  return std::unique_ptr<Agent>(std::make_unique<GpuActivityAgent>());
}

}  // namespace mete
