// Measures one kernel: which placements, in which order, and whether the others follow from them.
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mete/base/rng.h"
#include "mete/profile/charged_run.h"
#include "mete/profile/operands.h"
#include "mete/profile/profile_store.h"

namespace mete {

/// Predictions that miss by more than this, and by more than kDoubts standard errors of what went
/// into them, show that a kernel is not additive.
inline constexpr double kAdditiveError = 0.05;
inline constexpr double kDoubts = 3;
/// Below this a kernel's time is the clock's and the scheduler's as much as its own: errors of
/// shorter ones are relative to it.
inline constexpr double kShortKernel = 20e-6;
/// All placements of a kernel that is not additive are measured if it has at most so many slots.
inline constexpr std::size_t kMostTableSlots = 6;

/// One kernel, ready to be measured.
struct TimedKernel {
  std::string key;
  KernelJob job;
  NodeSlots slots;
  SlotTraffic traffic;
  std::vector<bool> warm;
  std::vector<std::uint64_t> slot_bytes;
  double weight = 0;  ///< seconds that measuring takes, roughly: for the progress
};

/// Runs it in the two pools, which hold all that the plan asks for.
class KernelTimer {
 public:
  KernelTimer(const ProfileRequest& request, std::byte* fast_pool, std::byte* slow_pool)
      : request_(request), pools_{fast_pool, slow_pool} {}

  /// One sitting: measures until each placement was timed `repeats` times, those of `earlier`
  /// (none: an empty one) among them. `gone` if it was interrupted: nothing of this sitting is
  /// kept.
  Result<KernelMeasurement> measure(const TimedKernel& timed, Kernel& kernel,
                                    const OperandPlan& plan, Rng rng, std::size_t repeats,
                                    const KernelMeasurement& earlier);
  [[nodiscard]] const ProfileEffort& effort() const { return effort_; }

 private:
  struct Sample {
    std::uint32_t mask = 0;
    std::vector<double> seconds;
    double joules = std::numeric_limits<double>::quiet_NaN();
  };
  Result<void> prepare(const TimedKernel& timed, Kernel& kernel, const OperandPlan& plan,
                       std::uint64_t seed);
  static void take_timings(std::vector<Sample>& samples, KernelMeasurement& measured);
  Result<double> run_once(std::uint32_t mask, bool warm);
  /// Until each sample has so many repeats, interleaved.
  Result<void> run_all(std::vector<Sample>& samples, std::size_t repeats, Rng& rng);
  Result<void> add_joules(std::vector<Sample>& samples);
  [[nodiscard]] bool interrupted() const;

  const ProfileRequest& request_;
  std::byte* pools_[2];
  ProfileEffort effort_;
  const TimedKernel* timed_ = nullptr;
  Kernel* kernel_ = nullptr;
  const OperandPlan* plan_ = nullptr;
  std::size_t copy_ = 0;
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
};

}  // namespace mete
