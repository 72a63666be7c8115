// SPDX-License-Identifier: BSD-3-Clause
#include "mete/provider/nvml/nvml_energy.h"

#include <algorithm>
#include <cmath>

namespace mete {
namespace {

constexpr double kGap = 1.0;           // s
constexpr double kEarly = 5.0;         // s
constexpr double kTolerance = 0.05;    // of the larger
constexpr double kMisalignment = 0.5;  // s of the present power

}  // namespace

void SampleIntegral::add(double seconds, double watts) noexcept {
  if (!std::isfinite(seconds) || !std::isfinite(watts) || watts < 0) return;
  if (begun_) {
    const double step = seconds - seconds_;
    if (step <= 0) return;
    joules_ += step * (watts_ + watts) / 2;
    if (step > kGap) ++gaps_;
  }
  begun_ = true;
  seconds_ = seconds;
  watts_ = watts;
}

EnergyVerdict EnergyCheck::look(double seconds, double counter_joules,
                                const SampleIntegral& integral) noexcept {
  const bool restart = !begun_ || integral.gaps() != gaps_ || counter_joules < counter_last_;
  counter_last_ = counter_joules;
  if (restart) {
    begun_ = integral.begun();
    from_ = seconds;
    counter_from_ = counter_joules;
    integral_from_ = integral.joules();
    gaps_ = integral.gaps();
  }
  if (!begun_ || seconds - from_ < kEarly) return EnergyVerdict::too_early;
  const double counted = counter_joules - counter_from_;
  const double integrated = integral.joules() - integral_from_;
  const double allowed =
      kTolerance * std::max(counted, integrated) + kMisalignment * integral.last_watts();
  return std::abs(counted - integrated) <= allowed ? EnergyVerdict::agree : EnergyVerdict::disagree;
}

}  // namespace mete
